"""`trialimg analyse km|logrank|cox|rmst|competing|interval`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.analyse_output import (
    BY,
    CONFIDENCE,
    DATA,
    EVENT,
    FACTOR,
    MISSING,
    STRATA,
    TIME,
    analysed,
    factors_of,
    give_document,
    levels,
    names,
    numbers,
)
from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option

if TYPE_CHECKING:
    from trialimg.services.analyse_survival import TimeColumns
    from trialimg.services.analyse_table import Kind, Selection

__all__ = ["competing", "cox", "interval", "km", "logrank", "rmst"]

_AT = click.option("--at", default="", metavar="T1,T2", help="Times at which the curve is read.")
_QUANTILES = click.option("--quantiles", default="", metavar="P1,P2", help="Shares with the event, beside the median.")
_GROUPS = click.option("--by", required=True, metavar="COLUMN", help="Groups to compare.")
_COVARIATES = click.option("--covariates", default="", metavar="A,B", help="Columns whose effect is estimated.")


@click.command("km")
@DATA
@TIME
@EVENT
@BY
@click.option("--limits", default="log-log", show_default=True, help="log-log, log, plain, logit or arcsin.")
@_QUANTILES
@click.option("--landmark", type=float, help="Count time from here, of those still at risk.")
@_AT
@CONFIDENCE
@MISSING
@json_option
def km(
    data: Path,
    time: str,
    event: str,
    by: str | None,
    limits: str,
    quantiles: str,
    landmark: float | None,
    at: str,
    confidence: float,
    missing: str,
    as_json: bool,
) -> None:
    """Kaplan-Meier curve, median and follow-up of everyone and of each group."""
    from trialimg.services.analyse_survival import after_landmark, km_document

    chosen, columns = _timed(data, time, event, by, missing)
    if landmark is not None:
        chosen = after_landmark(chosen, columns, landmark)
    document = km_document(
        chosen, columns, confidence=confidence, limits=limits, quantiles=numbers(quantiles), at=numbers(at)
    )
    give_document(document, "km", as_json=as_json)


@click.command("logrank")
@DATA
@TIME
@EVENT
@_GROUPS
@STRATA
@click.option("--rho", type=float, default=0.0, help="Fleming-Harrington weight S^rho: early differences.")
@click.option("--gamma", type=float, default=0.0, help="Fleming-Harrington weight (1 - S)^gamma: late differences.")
@click.option("--max-combo", is_flag=True, help="The largest of four weightings; two groups.")
@MISSING
@json_option
def logrank(
    data: Path,
    time: str,
    event: str,
    by: str,
    strata: str,
    rho: float,
    gamma: float,
    max_combo: bool,
    missing: str,
    as_json: bool,
) -> None:
    """Log-rank test of equal hazards, weighted or stratified if asked for."""
    from trialimg.services.analyse_survival import logrank_document, max_combo_document

    chosen, columns = _timed(data, time, event, by, missing, words=names(strata))
    if max_combo:
        if rho or gamma:
            raise click.UsageError("--max-combo chooses the weights itself; leave --rho and --gamma out")
        document = max_combo_document(chosen, columns, strata=names(strata))
    else:
        document = logrank_document(chosen, columns, strata=names(strata), weights=(rho, gamma))
    give_document(document, "logrank", as_json=as_json)


@click.command("cox")
@DATA
@TIME
@EVENT
@BY
@_COVARIATES
@FACTOR
@STRATA
@click.option("--ties", default="efron", show_default=True, help="efron, breslow or exact.")
@click.option("--start", metavar="COLUMN", help="Start of each row's observation: time-varying covariates.")
@click.option("--cluster", metavar="COLUMN", help="Rows of one subject; makes the variance robust.")
@click.option("--robust", is_flag=True, help="Sandwich variance.")
@CONFIDENCE
@MISSING
@json_option
def cox(
    data: Path,
    time: str,
    event: str,
    by: str | None,
    covariates: str,
    factor: tuple[str, ...],
    strata: str,
    ties: str,
    start: str | None,
    cluster: str | None,
    robust: bool,
    confidence: float,
    missing: str,
    as_json: bool,
) -> None:
    """Hazard ratios by Cox's model: of --covariates, and of the groups --by against the first of them."""
    from trialimg.services.analyse_survival import ModelColumns, cox_document
    from trialimg.services.analyse_table import Kind

    factors = {**({by: None} if by else {}), **factors_of(factor)}
    chosen_names = ([by] if by else []) + [name for name in names(covariates) if name != by]
    if not chosen_names:
        raise click.UsageError("nothing to estimate: give --covariates or --by")
    wanted = {time: Kind.TIME, event: Kind.EVENT, **dict.fromkeys(names(strata), Kind.WORD)}
    wanted |= {name: Kind.WORD if name in factors else Kind.COVARIATE for name in chosen_names}
    wanted |= {start: Kind.TIME} if start else {}
    wanted |= {cluster: Kind.WORD} if cluster else {}
    columns = ModelColumns(time, event, tuple(chosen_names), tuple(names(strata)), start, cluster)
    chosen = analysed(data, wanted, missing)
    document = cox_document(chosen, columns, factors=factors, ties=ties, robust=robust, confidence=confidence)
    give_document(document, "cox", as_json=as_json)


