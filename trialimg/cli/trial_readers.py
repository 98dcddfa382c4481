"""`trialimg trial readers | retrain | qualify`: how readers do, and what follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role

if TYPE_CHECKING:
    from trialimg.services.reader_performance import ReaderReport
    from trialimg.stats.results import Estimate

__all__ = ["qualify", "readers", "retrain"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOUND = 1
_LARGEST_BYTES = 1 << 20


@click.command("readers")
@click.argument("trial")
@signed_in(Role.ANALYST)
@json_option
def readers(desk: Desk, trial: str, as_json: bool) -> None:
    """Print how the readers of TRIAL do: rates, agreement, repeatability, drift, pairs."""
    from trialimg.services.reader_performance import reader_report

    found = reader_report(desk.records, desk.actor, trial)
    if as_json:
        print_json(_plain(found))
    else:
        _print_report(found)


@click.command("retrain")
@click.argument("trial")
@click.option("--close", "task", metavar="TASK", help="End this task instead of looking for new ones.")
@click.option("--what", default="", help="With --close: what the training was.")
@signed_in(Role.ANALYST)
@click.pass_context
def retrain(context: click.Context, desk: Desk, trial: str, task: str | None, what: str) -> None:
    """Open a task for every reader of TRIAL beyond one of its limits; exit code 1 if there is one."""
    from trialimg.services.reader_training import close_retraining, open_retraining

    if task is not None:
        click.echo(f"{close_retraining(desk.records, desk.actor, task, what=what).id}: done")
        return
    opened = open_retraining(desk.records, desk.actor, trial)
    for one in opened:
        crossed = "; ".join(f"{limit} {found} (allowed {allowed})" for limit, allowed, found in one.body["crossed"])
        click.echo(f"{one.id}: {crossed}")
    if opened:
        context.exit(_FOUND)
    click.echo("no reader is beyond a limit, or their tasks are open already")


@click.command("qualify")
@click.argument("trial")
@click.argument("reader")
@click.argument("known", metavar="SET", type=_FILE)
@click.argument("given", metavar="ANSWERS", type=_FILE)
@signed_in(Role.ANALYST)
@json_option
@click.pass_context
def qualify(
    context: click.Context, desk: Desk, trial: str, reader: str, known: Path, given: Path, as_json: bool
) -> None:
    """Compare a READER's ANSWERS (JSON, by case) with the experts' of a SET; exit code 1 if the pass mark is missed.

    SET is {"name", "version", "answers": {CASE: {QUESTION: ANSWER}}}; ANSWERS is {CASE: {QUESTION: ANSWER}}.
    """
    from trialimg.review.qualification import QualificationSet
    from trialimg.services.reader_training import Attempt
    from trialimg.services.reader_training import qualify as examine

    asked = _json(known)
    if set(asked) != {"name", "version", "answers"}:
        raise click.UsageError(f"{known}: a set has name, version and answers, and nothing else")
    expert = QualificationSet(str(asked["name"]), str(asked["version"]), _answers(asked["answers"], known))
    kept, result = examine(desk.records, desk.actor, Attempt(trial, reader, expert, _answers(_json(given), given)))
    if as_json:
        print_json({"id": kept.id, "state": kept.place.state, "asked": result.asked, "right": result.right})
    else:
        click.echo(f"{reader}: {result.right} of {result.asked} right, {kept.place.state}")
    if not result.passed:
        context.exit(_FOUND)


def _json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST_BYTES:
        raise click.UsageError(f"{path}: larger than {_LARGEST_BYTES} bytes")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as wrong:
        raise click.UsageError(f"{path}: not JSON: {wrong}") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"{path}: not a JSON object")
    return value


def _answers(value: object, path: Path) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict) or not all(
        isinstance(said, dict) and all(isinstance(word, str) for word in said.values()) for said in value.values()
    ):
        raise click.UsageError(f"{path}: answers are text, by question, by case")
    return value


def _plain(report: ReaderReport) -> dict[str, Any]:
    """As JSON; a pair of readers is named ``A/B``."""
    from trialimg.core.digest import plain

    said: dict[str, Any] = plain(report)
    return said


def _print_report(report: ReaderReport) -> None:
    from rich.console import Console
    from rich.table import Table

    rates = f"adjudicated: {_share(report.adjudication_rate)}"
    variables = ", ".join(f"{name} {_share(found)}" for name, found in report.by_variable.items())
    table = Table(title=f"{report.trial}: {report.cases} double reads")
    for name in ("Reader", "Cases", "Adjudicated", "Chosen", "Disagreement index", "Repeats agree", "Limits crossed"):
        table.add_column(name)
    for one in report.readers:
        crossed = ", ".join(limit.limit for limit in one.crossed) or "-"
        shares = (one.adjudication_rate, one.endorsement_rate, one.disagreement_index, one.repeat_agreement)
        table.add_row(one.reader, str(one.counts.cases), *(_share(share) for share in shares), crossed)
    console = Console()
    console.print(table)
    console.print(rates + (f" ({variables})" if variables else ""), highlight=False)
    agreement = (
        ("kappa of best response", report.kappa),
        ("ICC of baseline sum", report.icc_baseline_sum),
        ("ICC of best change", report.icc_best_change),
    )
    for name, found in agreement:
        console.print(f"{name}: {_value(found)}", highlight=False)


def _share(found: Estimate) -> str:
    if found.value is None or found.lower is None or found.upper is None:
        return "-"
    return f"{found.events}/{found.n} = {100 * found.value:.1f} % ({100 * found.lower:.1f} to {100 * found.upper:.1f})"


def _value(found: Estimate | None) -> str:
    if found is None or found.value is None or found.lower is None or found.upper is None:
        return "cannot be estimated" + (f" ({found.warnings[0]})" if found and found.warnings else "")
    return f"{found.value:.3f} ({100 * found.confidence:g} % CI {found.lower:.3f} to {found.upper:.3f})"
