"""`trialimg analyse radiomics`: features of a finished run, or of a table, against survival or response."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.analyse_output import CONFIDENCE, give_document, names
from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option

if TYPE_CHECKING:
    from trialimg.services.analyse_radiomics import FeatureStability, Question, Stability
    from trialimg.services.radiomics_table import FeatureTable

__all__ = ["radiomics"]


@dataclass(frozen=True)
class _Asked:
    """What is asked of the features."""

    outcome: str
    timepoint: str
    change: bool
    pick: str
    confidence: float

    @property
    def question(self) -> Question:
        from trialimg.services.analyse_radiomics import Outcome, Pick, Question

        return Question(Outcome(self.outcome), self.timepoint, self.change, Pick(self.pick), self.confidence)


@dataclass(frozen=True)
class _Only:
    """Which of the features are looked at."""

    organ: str
    families: str
    images: str

    def of(self, table: FeatureTable) -> FeatureTable:
        return table.narrowed(organs=names(self.organ), families=names(self.families), images=names(self.images))


@dataclass(frozen=True)
class _Columns:
    """Where a table keeps the outcome."""

    time: str
    event: str
    group: str
    batch: str

    def require(self, outcome: str) -> None:
        """Refuse a table without the columns that an outcome needs."""
        if outcome == "pfs" and not (self.time and self.event):
            raise click.UsageError("a table needs --time and --event for --outcome pfs")
        if outcome == "response" and not self.group:
            raise click.UsageError("a table needs --group for --outcome response")


@click.command("radiomics")
@click.argument("data", type=click.Path(path_type=Path), metavar="RUN_DIR|CSV")
@gathered(
    "asked", _Asked,
    click.option("--outcome", type=click.Choice(["pfs", "response"]), default="pfs", show_default=True),
    click.option("--timepoint", default="", help="Visit of the values; default: the first."),
    click.option("--change", is_flag=True, help="Change from baseline in percent, instead of the value."),
    click.option(
        "--pick", type=click.Choice(["largest", "mean"]), default="largest", show_default=True,
        help="What stands for a subject with several targets.",
    ),
    CONFIDENCE,
)  # fmt: skip
@gathered(
    "only", _Only,
    click.option("--organ", default="", metavar="A,B", help="Only lesions of these organs."),
    click.option("--class", "families", default="", metavar="A,B", help="Only features of these, e.g. shape,glcm."),
    click.option("--image", "images", default="", metavar="A,B", help="Only of these images or filters: original, ..."),
)  # fmt: skip
@gathered(
    "columns", _Columns,
    click.option("--time", default="", metavar="COLUMN", help="Of a CSV: time to the event or to censoring."),
    click.option("--event", default="", metavar="COLUMN", help="Of a CSV: 1 event, 0 none."),
    click.option("--group", default="", metavar="COLUMN", help="Of a CSV: 1 with the outcome, 0 without."),
    click.option(
        "--harmonise", "batch", default="", metavar="site|COLUMN",
        help="Take away what sites (of a run) or the batches of a column (of a CSV) shift and stretch, by ComBat.",
    ),
)  # fmt: skip
@click.option("--most", type=click.IntRange(1), help="Print only so many features; q counts all.")
@json_option
def radiomics(data: Path, asked: _Asked, only: _Only, columns: _Columns, most: int | None, as_json: bool) -> None:
    """Each feature against an outcome, one at a time: effect with limits, p, and q over all of them.

    RUN_DIR: what `trialimg run` wrote, with progression-free survival and response of its endpoints. CSV: one row for
    each lesion and visit with the columns subject, timepoint, lesion (and day, role, organ, diameter_mm), those of the
    outcome, and features; the first timepoint is baseline.
    """
    from dataclasses import asdict

    from trialimg.services.analyse_radiomics import associated, stability

    if not data.is_dir():
        columns.require(asked.outcome)
    table = only.of(_harmonised(_table(data, columns), columns.batch))
    found, held = associated(table, asked.question), stability(table)
    moved = _moved(data, table)
    by_feature = {one.feature: one.icc for one in held.features}
    by_moved = {one.feature: one for one in moved.features} if moved is not None else {}
    document: dict[str, Any] = {
        "outcome": asked.outcome,
        "timepoint": asked.timepoint or table.timepoints[0],
        "value": "change_pct" if asked.change else "value",
        "subjects": found.subjects,
        "events": found.events,
        "estimate": "hazard ratio of one standard deviation" if asked.outcome == "pfs" else "area under the ROC curve",
        "confidence": asked.confidence,
        "stability": held.why_not or f"ICC(2,1) of {held.pairs} lesions whose diameter held still",
        "robustness": _said_of(moved),
        "data_digest": table.digest,
        "harmonised": asdict(table.harmonised) if table.harmonised is not None else None,
        "features": [_row(one, by_feature.get(one.feature), by_moved.get(one.feature)) for one in found.effects[:most]],
        "warnings": list(found.warnings),
    }
    give_document(document, "radiomics", as_json=as_json)


def _table(data: Path, columns: _Columns) -> FeatureTable:
    from trialimg.cli.respond_output import read_text
    from trialimg.services.finished import open_run
    from trialimg.services.radiomics_table import OutcomeColumns, of_run, of_table

    if not data.is_dir():
        named = OutcomeColumns(columns.time, columns.event, columns.group, columns.batch)
        return of_table(read_text(data), str(data), named)
    if columns.batch not in ("", "site"):
        raise click.UsageError("a run is harmonised over its sites: --harmonise site")
    return of_run(open_run(data))


def _harmonised(table: FeatureTable, by: str) -> FeatureTable:
    from trialimg.services.radiomics_harmonised import harmonised

    return harmonised(table, by=by) if by else table


def _moved(data: Path, table: FeatureTable) -> Stability | None:
    """How far features hold still under perturbation; None where the run has no perturbed features."""
    from trialimg.services.finished import open_run
    from trialimg.services.radiomics_perturbed import perturbed_lesions, robustness

    found = perturbed_lesions(open_run(data)) if data.is_dir() else None
    return None if found is None else robustness(found[0], table.features)


def _said_of(moved: Stability | None) -> str:
    if moved is None:
        return "not_measured"
    return moved.why_not or f"ICC(1,1) of {moved.pairs} lesions under perturbation"


def _row(one: Any, icc: float | None, moved: FeatureStability | None) -> dict[str, Any]:
    from dataclasses import asdict

    odds = {f"odds_ratio_{name}": value for name, value in asdict(one.odds).items()} if one.odds is not None else {}
    found = {name: value for name, value in asdict(one).items() if name not in ("effect", "odds")}
    return {
        **found,
        **{name.removesuffix("_value"): value for name, value in odds.items()},
        "icc": icc,
        **_icc_of(moved),
    }


def _icc_of(moved: FeatureStability | None) -> dict[str, float | None]:
    """Under perturbation; empty where it was not measured."""
    return {} if moved is None else {"icc_perturbed": moved.icc, "icc_perturbed_lower": moved.lower}
