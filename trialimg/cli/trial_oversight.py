"""`trialimg trial audit | audit-review | incident`: the trail is read, reviewed, and what went wrong is logged."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Action, Role

if TYPE_CHECKING:
    from trialimg.services.audit import AuditLine

__all__ = ["audit", "audit_review", "incident"]


@click.command("audit")
@click.argument("trial")
@click.option("--subject", default="", help="Blinded code of a subject.")
@click.option("--user", "who", default="", help="Who did it.")
@click.option("--action", default="", help="What was done, e.g. sign_read.")
@click.option("--since", default="", help="First moment, ISO 8601 in UTC.")
@click.option("--until", default="", help="Moment before which.")
@click.option("--limit", type=click.IntRange(1), help="Most lines.")
@signed_in(Role.INSPECTOR)
@json_option
def audit(
    desk: Desk,
    trial: str,
    subject: str,
    who: str,
    action: str,
    since: str,
    until: str,
    limit: int | None,
    as_json: bool,
) -> None:
    """Print the lines of TRIAL's audit trail that answer the options."""
    from trialimg.services.audit import AuditFilter, browse

    asked = AuditFilter(trial, subject, who, action, since, until, limit=limit)
    _print_lines(browse(desk.records, desk.actor, asked), as_json)


@click.group("audit-review")
def audit_review() -> None:
    """Review the audit trail regularly: a sample by the protocol's plan, looked at and signed."""


@audit_review.command("list")
@click.argument("trial")
@signed_in(Role.ANALYST)
@json_option
def list_periods(desk: Desk, trial: str, as_json: bool) -> None:
    """Print every period of TRIAL and how far its review is."""
    from trialimg.services.audit_review import periods

    with desk.records.look(desk.actor, Action.VIEW_AUDIT, trial=trial) as transaction:
        found = periods(transaction, trial, desk.records.now())
    if as_json:
        print_json([{"first": one.first, "after": one.after, "state": one.state} for one in found])
        return
    for one in found:
        click.echo(f"{one.first}  to before {one.after}  {one.state}")


@audit_review.command("open")
@click.argument("trial")
@click.argument("first", type=click.DateTime(["%Y-%m-%d"]))
@signed_in(Role.ANALYST)
@json_option
def open_period(desk: Desk, trial: str, first: dt.datetime, as_json: bool) -> None:
    """Draw the sample of TRIAL's period that begins on FIRST, and print it."""
    from trialimg.services.audit_review import open_review, sampled_lines

    task = open_review(desk.records, desk.actor, trial, first.date())
    _print_lines(sampled_lines(desk.records, desk.actor, task.id), as_json)


@audit_review.command("sign")
@click.argument("review", metavar="TRIAL/FIRST")
@click.option("--conclusion", required=True, help="What the sample showed.")
@click.option("--finding", "findings", type=(int, str), multiple=True, metavar="ENTRY TEXT", help="What is wrong.")
@signed_in(Role.ANALYST)
def sign_period(desk: Desk, review: str, conclusion: str, findings: tuple[tuple[int, str], ...]) -> None:
    """Sign that the sample of a review was looked at."""
    from trialimg.services.audit_review import ReviewFindings, sign_review

    seen = ReviewFindings(conclusion, dict(findings))
    kept = sign_review(desk.records, desk.actor, desk.proof, review, seen=seen)
    click.echo(f"{kept.id}: {len(kept.body['sample'])} entries reviewed, {len(findings)} finding(s)")


@click.group("incident")
def incident() -> None:
    """Keep the support and incident log."""


@incident.command("report")
@click.argument("kind", type=click.Choice(["support", "incident", "breach", "restore_test"]))
@click.argument("what")
@click.option("--trial", default="", help="Trial that it concerns; none: the installation.")
@click.option("--critical", is_flag=True, help="Data, blinding or a subject may be touched.")
@signed_in(Role.ANALYST)
def report(desk: Desk, kind: str, what: str, trial: str, critical: bool) -> None:
    """Open a line of the log: WHAT happened."""
    from trialimg.services.trials_incidents import Report, ReportKind, report_incident

    kept = report_incident(desk.records, desk.actor, Report(ReportKind(kind), what, critical, trial))
    click.echo(f"{kept.id}: open")


@incident.command("close")
@click.argument("line", metavar="TRIAL/NUMBER")
@click.option("--answer", required=True, help="What was done.")
@click.option("--cause", default="", help="Root cause; needed for a critical incident.")
@click.option("--measure", default="", help="What keeps it from happening again; needed for a critical incident.")
@signed_in(Role.ANALYST)
def close(desk: Desk, line: str, answer: str, cause: str, measure: str) -> None:
    """End a line of the log; `_/NUMBER` is one of the installation."""
    from trialimg.services.trials_incidents import Closure, close_incident

    kept = close_incident(desk.records, desk.actor, line, Closure(answer, cause, measure))
    click.echo(f"{kept.id}: closed")


def _print_lines(lines: tuple[AuditLine, ...], as_json: bool) -> None:
    if as_json:
        print_json([_plain(line) for line in lines])
        return
    for line in lines:
        click.echo(f"{line.entry.sequence:>7}  {line.sentence}")


def _plain(line: AuditLine) -> dict[str, Any]:
    entry = line.entry
    return {
        "sequence": entry.sequence,
        "at": entry.at,
        "who": entry.who,
        "role": entry.role,
        "action": entry.action,
        "object": f"{entry.object_kind} {entry.object_id}",
        "version": entry.object_version,
        "case": line.case,
        "reason": line.reason,
        "redacted": line.redacted,
        "changed": line.changed,
        "hash": entry.hash,
    }
