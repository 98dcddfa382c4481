"""`trialimg figure kaplan-meier|forest|bland-altman|adjudication-flow|volcano`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.analyse_output import CONFIDENCE, DATA, MISSING, STRATA, analysed, levels, names
from trialimg.cli.figure_output import CUT, FIGURE_OUT, SOURCE, TITLE, give_figure, imprint
from trialimg.cli.output import json_option

if TYPE_CHECKING:
    from trialimg.services.figures.figure import Figure

__all__ = ["adjudication_flow", "bland_altman", "forest", "kaplan_meier", "volcano"]

_UNIT = click.option(
    "--unit",
    type=click.Choice(["days", "weeks", "months", "years"]),
    default="days",
    show_default=True,
    help="Unit of the times in a table; days are shown as months.",
)
_EVENT = click.option("--event", required=True, metavar="COLUMN", help="1: event, 0: none.")
_ARMS = click.option("--by", required=True, metavar="COLUMN", help="The two arms.")


@click.command("kaplan-meier")
@SOURCE
@click.option("--time", default="", metavar="COLUMN", help="Of a table: time to the event or to censoring.")
@click.option("--event", default="", metavar="COLUMN", help="Of a table: 1 event, 0 censored.")
@click.option("--by", default="", metavar="COLUMN", help="Of a table: groups to compare.")
@STRATA
@_UNIT
@click.option("--limits", default="log-log", show_default=True, help="log-log, log, plain, logit or arcsin.")
@click.option("--free", default="Without event", show_default=True, help="Of a table: name of the y axis.")
@CONFIDENCE
@MISSING
@FIGURE_OUT
@TITLE
@CUT
@json_option
def kaplan_meier(
    source: Path,
    time: str,
    event: str,
    by: str,
    strata: str,
    unit: str,
    limits: str,
    free: str,
    confidence: float,
    missing: str,
    out: Path,
    title: str,
    data_cut: str,
    as_json: bool,
) -> None:
    """Survival by group with numbers at risk; with strata a panel each and the stratified log-rank test."""
    if not time and not event:
        from trialimg.bootstrap.figures import read_courses
        from trialimg.services.figures.kaplan_meier import survival_of_trial

        give_figure(survival_of_trial(read_courses(source)), out, title=title, as_json=as_json)
        return
    if not time or not event:
        raise click.UsageError("--time and --event go together")
    from trialimg.services.analyse_survival import TimeColumns
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.kaplan_meier import CLOCKS, Endpoint
    from trialimg.services.figures.survival_of_table import Limits, survival_of_table

    words = [*([by] if by else []), *names(strata)]
    data = analysed(source, {time: Kind.TIME, event: Kind.EVENT, **dict.fromkeys(words, Kind.WORD)}, missing)
    columns = TimeColumns(time, event, by or None, tuple(levels(data, by)) if by else ())
    endpoint = Endpoint(title or "Survival", free, CLOCKS[unit], "")
    figure = survival_of_table(
        data, columns, names(strata), endpoint, limits=Limits(limits, confidence), imprint=imprint(source, data_cut)
    )
    give_figure(figure, out, title=title, as_json=as_json)


@click.command("forest")
@DATA
@_EVENT
@_ARMS
@click.option("--subgroups", required=True, metavar="A,B", help="Columns whose levels are the subgroups.")
@click.option("--time", default="", metavar="COLUMN", help="For hazard ratios; without it, rates are compared.")
@click.option("--reference", default="", metavar="ARM", help="Arm that the other is compared with; default: the first.")
@click.option("--method", default="miettinen-nurminen", show_default=True, help="Limits of a difference of rates.")
@CONFIDENCE
@MISSING
@FIGURE_OUT
@TITLE
@CUT
@json_option
def forest(
    data: Path,
    event: str,
    by: str,
    subgroups: str,
    time: str,
    reference: str,
    method: str,
    confidence: float,
    missing: str,
    out: Path,
    title: str,
    data_cut: str,
    as_json: bool,
) -> None:
    """Hazard ratio, or difference of rates, of two arms in everyone and in each subgroup."""
    from trialimg.services.analyse_subgroups import Compared, hazard_subgroups, rate_subgroups
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.forest_of_subgroups import forest_of_subgroups

    wanted = {event: Kind.EVENT, **dict.fromkeys([by, *names(subgroups)], Kind.WORD)}
    chosen = analysed(data, {**wanted, **({time: Kind.TIME} if time else {})}, missing)
    arms = levels(chosen, by)
    if len(arms) != 2 or (reference and reference not in arms):
        raise click.UsageError(f"--by {by} needs two arms, and --reference one of them; there are {', '.join(arms)}")
    first = reference or arms[0]
    other = next(arm for arm in arms if arm != first)
    columns = Compared(event, by, (first, other), tuple(names(subgroups)), time)
    if time:
        document = hazard_subgroups(chosen, columns, confidence=confidence)
    else:
        document = rate_subgroups(chosen, columns, method=method.replace("-", "_"), confidence=confidence)
    figure = forest_of_subgroups(document, columns, imprint=imprint(data, data_cut))
    give_figure(figure, out, title=title, as_json=as_json)


@click.command("bland-altman")
@DATA
@click.option("--readers", required=True, metavar="A,B", help="Two columns of measurements.")
@click.option("--ratio", is_flag=True, help="Compare by ratio (on logarithms) in place of difference.")
@click.option("--unit", default="", help="Unit of the measurements, for the axes.")
@CONFIDENCE
@MISSING
@FIGURE_OUT
@TITLE
@CUT
@json_option
def bland_altman(
    data: Path,
    readers: str,
    ratio: bool,
    unit: str,
    confidence: float,
    missing: str,
    out: Path,
    title: str,
    data_cut: str,
    as_json: bool,
) -> None:
    """Two measurements of the same things against their mean, with limits of agreement."""
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.bland_altman import Pairs, agreement_limits, bland_altman_figure

    both = names(readers)
    if len(both) != 2:
        raise click.UsageError(f"--readers {readers!r} does not name two columns")
    chosen = analysed(data, dict.fromkeys(both, Kind.NUMBER), missing)
    first, second = (tuple(chosen.columns[name]) for name in both)
    pairs = Pairs(first, second, both[0], both[1], unit, ratio)
    figure = bland_altman_figure(pairs, agreement_limits(pairs, confidence=confidence), imprint=imprint(data, data_cut))
    give_figure(figure, out, title=title, as_json=as_json)


@click.command("adjudication-flow")
@DATA
@FIGURE_OUT
@TITLE
@CUT
@json_option
def adjudication_flow(data: Path, out: Path, title: str, data_cut: str, as_json: bool) -> None:
    """From cases over both reads to agreement and the adjudicator's choice."""
    from trialimg.cli.respond_output import read_text
    from trialimg.services.figures.adjudication import adjudication_flow as made
    from trialimg.services.figures.adjudication import cases_of_table

    cases = cases_of_table(read_text(data), data.name)
    give_figure(made(cases, imprint=imprint(data, data_cut)), out, title=title, as_json=as_json)


