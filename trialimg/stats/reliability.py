"""How far readers agree on measurements: intraclass correlation, concordance, limits of agreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import f as fisher
from scipy.stats import norm
from scipy.stats import t as student

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ProtocolError, ReadingError
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate

__all__ = ["ICC_FORMS", "BlandAltman", "bland_altman", "intraclass_correlation", "lin_concordance"]

Vector = npt.NDArray[np.float64]
Limits = tuple[float | None, float | None, float | None]
ICC_FORMS = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")
"""Shrout and Fleiss's (1,1), (2,1), (3,1), (1,k), (2,k), (3,k)."""
FEW_CASES = 10
ROUND_OFF = 1e-24
"""Relative sum of squares below which nothing but round-off is left."""


@dataclass(frozen=True)
class BlandAltman:
    """How much two measurements of the same things differ."""

    bias: Estimate
    """Mean of first minus second."""
    sd: float
    lower_limit: Estimate
    """Of agreement, with its own interval."""
    upper_limit: Estimate
    multiplier: float
    """Standard deviations between the bias and a limit of agreement."""
    proportional_slope: Estimate
    """Change of the difference per unit of the mean; 0 where the bias does not grow with size."""


def intraclass_correlation(
    ratings: Sequence[Sequence[float]] | Vector, *, form: str = "ICC2", confidence: float = 0.95
) -> Estimate:
    """The share of the variance of measurements that lies between cases.

    Parameters
    ----------
    ratings
        Shape (case, reader), no value missing.
    form
        One of `ICC_FORMS`: 1 each case has readers of its own, 2 the readers are a sample of all readers (absolute
        agreement), 3 these readers alone (consistency); k: of the mean of all readers.

    Raises
    ------
    ReadingError
        For values that are not numbers, fewer than two cases or readers, or cases that do not vary.
    ProtocolError
        If the form or the confidence cannot be followed.

    References
    ----------
    Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater reliability. Psychol Bull 1979.
    """
    require_confidence(confidence)
    if form not in ICC_FORMS:
        raise ProtocolError(f"no intraclass correlation is called {form!r}; choose one of {', '.join(ICC_FORMS)}")
    values = _require_ratings(ratings)
    table = _Anova.of(values)
    value, lower, upper = _icc_limits(table, form[3], 1 - confidence)
    if form.endswith("k"):
        value, lower, upper = (_of_the_mean(r, table.readers) for r in (value, lower, upper))
    between = table.within if form[3] == "1" else table.error
    df = (table.cases - 1, table.cases * (table.readers - 1))
    df = df if form[3] == "1" else (df[0], (table.cases - 1) * (table.readers - 1))
    p = float(fisher.sf(table.between / between, *df)) if between > 0 else None
    said = [f"few_cases: {table.cases} cases; the limits are wide"] if table.cases < FEW_CASES else []
    if value is None or lower is None or upper is None:
        said.append("undefined: the mean squares of cases and readers leave the correlation or its limits undefined")
    return Estimate(
        value=value,
        lower=lower,
        upper=upper,
        confidence=confidence,
        method=f"{form}, Shrout and Fleiss, {table.readers} readers",
        n=table.cases,
        events=0,
        warnings=tuple(said),
        p=p,
        data_digest=digest_of(values.tolist()),
    )


@dataclass(frozen=True)
class _Anova:
    """Mean squares of cases by readers."""

    cases: int
    readers: int
    between: float
    within: float
    columns: float
    error: float

    @classmethod
    def of(cls, values: Vector) -> _Anova:
        n, k = values.shape
        grand = values.mean()
        rows = k * ((values.mean(axis=1) - grand) ** 2).sum()
        columns = n * ((values.mean(axis=0) - grand) ** 2).sum()
        inside = ((values - values.mean(axis=1, keepdims=True)) ** 2).sum()
        rest = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + grand
        error = float((rest**2).sum())
        error = 0.0 if error <= ROUND_OFF * (rows + columns) else error
        degrees = (n - 1) * (k - 1)
        if rows <= 0:
            raise ReadingError("the cases do not vary; their share of the variance is undefined")
        squares = (rows / (n - 1), inside / (n * (k - 1)), columns / (k - 1), error / degrees)
        return cls(n, k, *map(float, squares))


