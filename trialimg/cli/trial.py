"""`trialimg trial`: open and amend a trial, print its charter, activate its sites, see how it stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.cli.trial_closing import archive, cut, unblind, unlock
from trialimg.cli.trial_oversight import audit, audit_review, incident
from trialimg.cli.trial_plan import plan
from trialimg.cli.trial_readers import qualify, readers, retrain
from trialimg.cli.trial_upload import upload
from trialimg.core.access import Action, Role

if TYPE_CHECKING:
    from trialimg.services.records import RecordVersion
    from trialimg.services.trials import Change
    from trialimg.services.trials_sites import Source

__all__ = ["trial"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_REASON = click.option("--reason", required=True, help="Why; the ledger and the charter keep it.")
_EFFECTIVE = click.option(
    "--effective", type=click.DateTime(["%Y-%m-%d"]), help="First day, not after today (UTC); default: today."
)


@click.group("trial")
def trial() -> None:
    """Administer a trial: protocol, charter, sites, data cuts, unblinding, audit review, readers' figures."""


for verb in (archive, audit, audit_review, cut, incident, plan, qualify, readers, retrain, unblind, unlock, upload):
    trial.add_command(verb)


@trial.command("open")
@click.argument("protocol", type=_FILE)
@_REASON
@_EFFECTIVE
@signed_in(Role.ANALYST)
@json_option
def open_(desk: Desk, protocol: Path, reason: str, effective: dt.datetime | None, as_json: bool) -> None:
    """Open the trial of a PROTOCOL file and put that protocol in force."""
    from trialimg.services.trials import open_trial

    kept = open_trial(desk.records, desk.actor, _text(protocol), _change(desk, reason, effective))
    _print_protocol(kept, as_json)


@trial.command("amend")
@click.argument("protocol", type=_FILE)
@_REASON
@_EFFECTIVE
@click.option(
    "--reopen", "reopens", multiple=True, metavar="READ", help="Read to be done again; beside reading.amendment."
)
@signed_in(Role.ANALYST)
@json_option
def amend(
    desk: Desk, protocol: Path, reason: str, effective: dt.datetime | None, reopens: tuple[str, ...], as_json: bool
) -> None:
    """Put another PROTOCOL of an open trial in force; after the first read, bring its cases under it, signed."""
    from trialimg.services.reading_reopening import apply_amendment
    from trialimg.services.trials import amend_protocol

    change = _change(desk, reason, effective)
    kept = amend_protocol(desk.records, desk.actor, _text(protocol), change, reopens=reopens)
    moved = []
    if kept.body["after_first_read"]:
        moved = [case.id for case in apply_amendment(desk.records, desk.actor, desk.proof, kept.place.trial)]
    _print_protocol(kept, as_json, moved)


@trial.command("charter")
@click.argument("trial_code", metavar="TRIAL")
@click.option("--version", "number", type=click.IntRange(1), help="Number of the protocol version; default: in force.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for charter.html and charter.pdf.")
@signed_in(Role.ANALYST)
def charter(desk: Desk, trial_code: str, number: int | None, out: Path) -> None:
    """Print the imaging charter of TRIAL from its protocol, with every version before it."""
    from trialimg.bootstrap import charter_files, make_folder
    from trialimg.services.trials import PROTOCOL, protocol_of
    from trialimg.services.trials_charter import charter_of

    with desk.records.look(desk.actor, Action.VIEW_COHORT, trial=trial_code) as transaction:
        last = protocol_of(transaction, trial_code, number)
        versions = transaction.versions(PROTOCOL, trial_code)[: last.version]
    make_folder(out)
    for path in charter_files(charter_of(versions), out):
        click.echo(str(path))


