"""The verbs by which two reads that differ are settled."""

from __future__ import annotations

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.review_options import columns, trial_option
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role
from trialimg.core.reading import VerdictReason

__all__ = ["adjudicate", "discordances"]

_CODES = click.Choice([reason.value for reason in VerdictReason])


@click.command("adjudicate")
@click.argument("alias")
@click.option("--choose", "letter", type=click.Choice(["A", "B"]), help="The read that counts.")
@click.option("--code", type=_CODES, help="Why, as a word that can be counted.")
@click.option("--because", "text", help="Why, in your words.")
@trial_option
@signed_in(Role.ADJUDICATOR)
@json_option
def adjudicate(
    desk: Desk, alias: str, letter: str | None, code: str | None, text: str | None, trial: str, as_json: bool
) -> None:
    """Show both reads of a case as A and B, or choose one of them, with a reason, and sign.

    In a consensus both readers do so, each with --role radiologist.
    """
    from trialimg.core.reading import Because
    from trialimg.services.adjudication import VERDICT_MEANING, Choice, adjudication_view
    from trialimg.services.adjudication import adjudicate as service

    if letter is None:
        if code is not None or text is not None:
            raise click.UsageError("a reason belongs to a choice: give --choose A or --choose B too")
        print_json(adjudication_view(desk.records, desk.actor, trial, alias))
        return
    if code is None or not (text or "").strip():
        raise click.UsageError("a choice needs its reason: --code and --because")
    choice = Choice(alias, letter, Because(VerdictReason(code), text or ""))
    service(desk.records, desk.actor, desk.proof, trial, choice=choice)
    if as_json:
        print_json({"trial": trial, "alias": alias, "chosen": letter, "meaning": VERDICT_MEANING})
    else:
        click.echo(f"{alias}: {letter} chosen and signed, meaning: {VERDICT_MEANING}")


@click.command("discordances")
@click.argument("case")
@trial_option
@signed_in(Role.ANALYST)
@json_option
def discordances(desk: Desk, case: str, trial: str, as_json: bool) -> None:
    """In what the two signed reads of CASE differ, by the rules of the protocol."""
    from trialimg.services.adjudication import discordances as service

    found = service(desk.records, desk.actor, trial, case)
    if as_json:
        print_json({"trial": trial, "case": case, "discordances": found})
    else:
        rows = [{**one, "comparison": one["rule"]["sentence"]} for one in found]
        click.echo(columns(rows, ("variable", "first", "second", "comparison"), "the reads agree"))
