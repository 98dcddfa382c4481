"""`trialimg query`: questions to sites are opened, answered, closed and listed by age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role

if TYPE_CHECKING:
    from trialimg.services.records import RecordVersion

__all__ = ["query"]

_NAMED = click.argument("name", metavar="TRIAL/NUMBER")
_REASON = click.option("--reason", required=True, help="Why; it stands in the thread and the ledger.")


@click.group("query")
def query() -> None:
    """Ask sites about their data; a query never holds a case back from being read."""


@dataclass(frozen=True)
class _About:
    """What a query is about."""

    subject: str
    case: str
    timepoint: str
    series: str


@query.command("open")
@click.argument("trial")
@click.argument("text")
@click.option("--site", required=True, help="Code of the site.")
@click.option("--code", required=True, help="Short word for the matter, e.g. slice_thickness.")
@gathered(
    "about", _About,
    click.option("--subject", default="", help="Blinded code of the subject."),
    click.option("--case", default="", help="Code of the case, where there is one."),
    click.option("--visit", "timepoint", default="", help="Name of the visit."),
    click.option("--series", default="", help="Series Instance UID."),
)  # fmt: skip
@signed_in(Role.ANALYST)
def open_(desk: Desk, trial: str, text: str, site: str, code: str, about: _About) -> None:
    """Ask a site of TRIAL something: TEXT, without anything that tells who the subject is."""
    from trialimg.services.queries import Question, open_query

    question = Question(site, code, text, about.subject, about.case, about.timepoint, about.series)
    _tell(open_query(desk.records, desk.actor, trial, question))


@query.command("answer")
@_NAMED
@click.argument("text")
@click.option("--source", default="", help="How the site's answer came; needed unless the site itself writes.")
@signed_in(Role.ANALYST)
def answer(desk: Desk, name: str, text: str, source: str) -> None:
    """Keep what the site said to a query."""
    from trialimg.services.queries import Answer, answer_query

    _tell(answer_query(desk.records, desk.actor, name, Answer(text, source)))


@query.command("close")
@_NAMED
@_REASON
@signed_in(Role.ANALYST)
def close(desk: Desk, name: str, reason: str) -> None:
    """End a query that is settled."""
    from trialimg.services.queries import close_query

    _tell(close_query(desk.records, desk.actor, name, reason=reason))


@query.command("cancel")
@_NAMED
@_REASON
@signed_in(Role.ANALYST)
def cancel(desk: Desk, name: str, reason: str) -> None:
    """Take back a query that should not have been asked."""
    from trialimg.services.queries import cancel_query

    _tell(cancel_query(desk.records, desk.actor, name, reason=reason))


@query.command("reopen")
@_NAMED
@_REASON
@signed_in(Role.ANALYST)
def reopen(desk: Desk, name: str, reason: str) -> None:
    """Ask again: the answer does not do."""
    from trialimg.services.queries import reopen_query

    _tell(reopen_query(desk.records, desk.actor, name, reason=reason))


@query.command("list")
@click.argument("trial")
@click.option("--all", "is_all", is_flag=True, help="Also those that have ended.")
@signed_in(Role.ANALYST)
@json_option
def list_(desk: Desk, trial: str, is_all: bool, as_json: bool) -> None:
    """Print the queries of TRIAL that wait, and how many by age in days."""
    from trialimg.services.queries_seen import ageing, queries_of

    lines = queries_of(desk.records, desk.actor, trial)
    shown = [line for line in lines if is_all or line.is_waiting]
    if as_json:
        print_json({"trial": trial, "ageing_days": ageing(lines), "queries": shown})
        return
    for line in shown:
        about = " ".join(word for word in (line.subject, line.timepoint) if word) or "-"
        click.echo(f"{line.id}  site {line.site}  {line.state:<9} {line.days:>4} d  {line.code}  {about}: {line.text}")
    click.echo(f"waiting, by days: {', '.join(f'{band}: {count}' for band, count in ageing(lines).items())}")


def _tell(kept: RecordVersion) -> None:
    click.echo(f"{kept.id}: {kept.place.state}")