def _icc_limits(table: _Anova, kind: str, error: float) -> Limits:
    """Of a single reader; None where the mean squares leave it undefined."""
    n, k = table.cases, table.readers
    df_rows = n - 1
    if kind == "2":
        return _absolute_agreement(table, error)
    inside, df = (table.within, n * (k - 1)) if kind == "1" else (table.error, (n - 1) * (k - 1))
    if inside <= 0:
        return 1.0, 1.0, 1.0
    ratio = table.between / inside
    low, high = ratio / fisher.ppf(1 - error / 2, df_rows, df), ratio * fisher.ppf(1 - error / 2, df, df_rows)
    value, lower, upper = ((f - 1) / (f + k - 1) for f in (ratio, float(low), float(high)))
    return value, lower, upper


def _absolute_agreement(table: _Anova, error: float) -> Limits:
    n, k = table.cases, table.readers
    total = table.between + (k - 1) * table.error + k * (table.columns - table.error) / n
    if total <= 0:
        return None, None, None
    value = (table.between - table.error) / total
    if table.error <= 0:
        return value, None, None
    spread = table.columns / table.error
    top = (n - 1) * (k - 1) * (k * value * spread + n * (1 + (k - 1) * value) - k * value) ** 2
    bottom = (n - 1) * k**2 * value**2 * spread**2 + (n * (1 + (k - 1) * value) - k * value) ** 2
    if bottom <= 0 or top <= 0:
        return value, None, None
    degrees = top / bottom
    high, low = (float(fisher.ppf(1 - error / 2, *df)) for df in ((n - 1, degrees), (degrees, n - 1)))
    rest = k * table.columns + (k * n - k - n) * table.error
    if not (math.isfinite(high) and math.isfinite(low)) or rest + n * table.between <= 0:
        return value, None, None
    lower = n * (table.between - high * table.error) / (high * rest + n * table.between)
    upper = n * (low * table.between - table.error) / (rest + n * low * table.between)
    return value, lower, upper


def _of_the_mean(single: float | None, readers: int) -> float | None:
    share = None if single is None else 1 + single * (readers - 1)
    return None if single is None or share is None or share <= 0 else single * readers / share


