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
_CAUSES = click.option(
    "--event", required=True, metavar="COLUMN", help="0: censored, 1, 2 ...: the cause that came first."
)


@dataclass(frozen=True)
class _Times:
    """Which columns hold times, events and groups."""

    time: str
    event: str
    by: str | None


@dataclass(frozen=True)
class _Effects:
    """Which columns hold what a model explains the times by."""

    covariates: str
    factor: tuple[str, ...]
    strata: str


@dataclass(frozen=True)
class _Curve:
    """What is said of a curve."""

    limits: str
    quantiles: str
    landmark: float | None
    at: str
    confidence: float


@click.command("km")
@DATA
@gathered("times", _Times, TIME, EVENT, BY)
@gathered(
    "curve", _Curve,
    click.option("--limits", default="log-log", show_default=True, help="log-log, log, plain, logit or arcsin."),
    _QUANTILES,
    click.option("--landmark", type=float, help="Count time from here, of those still at risk."),
    _AT,
    CONFIDENCE,
)  # fmt: skip
@MISSING
@json_option
def km(data: Path, times: _Times, curve: _Curve, missing: str, as_json: bool) -> None:
    """Kaplan-Meier curve, median and follow-up of everyone and of each group."""
    from trialimg.services.analyse_survival import after_landmark, km_document

    chosen, columns = _timed(data, times, missing)
    if curve.landmark is not None:
        chosen = after_landmark(chosen, columns, curve.landmark)
    document = km_document(
        chosen, columns, confidence=curve.confidence, limits=curve.limits,
        quantiles=numbers(curve.quantiles), at=numbers(curve.at),
    )  # fmt: skip
    give_document(document, "km", as_json=as_json)


@dataclass(frozen=True)
class _Weights:
    """Where a difference of the hazards counts most."""

    rho: float
    gamma: float
    max_combo: bool


@click.command("logrank")
@DATA
@gathered("times", _Times, TIME, EVENT, _GROUPS)
@STRATA
@gathered(
    "weights", _Weights,
    click.option("--rho", type=float, default=0.0, help="Fleming-Harrington weight S^rho: early differences."),
    click.option("--gamma", type=float, default=0.0, help="Fleming-Harrington weight (1 - S)^gamma: late differences."),
    click.option("--max-combo", is_flag=True, help="The largest of four weightings; two groups."),
)  # fmt: skip
@MISSING
@json_option
def logrank(data: Path, times: _Times, strata: str, weights: _Weights, missing: str, as_json: bool) -> None:
    """Log-rank test of equal hazards, weighted or stratified if asked for."""
    from trialimg.services.analyse_survival import logrank_document, max_combo_document

    chosen, columns = _timed(data, times, missing, words=names(strata))
    if weights.max_combo:
        if weights.rho or weights.gamma:
            raise click.UsageError("--max-combo chooses the weights itself; leave --rho and --gamma out")
        document = max_combo_document(chosen, columns, strata=names(strata))
    else:
        document = logrank_document(chosen, columns, strata=names(strata), weights=(weights.rho, weights.gamma))
    give_document(document, "logrank", as_json=as_json)


@dataclass(frozen=True)
class _Model:
    """How Cox's model is fitted."""

    ties: str
    start: str | None
    cluster: str | None
    robust: bool
    confidence: float


