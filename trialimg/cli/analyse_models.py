"""`trialimg analyse agreement|mmrm|shrinkage`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from trialimg.cli.analyse_output import (
    BY,
    CONFIDENCE,
    DATA,
    EVENT,
    FACTOR,
    MISSING,
    TIME,
    analysed,
    factors_of,
    give_document,
    names,
)
from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option

__all__ = ["agreement", "mmrm", "shrinkage"]

_COVARIANCES = ("unstructured", "cs", "ar1", "intercepts", "slopes")


@dataclass(frozen=True)
class _Agreement:
    """What the columns are, and which figures are wanted of them."""

    measured: bool
    categories: str
    form: str
    confidence: float


@click.command("agreement")
@DATA
@click.option("--raters", required=True, metavar="A,B", help="One column per reader, one row per case.")
@gathered(
    "wanted", _Agreement,
    click.option("--measured", is_flag=True, help="The columns are measurements, not categories."),
    click.option("--categories", default="", metavar="C1,C2", help="In their order; it matters for weights."),
    click.option("--icc", "form", default="ICC2", show_default=True, help="ICC1, ICC2, ICC3, ICC1k, ICC2k or ICC3k."),
    CONFIDENCE,
)  # fmt: skip
@MISSING
@json_option
def agreement(data: Path, raters: str, wanted: _Agreement, missing: str, as_json: bool) -> None:
    """How far readers agree: kappas and AC1 of categories; ICC, concordance, Bland-Altman of measurements."""
    from trialimg.services.analyse_agreement import category_document, measurement_document
    from trialimg.services.analyse_table import Kind

    columns = names(raters)
    if len(columns) < 2:
        raise click.UsageError("agreement needs two columns at least: --raters A,B")
    chosen = analysed(data, dict.fromkeys(columns, Kind.NUMBER if wanted.measured else Kind.WORD), missing)
    if wanted.measured:
        document = measurement_document(chosen, columns, form=wanted.form, confidence=wanted.confidence)
    else:
        categories = names(wanted.categories) or None
        document = category_document(chosen, columns, categories=categories, confidence=wanted.confidence)
    give_document(document, "agreement", as_json=as_json)


@dataclass(frozen=True)
class _Repeated:
    """Which columns hold what."""

    response: str
    subject: str
    visit: str
    by: str | None
    covariates: str
    factor: tuple[str, ...]


@dataclass(frozen=True)
class _Model:
    """How measurements of one subject vary together, and how small samples are allowed for."""

    covariance: str
    logarithm: bool
    small_sample: str


@click.command("mmrm")
@DATA
@gathered(
    "named", _Repeated,
    click.option("--response", required=True, metavar="COLUMN", help="What was measured."),
    click.option("--subject", required=True, metavar="COLUMN", help="Whose it is."),
    click.option("--visit", required=True, metavar="COLUMN", help="When."),
    BY,
    click.option("--covariates", default="", metavar="A,B", help="Further fixed effects."),
    FACTOR,
)  # fmt: skip
@gathered(
    "model", _Model,
    click.option(
        "--covariance", type=click.Choice(_COVARIANCES), default="unstructured", show_default=True,
        help="Of visits (the first three), or of lines over time that differ between subjects.",
    ),
    click.option("--log", "logarithm", is_flag=True, help="Model the logarithm: slopes are growth rates."),
    click.option(
        "--df", "small_sample", type=click.Choice(["satterthwaite", "kenward-roger"]), default="satterthwaite",
        show_default=True, help="Degrees of freedom; the second corrects standard errors too.",
    ),
)  # fmt: skip
@CONFIDENCE
@MISSING
@json_option
def mmrm(data: Path, named: _Repeated, model: _Model, confidence: float, missing: str, as_json: bool) -> None:
    """Mixed model of repeated measurements by restricted maximum likelihood."""
    from trialimg.services.analyse_longitudinal import MixedChoice, RepeatedColumns, SmallSample, mixed_document
    from trialimg.services.analyse_table import Kind

    factors, extra = factors_of(named.factor), names(named.covariates)
    wanted = {named.response: Kind.NUMBER, named.subject: Kind.WORD, named.visit: Kind.COVARIATE}
    wanted |= {named.by: Kind.WORD} if named.by else {}
    wanted |= {name: Kind.WORD if name in factors else Kind.COVARIATE for name in extra}
    columns = RepeatedColumns(named.response, named.subject, named.visit, named.by, tuple(extra))
    document = mixed_document(
        analysed(data, wanted, missing),
        columns,
        MixedChoice(model.covariance, model.logarithm, SmallSample(model.small_sample)),
        factors=factors,
        confidence=confidence,
    )
    give_document(document, "mmrm", as_json=as_json)


@dataclass(frozen=True)
class _Shrinkage:
    """Which columns hold what, and what counts as early."""

    time: str
    event: str
    change: str
    landmark: float
    threshold_pct: float


@click.command("shrinkage")
@DATA
@gathered(
    "early", _Shrinkage,
    TIME,
    EVENT,
    click.option("--change", required=True, metavar="COLUMN", help="Change of the sum of diameters, percent."),
    click.option("--landmark", type=float, required=True, help="When the change was known; time counts from here."),
    click.option(
        "--threshold", "threshold_pct", type=float, default=-20.0, show_default=True, help="Early shrinkage."
    ),
)  # fmt: skip
@CONFIDENCE
@MISSING
@json_option
def shrinkage(data: Path, early: _Shrinkage, confidence: float, missing: str, as_json: bool) -> None:
    """Early tumour shrinkage and depth of response against survival, from a landmark on."""
    from trialimg.services.analyse_longitudinal import shrinkage_document
    from trialimg.services.analyse_survival import TimeColumns
    from trialimg.services.analyse_table import Kind

    chosen = analysed(data, {early.time: Kind.TIME, early.event: Kind.EVENT, early.change: Kind.NUMBER}, missing)
    document = shrinkage_document(
        chosen,
        TimeColumns(early.time, early.event),
        change=early.change,
        landmark=early.landmark,
        threshold_pct=early.threshold_pct,
        confidence=confidence,
    )
    give_document(document, "shrinkage", as_json=as_json)