def lin_concordance(first: Sequence[float], second: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """How close pairs of measurements lie to the line of equality.

    Raises
    ------
    ReadingError
        For values that are not numbers, unequal numbers of them, fewer than three pairs, or no variance.
    ProtocolError
        If the confidence cannot be followed.

    Notes
    -----
    Variances divide by n, as Lin's paper has them (``epiR::epi.ccc``; ``DescTools::CCC``). Limits by Fisher's z.

    References
    ----------
    Lin LI-K. A concordance correlation coefficient to evaluate reproducibility. Biometrics 1989; correction 2000.
    """
    require_confidence(confidence)
    pairs = _require_pairs(first, second, least=3)
    n = len(pairs)
    (mean_1, mean_2), ((var_1, cov), (_, var_2)) = pairs.mean(axis=0), np.cov(pairs.T, bias=True)
    if var_1 <= 0 or var_2 <= 0:
        raise ReadingError("a concordance needs measurements that vary in both readers")
    value = float(2 * cov / (var_1 + var_2 + (mean_1 - mean_2) ** 2))
    digest = digest_of(pairs.tolist())
    method = "Lin's concordance correlation, Fisher's z limits"
    correlation = float(cov / math.sqrt(var_1 * var_2))
    if abs(value) >= 1 - 1e-15 or correlation == 0:
        said = "perfect: every pair is equal; there is no interval" if value > 0 else "no_interval: no correlation"
        return Estimate(value, None, None, confidence, method, n, 0, (said,), data_digest=digest)
    shift = float((mean_1 - mean_2) / (var_1 * var_2) ** 0.25)
    variance = (
        (1 - correlation**2) * value**2 / ((1 - value**2) * correlation**2)
        + 2 * value**3 * (1 - value) * shift**2 / (correlation * (1 - value**2) ** 2)
        - value**4 * shift**4 / (2 * correlation**2 * (1 - value**2) ** 2)
    ) / (n - 2)
    half = float(norm.ppf((1 + confidence) / 2)) * math.sqrt(max(0.0, variance))
    centre = math.atanh(value)
    se = math.sqrt(max(0.0, variance)) * (1 - value**2)
    limits = math.tanh(centre - half), math.tanh(centre + half)
    return Estimate(value, *limits, confidence, method, n, 0, se=se, data_digest=digest)


def bland_altman(
    first: Sequence[float], second: Sequence[float], *, multiplier: float = 1.96, confidence: float = 0.95
) -> BlandAltman:
    """The bias of the first measurement against the second, and the limits within which they agree.

    Parameters
    ----------
    multiplier
        Standard deviations from the bias to the limits of agreement: 1.96 holds 95 % of normal differences; the paper
        of 1986 rounds it to 2.

    Raises
    ------
    ReadingError
        For values that are not numbers, unequal numbers of them, or fewer than three pairs.
    ProtocolError
        If the multiplier or the confidence cannot be followed.

    References
    ----------
    Bland JM, Altman DG. Statistical methods for assessing agreement between two methods of clinical measurement.
    Lancet 1986 (intervals of the limits: their variance is about 3 s^2 / n; here s^2 (1/n + z^2 / (2 (n - 1)))).
    """
    require_confidence(confidence)
    if not (math.isfinite(multiplier) and multiplier > 0):
        raise ProtocolError(f"limits of agreement lie some standard deviations above 0 from the bias, not {multiplier}")
    pairs = _require_pairs(first, second, least=3)
    n, difference = len(pairs), pairs[:, 0] - pairs[:, 1]
    digest = digest_of(pairs.tolist())
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    quantile = float(student.ppf((1 + confidence) / 2, n - 1))
    limit_se = sd * math.sqrt(1 / n + multiplier**2 / (2 * (n - 1)))

    def around(value: float, se: float, method: str) -> Estimate:
        half = quantile * se
        return Estimate(value, value - half, value + half, confidence, method, n, 0, se=se, data_digest=digest)

    return BlandAltman(
        bias=around(bias, sd / math.sqrt(n), "mean difference, t limits"),
        sd=sd,
        lower_limit=around(bias - multiplier * sd, limit_se, "lower limit of agreement, t limits"),
        upper_limit=around(bias + multiplier * sd, limit_se, "upper limit of agreement, t limits"),
        multiplier=multiplier,
        proportional_slope=_slope(pairs.mean(axis=1), difference, confidence, digest),
    )


def _slope(mean: Vector, difference: Vector, confidence: float, digest: str) -> Estimate:
    n, method = len(mean), "slope of difference on mean, t limits"
    spread = float(((mean - mean.mean()) ** 2).sum())
    if spread <= 0:
        said = "no_slope: every mean is the same"
        return Estimate(None, None, None, confidence, method, n, 0, (said,), data_digest=digest)
    value = float((mean - mean.mean()) @ difference) / spread
    rest = difference - difference.mean() - value * (mean - mean.mean())
    se = math.sqrt(float(rest @ rest) / (n - 2) / spread)
    half = float(student.ppf((1 + confidence) / 2, n - 2)) * se
    p = float(2 * student.sf(abs(value) / se, n - 2)) if se > 0 else None
    return Estimate(value, value - half, value + half, confidence, method, n, 0, se=se, p=p, data_digest=digest)


def _require_ratings(ratings: Sequence[Sequence[float]] | Vector) -> Vector:
    values = np.asarray(ratings, np.float64)
    if values.ndim != 2 or values.shape[0] < 2 or values.shape[1] < 2:
        raise ReadingError("an intraclass correlation needs two cases and two readers at least")
    _refuse_strangers(values)
    return values


def _require_pairs(first: Sequence[float], second: Sequence[float], *, least: int) -> Vector:
    if len(first) != len(second):
        raise ReadingError(f"{len(first)} measurements of one reader, but {len(second)} of the other; pair them")
    if len(first) < least:
        raise ReadingError(f"agreement needs {least} pairs at least; there are {len(first)}")
    values = np.column_stack([np.asarray(first, np.float64), np.asarray(second, np.float64)])
    _refuse_strangers(values)
    return values


def _refuse_strangers(values: Vector) -> None:
    faults = tuple(
        Fault(f"case {row + 1}", "not_a_number", "has a measurement that is not a number")
        for row in np.flatnonzero(~np.isfinite(values).all(axis=1))
    )
    if faults:
        raise ReadingError(f"{len(faults)} case(s) cannot be compared; first: {faults[0]}", faults)
