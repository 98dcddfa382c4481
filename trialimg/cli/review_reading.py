"""The verbs by which a reader reads: open, import, lock, sign, correct."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.review_options import given_text, trial_option
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role
from trialimg.core.digest import plain

__all__ = ["correct", "import_table", "lock", "open_images", "sign"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ALL = click.option("--all", "everything", is_flag=True, help="Every read of yours that is ready for it.")


@click.command("open")
@click.argument("alias")
@trial_option
@signed_in(Role.RADIOLOGIST)
def open_images(desk: Desk, alias: str, trial: str) -> None:
    """Show one of your cases as JSON: the timepoints that are open to you, and your own words; the look is logged."""
    from trialimg.services.reading import open_case

    print_json(open_case(desk.records, desk.actor, trial, alias))


@click.command("import")
@click.argument("reads", type=_FILE)
@click.option("--assessments", type=_FILE, help="What is known of each timepoint beside its lesions.")
@trial_option
@signed_in(Role.RADIOLOGIST)
@json_option
def import_table(desk: Desk, reads: Path, assessments: Path | None, trial: str, as_json: bool) -> None:
    """Keep READS, a table of lesions, as your drafts of many cases; all of it or nothing.

    Its column subject holds the names of your worklist. Where timepoints are shown one after another, each is locked
    before the next is written.
    """
    from trialimg.services.reading_import import ReadTable, import_reads

    beside = ReadTable(given_text(assessments), str(assessments)) if assessments is not None else None
    table = ReadTable(given_text(reads), str(reads))
    imported = import_reads(desk.records, desk.actor, trial, table, assessments=beside)
    if as_json:
        print_json({"trial": trial, "imported": plain(imported)})
        return
    for one in imported:
        locked = f", locked: {', '.join(one.locked)}" if one.locked else ""
        click.echo(f"{one.alias}  draft: {', '.join(one.drafted)}{locked}")


@click.command("lock")
@click.argument("aliases", nargs=-1)
@_ALL
@click.option("--timepoint", help="Lock only this timepoint of one case.")
@trial_option
@signed_in(Role.RADIOLOGIST)
@json_option
def lock(
    desk: Desk, aliases: tuple[str, ...], everything: bool, timepoint: str | None, trial: str, as_json: bool
) -> None:
    """Lock every written timepoint of the cases ALIASES, and the reads as a whole; names all that is missing."""
    from trialimg.services.reading import lock_timepoint

    if timepoint is not None:
        if len(aliases) != 1:
            raise click.UsageError("--timepoint belongs to one case")
        lock_timepoint(desk.records, desk.actor, trial, aliases[0], step=timepoint)
        _tell({"trial": trial, "locked": list(aliases)}, f"{aliases[0]} {timepoint} locked", as_json=as_json)
        return
    answers = []
    for alias in _wanted(desk, trial, aliases, everything=everything, states=("in_progress",)):
        answer = _locked(desk, trial, alias)
        answers.append({"alias": alias, "best_response": answer["compared"]["best_response"]})
    text = "\n".join(f"{one['alias']} locked: {one['best_response']}" for one in answers) or "nothing to lock"
    _tell({"trial": trial, "locked": answers}, text, as_json=as_json)


def _locked(desk: Desk, trial: str, alias: str) -> dict[str, Any]:
    from trialimg.services.reading import lock_read, lock_timepoint, open_steps

    at = (desk.records, desk.actor, trial, alias)
    while steps := open_steps(*at):
        lock_timepoint(*at, step=steps[0])
    answer: dict[str, Any] = lock_read(*at).body["answer"]
    return answer


@click.command("sign")
@click.argument("aliases", nargs=-1)
@_ALL
@trial_option
@signed_in(Role.RADIOLOGIST)
@json_option
def sign(desk: Desk, aliases: tuple[str, ...], everything: bool, trial: str, as_json: bool) -> None:
    """Sign your locked reads of the cases ALIASES; asks for password and code."""
    from trialimg.services.reading import READ_MEANING, sign_read

    signed = []
    for alias in _wanted(desk, trial, aliases, everything=everything, states=("locked",)):
        sign_read(desk.records, desk.actor, desk.proof, trial=trial, alias=alias)
        signed.append(alias)
    text = f"{len(signed)} read(s) signed, meaning: {READ_MEANING}" if signed else "nothing to sign"
    _tell({"trial": trial, "signed": signed, "meaning": READ_MEANING}, text, as_json=as_json)


@click.command("correct")
@click.argument("alias")
@click.option("--reason", required=True, help="Why; it stands in the read.")
@click.option("--ask", is_flag=True, help="Only ask that the read be reopened.")
@trial_option
@signed_in(Role.RADIOLOGIST)
def correct(desk: Desk, alias: str, reason: str, ask: bool, trial: str) -> None:
    """Begin the read that takes the place of one that was reopened; what was locked stays on the record."""
    from trialimg.services.reading import ask_correction, start_correction

    at = (desk.records, desk.actor, trial, alias)
    if ask:
        ask_correction(*at, reason=reason)
        click.echo(f"{alias}: asked for a correction")
    else:
        start_correction(*at, reason=reason)
        click.echo(f"{alias}: a correction was begun")


def _wanted(
    desk: Desk, trial: str, aliases: Sequence[str], *, everything: bool, states: Sequence[str]
) -> tuple[str, ...]:
    from trialimg.services.reading_results import worklist

    if everything is bool(aliases):
        raise click.UsageError("name your cases, or give --all")
    if aliases:
        return tuple(dict.fromkeys(aliases))
    rows = worklist(desk.records, desk.actor, trial)
    return tuple(row["alias"] for row in rows if row["state"] in states)


def _tell(document: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(text)
