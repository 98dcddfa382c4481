"""`trialimg figure kaplan-meier|forest|bland-altman|adjudication-flow|volcano`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from trialimg.cli.analyse_output import CONFIDENCE, DATA, MISSING, OPTIONAL_DATA, STRATA, analysed, levels, names
from trialimg.cli.figure_output import CUT, FIGURE, SOURCE, Output, imprint
from trialimg.cli.gathered import gathered
from trialimg.cli.reviewed import EITHER, REVIEWED, Reviewed

__all__ = ["adjudication_flow", "bland_altman", "forest", "kaplan_meier", "volcano"]


@dataclass(frozen=True)
class _Survival:
    """Where a table keeps times and events."""

    time: str
    event: str
    by: str
    strata: str
    unit: str
    free: str


@dataclass(frozen=True)
class _Limits:
    """How intervals are made, and what becomes of rows with a missing cell."""

    limits: str
    confidence: float
    missing: str


@click.command("kaplan-meier")
@SOURCE
@gathered(
    "table", _Survival,
    click.option("--time", default="", metavar="COLUMN", help="Of a table: time to the event or to censoring."),
    click.option("--event", default="", metavar="COLUMN", help="Of a table: 1 event, 0 censored."),
    click.option("--by", default="", metavar="COLUMN", help="Of a table: groups to compare."),
    STRATA,
    click.option(
        "--unit", type=click.Choice(["days", "weeks", "months", "years"]), default="days", show_default=True,
        help="Unit of the times in a table; days are shown as months.",
    ),
    click.option("--free", default="Without event", show_default=True, help="Of a table: name of the y axis."),
)  # fmt: skip
@gathered(
    "wanted", _Limits,
    click.option("--limits", default="log-log", show_default=True, help="log-log, log, plain, logit or arcsin."),
    CONFIDENCE, MISSING,
)  # fmt: skip
@CUT
@FIGURE
def kaplan_meier(source: Path, table: _Survival, wanted: _Limits, data_cut: str, output: Output) -> None:
    """Survival by group with numbers at risk; with strata a panel each and the stratified log-rank test."""
    if not table.time and not table.event:
        from trialimg.bootstrap.figures import read_courses
        from trialimg.services.figures.kaplan_meier import survival_of_trial

        output.give_figure(survival_of_trial(read_courses(source)))
        return
    if not table.time or not table.event:
        raise click.UsageError("--time and --event go together")
    from trialimg.services.analyse_survival import TimeColumns
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.kaplan_meier import CLOCKS, Endpoint
    from trialimg.services.figures.survival_of_table import Limits, survival_of_table

    strata = names(table.strata)
    words = dict.fromkeys([*([table.by] if table.by else []), *strata], Kind.WORD)
    data = analysed(source, {table.time: Kind.TIME, table.event: Kind.EVENT, **words}, wanted.missing)
    columns = TimeColumns(table.time, table.event, table.by or None, tuple(levels(data, table.by)) if table.by else ())
    endpoint = Endpoint(output.title or "Survival", table.free, CLOCKS[table.unit], "")
    limits = Limits(wanted.limits, wanted.confidence)
    imprinted = imprint(source, data_cut)
    output.give_figure(survival_of_table(data, columns, strata, endpoint, limits=limits, imprint=imprinted))


@dataclass(frozen=True)
class _Arms:
    """Where a table keeps two arms, what happened in them, and the subgroups."""

    event: str
    by: str
    subgroups: str
    time: str
    reference: str

    def compared(self, there: list[str]) -> tuple[str, str]:
        """The reference arm and the other."""
        if len(there) != 2 or (self.reference and self.reference not in there):
            told = f"--by {self.by} needs two arms, and --reference one of them; there are {', '.join(there)}"
            raise click.UsageError(told)
        first = self.reference or there[0]
        return first, next(arm for arm in there if arm != first)


@dataclass(frozen=True)
class _Rates:
    """How rates are compared, and what becomes of rows with a missing cell."""

    method: str
    confidence: float
    missing: str


@click.command("forest")
@DATA
@gathered(
    "arms", _Arms,
    click.option("--event", required=True, metavar="COLUMN", help="1: event, 0: none."),
    click.option("--by", required=True, metavar="COLUMN", help="The two arms."),
    click.option("--subgroups", required=True, metavar="A,B", help="Columns whose levels are the subgroups."),
    click.option("--time", default="", metavar="COLUMN", help="For hazard ratios; without it, rates are compared."),
    click.option("--reference", default="", metavar="ARM", help="Arm that the other is compared with; else the first."),
)  # fmt: skip
@gathered(
    "wanted", _Rates,
    click.option(
        "--method", default="miettinen-nurminen", show_default=True, help="Limits of a difference of rates."
    ),
    CONFIDENCE, MISSING,
)  # fmt: skip
@CUT
@FIGURE
def forest(data: Path, arms: _Arms, wanted: _Rates, data_cut: str, output: Output) -> None:
    """Hazard ratio, or difference of rates, of two arms in everyone and in each subgroup."""
    from trialimg.services.analyse_subgroups import Compared, hazard_subgroups, rate_subgroups
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.forest_of_subgroups import forest_of_subgroups

    words = dict.fromkeys([arms.by, *names(arms.subgroups)], Kind.WORD)
    times = {arms.time: Kind.TIME} if arms.time else {}
    chosen = analysed(data, {arms.event: Kind.EVENT, **words, **times}, wanted.missing)
    two = arms.compared(levels(chosen, arms.by))
    columns = Compared(arms.event, arms.by, two, tuple(names(arms.subgroups)), arms.time)
    if arms.time:
        document = hazard_subgroups(chosen, columns, confidence=wanted.confidence)
    else:
        method = wanted.method.replace("-", "_")
        document = rate_subgroups(chosen, columns, method=method, confidence=wanted.confidence)
    output.give_figure(forest_of_subgroups(document, columns, imprint=imprint(data, data_cut)))


@dataclass(frozen=True)
class _Measured:
    """Two columns of measurements, and how they are compared."""

    readers: str
    ratio: bool
    unit: str
    confidence: float
    missing: str


@click.command("bland-altman")
@DATA
@gathered(
    "measured", _Measured,
    click.option("--readers", required=True, metavar="A,B", help="Two columns of measurements."),
    click.option("--ratio", is_flag=True, help="Compare by ratio (on logarithms) in place of difference."),
    click.option("--unit", default="", help="Unit of the measurements, for the axes."),
    CONFIDENCE, MISSING,
)  # fmt: skip
@CUT
@FIGURE
def bland_altman(data: Path, measured: _Measured, data_cut: str, output: Output) -> None:
    """Two measurements of the same things against their mean, with limits of agreement."""
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.bland_altman import Pairs, agreement_limits, bland_altman_figure

    both = names(measured.readers)
    if len(both) != 2:
        raise click.UsageError(f"--readers {measured.readers!r} does not name two columns")
    chosen = analysed(data, dict.fromkeys(both, Kind.NUMBER), measured.missing)
    first, second = (tuple(chosen.columns[name]) for name in both)
    pairs = Pairs(first, second, both[0], both[1], measured.unit, measured.ratio)
    limits = agreement_limits(pairs, confidence=measured.confidence)
    output.give_figure(bland_altman_figure(pairs, limits, imprint=imprint(data, data_cut)))


@click.command("adjudication-flow")
@OPTIONAL_DATA
@REVIEWED
@CUT
@FIGURE
def adjudication_flow(data: Path | None, reviewed: Reviewed, data_cut: str, output: Output) -> None:
    """From cases over both reads to agreement and the adjudicator's choice: of a table, or of a review's records."""
    from trialimg.cli.respond_output import read_text
    from trialimg.services.figures.adjudication import adjudication_flow as made
    from trialimg.services.figures.adjudication import cases_of_table

    if (record := reviewed.record()) is not None and data is None:
        output.give_figure(made(record.cases, imprint=reviewed.imprint(data_cut)))
    elif data is not None and record is None:
        cases = cases_of_table(read_text(data), data.name)
        output.give_figure(made(cases, imprint=imprint(data, data_cut)))
    else:
        raise click.UsageError(EITHER)


@dataclass(frozen=True)
class _Tested:
    """Where a table keeps features with effect and p, and how they are shown."""

    feature: str
    effect: str
    p_value: str
    rate: float
    effect_name: str
    missing: str


@click.command("volcano")
@DATA
@gathered(
    "tested", _Tested,
    click.option("--feature", default="feature", show_default=True, metavar="COLUMN", help="Names."),
    click.option("--effect", default="effect", show_default=True, metavar="COLUMN", help="Effects, 0 for none."),
    click.option("--p", "p_value", default="p", show_default=True, metavar="COLUMN", help="P-values, not adjusted."),
    click.option("--rate", type=float, default=0.05, show_default=True, help="False discovery rate of the line."),
    click.option("--effect-name", default="Effect", show_default=True, help="Name of the x axis."),
    MISSING,
)  # fmt: skip
@CUT
@FIGURE
def volcano(data: Path, tested: _Tested, data_cut: str, output: Output) -> None:
    """Effect of every feature against its q-value (Benjamini-Hochberg)."""
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.volcano import associations
    from trialimg.services.figures.volcano import volcano as made

    if not 0 < tested.rate < 1:
        raise click.UsageError(f"--rate is a share between 0 and 1, not {tested.rate:g}")
    wanted = {tested.feature: Kind.WORD, tested.effect: Kind.NUMBER, tested.p_value: Kind.NUMBER}
    chosen = analysed(data, wanted, tested.missing)
    found = associations(*(chosen.columns[name] for name in (tested.feature, tested.effect, tested.p_value)))
    figure = made(found, effect_name=tested.effect_name, rate=tested.rate, imprint=imprint(data, data_cut))
    output.give_figure(figure)