@trial.command("diff")
@click.argument("trial_code", metavar="TRIAL")
@click.argument("before", type=click.IntRange(1))
@click.argument("after", type=click.IntRange(1))
@signed_in(Role.ANALYST)
@json_option
def diff(desk: Desk, trial_code: str, before: int, after: int, as_json: bool) -> None:
    """Say what differs between two protocol versions of TRIAL, by their numbers."""
    from trialimg.protocol.load import read_protocol
    from trialimg.protocol.model import full
    from trialimg.services.differences import differences
    from trialimg.services.trials import protocol_of, text_difference

    with desk.records.look(desk.actor, Action.VIEW_COHORT, trial=trial_code) as transaction:
        old, new = (str(protocol_of(transaction, trial_code, n).body["text"]) for n in (before, after))
    if as_json:
        found = differences(full(read_protocol(old)), full(read_protocol(new)))
        print_json({"trial": trial_code, "before": before, "after": after, "differences": found})
    else:
        click.echo(text_difference(old, new, names=(f"version {before}", f"version {after}")), nl=False)


@dataclass(frozen=True)
class _Site:
    """What is said of a site."""

    name: str
    since: dt.datetime | None
    titles: tuple[str, ...]
    has_key: bool

    def sources(self, site_code: str) -> tuple[Source, ...] | None:
        """Who may send; None: as before."""
        from trialimg.cli.sign_in import asked_secret
        from trialimg.services.trials_sites import Source, SourceKind

        found = tuple(Source(SourceKind.AE_TITLE, title) for title in self.titles)
        if self.has_key:
            key = asked_secret("TRIALIMG_SITE_KEY", f"API key of site {site_code}")
            found += (Source(SourceKind.API_KEY, key),)
        return found or None


@trial.command("site")
@click.argument("trial_code", metavar="TRIAL")
@click.argument("site_code", metavar="SITE")
@click.argument("state", type=click.Choice(["planned", "active", "closed"]))
@gathered(
    "said", _Site,
    click.option("--name", default="", help="Name of the site."),
    click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First day on which images are taken."),
    click.option("--ae-title", "titles", multiple=True, help="DICOM node that may send."),
    click.option("--api-key", "has_key", is_flag=True, help="A key may send: TRIALIMG_SITE_KEY, or typed unseen."),
)  # fmt: skip
@click.option("--reason", required=True, help="The approvals that are there, or why the site is closed.")
@signed_in(Role.ANALYST)
def site(desk: Desk, trial_code: str, site_code: str, state: str, said: _Site, reason: str) -> None:
    """Plan, activate or close SITE of TRIAL; naming a source replaces the list of those before."""
    from trialimg.services.trials_sites import SiteChange, put_site

    day = said.since.date() if said.since else None
    change = SiteChange(trial_code, site_code, state, said.name, day, said.sources(site_code), reason)
    kept = put_site(desk.records, desk.actor, change)
    click.echo(f"{kept.id}: {state}, {len(kept.body['sources'])} source(s)")


@trial.command("status")
@click.argument("trial_code", metavar="TRIAL")
@signed_in(Role.ANALYST)
@json_option
def status(desk: Desk, trial_code: str, as_json: bool) -> None:
    """Say how TRIAL stands: protocol, sites, cases, data cuts, what is due."""
    from trialimg.services.trials_status import status_of

    found = status_of(desk.records, desk.actor, trial_code)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        said = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
        click.echo(f"{name.replace('_', ' '):<22}{said if said not in ('', None) else '-'}")


def _text(path: Path) -> str:
    from trialimg.core.errors import ProtocolError

    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise ProtocolError(f"{path}: not UTF-8 text (byte {wrong.start})") from None


def _change(desk: Desk, reason: str, effective: dt.datetime | None) -> Change:
    from trialimg.services.trials import Change

    day = effective.date() if effective else dt.datetime.fromisoformat(desk.records.now()).date()
    return Change(reason, day)


def _print_protocol(kept: RecordVersion, as_json: bool, moved: list[str] | None = None) -> None:
    body: dict[str, Any] = {key: value for key, value in kept.body.items() if key != "text"}
    if as_json:
        print_json({"trial": kept.id, "number": kept.version, **body, "cases_moved": moved or []})
        return
    click.echo(f"{kept.id}: protocol {body['version']} in force from {body['effective']}, {body['digest']}")
    for key, before, after in body["changes"]:
        click.echo(f"  {key}: {before} -> {after}")
    if body["after_first_read"]:
        named = ", ".join(body["reopens"]) or "none"
        click.echo(f"  after the first read; reads done again: {named}; cases brought under it: {len(moved or [])}")
