"""How one measured quantity goes with an outcome that is there or not, as an odds ratio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from trialimg.core.digest import digest_of
from trialimg.core.errors import ReadingError
from trialimg.stats.observations import require_length
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate

__all__ = ["odds_per_sd"]

FEW_EVENTS = 10
_ODDS = "log odds ratio per standard deviation, logistic regression by maximum likelihood, Wald"
_FLAT = 1e-12
_TOLERANCE = 1e-12
_MOST_STEPS = 200


def odds_per_sd(values: Sequence[float], positive: Sequence[bool | int], *, confidence: float = 0.95) -> Estimate:
    """The log odds ratio of one standard deviation of a quantity, by logistic regression on it alone.

    Raises
    ------
    ReadingError
        For unequal lengths, values that are not numbers, or an outcome that all or none have.

    Notes
    -----
    Without an estimate where the quantity does not vary, and where it separates those with the outcome from those
    without (they meet in one value at most): the likelihood has no maximum then, and any number that a fit stops at is
    one of its stopping rule.

    References
    ----------
    Albert A, Anderson JA. On the existence of maximum likelihood estimates in logistic regression models. Biometrika
    1984.
    """
    require_confidence(confidence)
    sample = np.asarray(values, dtype=float)
    require_length(len(sample), positive, "outcomes")
    has = np.asarray([bool(one) for one in positive])
    if not np.isfinite(sample).all():
        raise ReadingError("an odds ratio is made of numbers")
    n, events = len(sample), int(has.sum())
    if events in (0, n):
        raise ReadingError(f"all or none of {n} have the outcome; there is nothing to compare")
    digest = digest_of([sample.tolist(), [int(one) for one in has]])

    def none(why: str) -> Estimate:
        return Estimate(None, None, None, confidence, _ODDS, n, events, (why,), data_digest=digest)

    sd = float(sample.std(ddof=1))
    if sd <= _FLAT * max(1.0, float(np.abs(sample).max())):
        return none("constant: the quantity does not vary")
    if _separates(sample, has):
        return none("separated: the quantity tells those with the outcome from those without; no odds ratio is finite")
    effect, se = _fitted((sample - sample.mean()) / sd, has)
    half, p = float(norm.ppf((1 + confidence) / 2)) * se, float(2 * norm.sf(abs(effect) / se))
    smaller = min(events, n - events)
    warnings = (f"few_events: {smaller} in the smaller group",) if smaller < FEW_EVENTS else ()
    ends = effect - half, effect + half
    return Estimate(effect, *ends, confidence, _ODDS, n, events, warnings, se, p, digest)


def _separates(sample: npt.NDArray[np.float64], has: npt.NDArray[np.bool_]) -> bool:
    """Whether some cut has all with the outcome on one side of it and all without on the other, or on it."""
    with_it, without = sample[has], sample[~has]
    return bool(with_it.min() >= without.max() or without.min() >= with_it.max())


def _fitted(standardised: npt.NDArray[np.float64], has: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and its standard error."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    design = np.column_stack([np.ones(len(standardised)), standardised])
    found = GLM(has.astype(float), design, family=Binomial()).fit(maxiter=_MOST_STEPS, tol=_TOLERANCE)
    return float(found.params[1]), float(found.bse[1])