@click.command("rmst")
@DATA
@TIME
@EVENT
@BY
@click.option("--tau", type=float, help="Horizon; default: up to where every group was observed.")
@CONFIDENCE
@MISSING
@json_option
def rmst(
    data: Path,
    time: str,
    event: str,
    by: str | None,
    tau: float | None,
    confidence: float,
    missing: str,
    as_json: bool,
) -> None:
    """Restricted mean survival time, and how groups differ in it."""
    from trialimg.services.analyse_survival import rmst_document

    chosen, columns = _timed(data, time, event, by, missing)
    give_document(rmst_document(chosen, columns, tau=tau, confidence=confidence), "rmst", as_json=as_json)


@click.command("competing")
@DATA
@TIME
@click.option("--event", required=True, metavar="COLUMN", help="0: censored, 1, 2 ...: the cause that came first.")
@BY
@STRATA
@_COVARIATES
@FACTOR
@click.option("--cause", type=click.IntRange(1), default=1, show_default=True, help="Cause of the Fine-Gray model.")
@_AT
@CONFIDENCE
@MISSING
@json_option
def competing(
    data: Path,
    time: str,
    event: str,
    by: str | None,
    strata: str,
    covariates: str,
    factor: tuple[str, ...],
    cause: int,
    at: str,
    confidence: float,
    missing: str,
    as_json: bool,
) -> None:
    """Cumulative incidence of each cause, Gray's test of groups, and a Fine-Gray model of --covariates."""
    from trialimg.services.analyse_competing import competing_document, fine_gray_document
    from trialimg.services.analyse_table import Kind

    factors = factors_of(factor)
    wanted: dict[str, Kind] = {time: Kind.TIME, event: Kind.STATE, **({by: Kind.WORD} if by else {})}
    wanted |= dict.fromkeys(names(strata), Kind.WORD)
    wanted |= {name: Kind.WORD if name in factors or name == by else Kind.COVARIATE for name in names(covariates)}
    chosen = analysed(data, wanted, missing)
    columns = _columns(chosen, time, event, by)
    document = competing_document(chosen, columns, strata=names(strata), confidence=confidence, at=numbers(at))
    if covariates:
        document["fine_gray"] = fine_gray_document(
            chosen, columns, covariates=names(covariates), factors=factors, cause=cause, confidence=confidence
        )
    give_document(document, "competing", as_json=as_json)


@dataclass(frozen=True)
class _Between:
    """Which columns hold what."""

    left: str
    right: str
    by: str | None


@dataclass(frozen=True)
class _Wanted:
    """What is said of the curve, and how its limits are found."""

    quantiles: str
    at: str
    shape: str | None
    confidence: float
    draws: int
    seed: int


@click.command("interval")
@DATA
@gathered(
    "between", _Between,
    click.option("--left", required=True, metavar="COLUMN", help="Last time without the event; blank: 0."),
    click.option("--right", required=True, metavar="COLUMN", help="First time with it; blank: not yet seen."),
    BY,
)  # fmt: skip
@gathered(
    "wanted", _Wanted,
    _QUANTILES,
    _AT,
    click.option("--shape", help="Also a curve of this shape: exponential, weibull, lognormal or loglogistic."),
    CONFIDENCE,
    click.option("--draws", type=click.IntRange(1, 100_000), default=1999, show_default=True, help="For the limits."),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws."),
)  # fmt: skip
@json_option
def interval(data: Path, between: _Between, wanted: _Wanted, as_json: bool) -> None:
    """Turnbull's curve of times known only to lie between two visits, and how groups differ."""
    from trialimg.services.analyse_interval import Draws, IntervalChoice, IntervalColumns, interval_document
    from trialimg.services.analyse_table import Kind

    left, right, by = between.left, between.right, between.by
    kinds = {left: Kind.OPEN_ENDED, right: Kind.OPEN_ENDED, **({by: Kind.WORD} if by else {})}
    chosen = analysed(data, kinds, "refuse")
    columns = IntervalColumns(left, right, by, tuple(levels(chosen, by)) if by else ())
    choice = IntervalChoice(
        wanted.shape,
        tuple(numbers(wanted.quantiles)),
        tuple(numbers(wanted.at)),
        wanted.confidence,
        Draws(wanted.draws, wanted.seed),
    )
    give_document(interval_document(chosen, columns, choice), "interval", as_json=as_json)


def _timed(
    data: Path, time: str, event: str, by: str | None, missing: str, *, words: list[str] | None = None
) -> tuple[Selection, TimeColumns]:
    from trialimg.services.analyse_table import Kind

    wanted = {time: Kind.TIME, event: Kind.EVENT, **({by: Kind.WORD} if by else {})}
    chosen = analysed(data, wanted | dict.fromkeys(words or [], Kind.WORD), missing)
    return chosen, _columns(chosen, time, event, by)


def _columns(chosen: Selection, time: str, event: str, by: str | None) -> TimeColumns:
    from trialimg.services.analyse_survival import TimeColumns

    return TimeColumns(time, event, by, tuple(levels(chosen, by)) if by else ())