@click.command("volcano")
@DATA
@click.option("--feature", default="feature", show_default=True, metavar="COLUMN", help="Names.")
@click.option("--effect", default="effect", show_default=True, metavar="COLUMN", help="Effects, 0 for none.")
@click.option("--p", "p_value", default="p", show_default=True, metavar="COLUMN", help="P-values, not adjusted.")
@click.option("--rate", type=float, default=0.05, show_default=True, help="False discovery rate of the line.")
@click.option("--effect-name", default="Effect", show_default=True, help="Name of the x axis.")
@MISSING
@FIGURE_OUT
@TITLE
@CUT
@json_option
def volcano(
    data: Path,
    feature: str,
    effect: str,
    p_value: str,
    rate: float,
    effect_name: str,
    missing: str,
    out: Path,
    title: str,
    data_cut: str,
    as_json: bool,
) -> None:
    """Effect of every feature against its q-value (Benjamini-Hochberg)."""
    from trialimg.services.analyse_table import Kind
    from trialimg.services.figures.volcano import associations
    from trialimg.services.figures.volcano import volcano as made

    if not 0 < rate < 1:
        raise click.UsageError(f"--rate is a share between 0 and 1, not {rate:g}")
    chosen = analysed(data, {feature: Kind.WORD, effect: Kind.NUMBER, p_value: Kind.NUMBER}, missing)
    found = associations(*(chosen.columns[name] for name in (feature, effect, p_value)))
    figure: Figure = made(found, effect_name=effect_name, rate=rate, imprint=imprint(data, data_cut))
    give_figure(figure, out, title=title, as_json=as_json)
