"""`trialimg review`: cases come in, are given out, read, signed, settled, corrected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.review_options import CODE, SEAT, columns, given_text, trial_option
from trialimg.cli.review_reading import correct, import_table, lock, open_images, sign
from trialimg.cli.review_settling import adjudicate, discordances
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role

if TYPE_CHECKING:
    from trialimg.services.cases import ReceivedCase

__all__ = ["review"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_REASON = click.option("--reason", required=True, help="Why; the ledger keeps it.")


@click.group("review")
def review() -> None:
    """Blinded central review: receive, assign, read, sign, adjudicate.

    Readers and adjudicators know a case by the name in their worklist alone; those who lead the trial by its code.
    """


@review.command("receive")
@click.argument("cases", type=_FILE, required=False)
@click.option("--from-run", "run", type=_FOLDER, help="Folder of a finished `trialimg run`.")
@trial_option
@signed_in(Role.ANALYST)
@json_option
def receive(desk: Desk, cases: Path | None, run: Path | None, trial: str, as_json: bool) -> None:
    """Take in CASES (case, subject, timepoint, date), or every subject of a run with what was measured there."""
    from trialimg.services.cases import receive_cases

    if (cases is None) is (run is None):
        raise click.UsageError("give either a table of CASES, or --from-run FOLDER")
    left_out: tuple[str, ...] = ()
    received: tuple[ReceivedCase, ...]
    if cases is not None:
        from trialimg.services.reading_receipt import cases_of_table

        received = cases_of_table(given_text(cases), str(cases))
    else:
        received, left_out = _of_run(desk, run or Path(), trial)
    versions = receive_cases(desk.records, desk.actor, trial, received)
    codes = [str(version.body["code"]) for version in versions]
    if as_json:
        print_json({"trial": trial, "received": codes, "without_baseline": left_out})
    else:
        click.echo(f"{len(codes)} case(s) received: {', '.join(codes)}")
        for subject in left_out:
            click.echo(f"not a case: {subject} has no baseline")


@review.command("extend")
@click.argument("visits", type=_FILE)
@trial_option
@signed_in(Role.ANALYST)
def extend(desk: Desk, visits: Path, trial: str) -> None:
    """Give late VISITS (case, subject, timepoint, date) to cases that were received before; what is locked stays so."""
    from trialimg.services.cases import extend_cases
    from trialimg.services.reading_receipt import cases_of_table

    late = {one.code: one.timepoints for one in cases_of_table(given_text(visits), str(visits))}
    extend_cases(desk.records, desk.actor, trial, late=late)
    for code, timepoints in late.items():
        click.echo(f"{code}: {', '.join(visit.id for visit in timepoints)} received later")


def _of_run(desk: Desk, folder: Path, trial: str) -> tuple[tuple[ReceivedCase, ...], tuple[str, ...]]:
    """The cases of a run by the protocol in force."""
    from trialimg.core.errors import ReadingError
    from trialimg.services.finished import open_run
    from trialimg.services.reading_receipt import cases_of_run
    from trialimg.services.trials import protocol_of

    found = cases_of_run(open_run(folder))
    with desk.records.store.reading() as transaction:
        in_force = protocol_of(transaction, trial).body["digest"]
    if (found.trial, found.protocol_digest) != (trial, in_force):
        message = f"it ran {found.trial} by {found.protocol_digest}, in force for {trial} is {in_force}"
        raise ReadingError(f"{folder}: {message}; run it by the protocol in force")
    return found.cases, found.without_baseline


@review.command("assign")
@click.argument("case", required=False)
@click.option("--seat", type=SEAT, help="Of CASE.")
@click.option("--to", "reader", help="Who takes that seat.")
@click.option("--reader", "readers", multiple=True, help="Consider only these readers; may stand several times.")
@click.option("--adjudicator", "adjudicators", multiple=True, help="Consider only these adjudicators.")
@click.option("--revoke", help="Take the seat of CASE away, for this reason.")
@trial_option
@signed_in(Role.ANALYST)
@json_option
def assign(desk: Desk, case: str | None, trial: str, as_json: bool, **asked: Any) -> None:
    """Give out every free seat of the trial, or one seat of CASE.

    Run it again when cases wait for an adjudicator.
    """
    from trialimg.core.reading import Seat
    from trialimg.services import reading_assignment as service

    at = (desk.records, desk.actor, trial)
    if case is None:
        if asked["seat"] or asked["reader"] or asked["revoke"]:
            raise click.UsageError("--seat, --to and --revoke belong to one CASE")
        given = service.assign_trial(*at, readers=asked["readers"], adjudicators=asked["adjudicators"])
    elif asked["seat"] is None or (asked["reader"] is None) is (asked["revoke"] is None):
        raise click.UsageError("for one CASE give --seat and either --to READER or --revoke REASON")
    elif asked["revoke"] is not None:
        given = (service.revoke_assignment(*at, case, seat=Seat(asked["seat"]), reason=asked["revoke"]),)
    else:
        given = (service.assign(*at, case, seat=Seat(asked["seat"]), reader=asked["reader"]),)
    names = ("case", "seat", "repeat", "reader", "alias", "order")
    rows = [{**{name: one.body[name] for name in names}, "state": one.place.state} for one in given]
    if as_json:
        print_json({"trial": trial, "assignments": rows})
    else:
        click.echo(columns(rows, (*names, "state"), "nothing to give out"))


@review.command("worklist")
@trial_option
@click.option("--limit", type=click.IntRange(1), help="Show only so many.")
@signed_in(Role.RADIOLOGIST)
@json_option
def worklist(desk: Desk, trial: str, limit: int | None, as_json: bool) -> None:
    """What you have to read, or to settle with --role adjudicator, in your order."""
    from trialimg.services.reading_results import worklist as service

    rows = service(desk.records, desk.actor, trial, limit=limit)
    if as_json:
        print_json({"trial": trial, "worklist": rows})
    else:
        names = ("order", "alias", "type", "visit", "state", "days_in_state", "due_on")
        click.echo(columns(rows, names, "nothing waits for you"))


@review.command("status")
@trial_option
@signed_in(Role.ANALYST)
@json_option
def status(desk: Desk, trial: str, as_json: bool) -> None:
    """Every case, who reads it under which name, and how far they are."""
    from trialimg.services.reading_results import review_status

    cases = review_status(desk.records, desk.actor, trial)
    if as_json:
        print_json({"trial": trial, "cases": cases})
        return
    rows = [
        {**one, "case": case["case"], "kind": case["kind"], "case state": case["state"]}
        for case in cases
        for one in case["reads"] or [{}]
    ]
    names = ("case", "kind", "case state", "seat", "reader", "alias", "repeat", "state")
    click.echo(columns(rows, names, "no case was received yet"))


@review.command("result")
@click.argument("case", type=CODE, required=False)
@trial_option
@signed_in(Role.ANALYST)
@json_option
def result(desk: Desk, case: str | None, trial: str, as_json: bool) -> None:
    """The answer of a final CASE with everything behind it; of all final cases where none is named."""
    from trialimg.services.reading_results import case_result, final_results

    at = (desk.records, desk.actor, trial)
    found = [case_result(*at, case)] if case is not None else final_results(*at)
    if as_json:
        print_json({"trial": trial, "results": found})
        return
    rows = [
        {
            "case": one["case"],
            "best response": one["answer"]["compared"]["best_response"],
            "progression": one["answer"]["compared"]["progression_date"] or "",
            "conclusion": one["answer"]["compared"]["conclusion"],
            "by": one["by"],
            "read": one["read"]["id"],
        }
        for one in found
    ]
    click.echo(columns(rows, ("case", "best response", "progression", "conclusion", "by", "read"), "no case is final"))


@review.command("reopen")
@click.argument("case", type=CODE)
@click.option("--seat", type=SEAT, required=True, help="Whose read.")
@click.option("--timepoint", required=True, help="The first one that may be corrected.")
@_REASON
@trial_option
@signed_in(Role.ANALYST)
def reopen(desk: Desk, case: str, seat: str, timepoint: str, reason: str, trial: str) -> None:
    """Sign a request that lets the reader of CASE correct what was locked."""
    from trialimg.core.reading import Seat
    from trialimg.services.reading_reopening import Reopening
    from trialimg.services.reading_reopening import reopen as service

    asked = Reopening(case, Seat(seat), timepoint, reason)
    service(desk.records, desk.actor, desk.proof, trial, asked=asked)
    click.echo(f"{case}: the {seat} read is reopened from {timepoint} on")


@review.command("amend")
@trial_option
@signed_in(Role.ANALYST)
def amend(desk: Desk, trial: str) -> None:
    """Bring the cases under the protocol in force, as it says, and sign for it."""
    from trialimg.services.reading_reopening import apply_amendment

    changed = apply_amendment(desk.records, desk.actor, desk.proof, trial)
    click.echo(f"{len(changed)} case(s) come under the protocol in force")


@review.command("withdraw")
@click.argument("subject")
@_REASON
@trial_option
@signed_in(Role.ANALYST)
def withdraw(desk: Desk, subject: str, reason: str, trial: str) -> None:
    """Stop every use of a SUBJECT who withdrew consent; the trail stays."""
    from trialimg.services.cases import withdraw_consent

    stopped = withdraw_consent(desk.records, desk.actor, trial, subject, reason=reason)
    click.echo(f"{len(stopped)} case(s) of {subject} are used no more")


for verb in (open_images, import_table, lock, sign, correct, adjudicate, discordances):
    review.add_command(verb)
