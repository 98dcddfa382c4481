"""`trialimg analyse radiomics`: features of a finished run, or of a table, against survival or response."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.analyse_output import CONFIDENCE, give_document, names
from trialimg.cli.output import json_option

if TYPE_CHECKING:
    from trialimg.services.radiomics_table import FeatureTable

__all__ = ["radiomics"]


@click.command("radiomics")
@click.argument("data", type=click.Path(path_type=Path), metavar="RUN_DIR|CSV")
@click.option("--outcome", type=click.Choice(["pfs", "response"]), default="pfs", show_default=True)
@click.option("--timepoint", default="", help="Visit of the values; default: the first.")
@click.option("--change", is_flag=True, help="Change from baseline in percent, instead of the value.")
@click.option(
    "--pick", type=click.Choice(["largest", "mean"]), default="largest", show_default=True,
    help="What stands for a subject with several targets.",
)  # fmt: skip
@click.option("--organ", default="", metavar="A,B", help="Only lesions of these organs.")
@click.option("--class", "families", default="", metavar="A,B", help="Only features of these classes, e.g. shape,glcm.")
@click.option("--image", "images", default="", metavar="A,B", help="Only of these images or filters, e.g. original.")
@click.option("--time", default="", metavar="COLUMN", help="Of a CSV: time to the event or to censoring.")
@click.option("--event", default="", metavar="COLUMN", help="Of a CSV: 1 event, 0 none.")
@click.option("--group", default="", metavar="COLUMN", help="Of a CSV: 1 with the outcome, 0 without.")
@click.option("--most", type=click.IntRange(1), help="Print only so many features; q counts all.")
@CONFIDENCE
@json_option
def radiomics(
    data: Path,
    outcome: str,
    timepoint: str,
    change: bool,
    pick: str,
    organ: str,
    families: str,
    images: str,
    time: str,
    event: str,
    group: str,
    most: int | None,
    confidence: float,
    as_json: bool,
) -> None:
    """Each feature against an outcome, one at a time: effect with limits, p, and q over all of them.

    RUN_DIR: what `trialimg run` wrote, with progression-free survival and response of its endpoints. CSV: one row for
    each lesion and visit with the columns subject, timepoint, lesion (and day, role, organ, diameter_mm), those of the
    outcome, and features; the first timepoint is baseline.
    """
    from trialimg.services.analyse_radiomics import Outcome, Pick, Question, associated, stability
    from trialimg.services.radiomics_table import OutcomeColumns

    columns = OutcomeColumns(time, event, group)
    if not data.is_dir():
        needed = ("--time and --event", time and event) if outcome == "pfs" else ("--group", group)
        if not needed[1]:
            raise click.UsageError(f"a table needs {needed[0]} for --outcome {outcome}")
    table = _table(data, columns).narrowed(organs=names(organ), families=names(families), images=names(images))
    asked = Question(Outcome(outcome), timepoint, change, Pick(pick), confidence)
    found, held = associated(table, asked), stability(table)
    by_feature = {one.feature: one.icc for one in held.features}
    document: dict[str, Any] = {
        "outcome": outcome,
        "timepoint": timepoint or table.timepoints[0],
        "value": "change_pct" if change else "value",
        "subjects": found.subjects,
        "events": found.events,
        "estimate": "hazard ratio of one standard deviation" if outcome == "pfs" else "area under the ROC curve",
        "confidence": confidence,
        "stability": held.why_not or f"ICC(2,1) of {held.pairs} lesions whose diameter held still",
        "data_digest": table.digest,
        "features": [_row(one, by_feature.get(one.feature)) for one in found.effects[:most]],
        "warnings": list(found.warnings),
    }
    give_document(document, "radiomics", as_json=as_json)


def _table(data: Path, columns: Any) -> FeatureTable:
    from trialimg.cli.respond_output import read_text
    from trialimg.services.finished import open_run
    from trialimg.services.radiomics_table import of_run, of_table

    return of_run(open_run(data)) if data.is_dir() else of_table(read_text(data), str(data), columns)


def _row(one: Any, icc: float | None) -> dict[str, Any]:
    from dataclasses import asdict

    return {**{name: value for name, value in asdict(one).items() if name != "effect"}, "icc": icc}