@click.command("cox")
@DATA
@gathered("times", _Times, TIME, EVENT, BY)
@gathered("effects", _Effects, _COVARIATES, FACTOR, STRATA)
@gathered(
    "model", _Model,
    click.option("--ties", default="efron", show_default=True, help="efron, breslow or exact."),
    click.option("--start", metavar="COLUMN", help="Start of each row's observation: time-varying covariates."),
    click.option("--cluster", metavar="COLUMN", help="Rows of one subject; makes the variance robust."),
    click.option("--robust", is_flag=True, help="Sandwich variance."),
    CONFIDENCE,
)  # fmt: skip
@MISSING
@json_option
def cox(data: Path, times: _Times, effects: _Effects, model: _Model, missing: str, as_json: bool) -> None:
    """Hazard ratios by Cox's model: of --covariates, and of the groups --by against the first of them."""
    from trialimg.services.analyse_survival import ModelColumns, cox_document
    from trialimg.services.analyse_table import Kind

    by, strata, start, cluster = times.by, names(effects.strata), model.start, model.cluster
    factors = {**({by: None} if by else {}), **factors_of(effects.factor)}
    explained_by = ([by] if by else []) + [name for name in names(effects.covariates) if name != by]
    if not explained_by:
        raise click.UsageError("nothing to estimate: give --covariates or --by")
    wanted = {times.time: Kind.TIME, times.event: Kind.EVENT, **dict.fromkeys(strata, Kind.WORD)}
    wanted |= {name: Kind.WORD if name in factors else Kind.COVARIATE for name in explained_by}
    wanted |= {start: Kind.TIME} if start else {}
    wanted |= {cluster: Kind.WORD} if cluster else {}
    columns = ModelColumns(times.time, times.event, tuple(explained_by), tuple(strata), start, cluster)
    chosen = analysed(data, wanted, missing)
    document = cox_document(
        chosen, columns, factors=factors, ties=model.ties, robust=model.robust, confidence=model.confidence
    )
    give_document(document, "cox", as_json=as_json)


@click.command("rmst")
@DATA
@gathered("times", _Times, TIME, EVENT, BY)
@click.option("--tau", type=float, help="Horizon; default: up to where every group was observed.")
@CONFIDENCE
@MISSING
@json_option
def rmst(data: Path, times: _Times, tau: float | None, confidence: float, missing: str, as_json: bool) -> None:
    """Restricted mean survival time, and how groups differ in it."""
    from trialimg.services.analyse_survival import rmst_document

    chosen, columns = _timed(data, times, missing)
    give_document(rmst_document(chosen, columns, tau=tau, confidence=confidence), "rmst", as_json=as_json)


@dataclass(frozen=True)
class _Incidence:
    """What is said of the causes."""

    cause: int
    at: str
    confidence: float


@click.command("competing")
@DATA
@gathered("times", _Times, TIME, _CAUSES, BY)
@gathered("effects", _Effects, STRATA, _COVARIATES, FACTOR)
@gathered(
    "said", _Incidence,
    click.option("--cause", type=click.IntRange(1), default=1, show_default=True, help="Cause of the Fine-Gray model."),
    _AT,
    CONFIDENCE,
)  # fmt: skip
@MISSING
@json_option
def competing(data: Path, times: _Times, effects: _Effects, said: _Incidence, missing: str, as_json: bool) -> None:
    """Cumulative incidence of each cause, Gray's test of groups, and a Fine-Gray model of --covariates."""
    from trialimg.services.analyse_competing import competing_document, fine_gray_document
    from trialimg.services.analyse_table import Kind

    by, covariates, strata = times.by, names(effects.covariates), names(effects.strata)
    factors = factors_of(effects.factor)
    wanted: dict[str, Kind] = {times.time: Kind.TIME, times.event: Kind.STATE, **({by: Kind.WORD} if by else {})}
    wanted |= dict.fromkeys(strata, Kind.WORD)
    wanted |= {name: Kind.WORD if name in factors or name == by else Kind.COVARIATE for name in covariates}
    chosen = analysed(data, wanted, missing)
    columns = _columns(chosen, times)
    document = competing_document(chosen, columns, strata=strata, confidence=said.confidence, at=numbers(said.at))
    if covariates:
        document["fine_gray"] = fine_gray_document(
            chosen, columns, covariates=covariates, factors=factors, cause=said.cause, confidence=said.confidence
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


def _timed(data: Path, times: _Times, missing: str, *, words: list[str] | None = None) -> tuple[Selection, TimeColumns]:
    from trialimg.services.analyse_table import Kind

    wanted = {times.time: Kind.TIME, times.event: Kind.EVENT, **({times.by: Kind.WORD} if times.by else {})}
    chosen = analysed(data, wanted | dict.fromkeys(words or [], Kind.WORD), missing)
    return chosen, _columns(chosen, times)


def _columns(chosen: Selection, times: _Times) -> TimeColumns:
    from trialimg.services.analyse_survival import TimeColumns

    return TimeColumns(times.time, times.event, times.by, tuple(levels(chosen, times.by)) if times.by else ())
