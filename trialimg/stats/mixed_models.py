"""Repeated measurements: a mixed model by restricted maximum likelihood, and how sure its fixed effects are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy.stats import f as fisher
from scipy.stats import t as student

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ProtocolError, ReadingError
from trialimg.stats.covariance import Moments, Structure
from trialimg.stats.kenward_roger import scale_and_degrees
from trialimg.stats.mixed_likelihood import Likelihood, Pattern
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate, FTest

__all__ = ["Measurements", "MixedFit", "SmallSample", "mixed_model"]

Vector = npt.NDArray[np.float64]
NO_INFORMATION = 1e-9
ROUND_OFF = 1e-20
SAME_DEGREES = 1e-8
FEWEST_DEGREES = 2.0
"""Below, an F has no mean."""


class SmallSample(Enum):
    """How degrees of freedom and standard errors allow for a covariance that was estimated."""

    SATTERTHWAITE = "satterthwaite"
    """Degrees of freedom by the observed information; standard errors as if the covariance were known."""
    KENWARD_ROGER = "kenward-roger"
    """Both corrected, by the expected information; for restricted maximum likelihood."""

    @property
    def printed(self) -> str:
        return "Kenward-Roger" if self is SmallSample.KENWARD_ROGER else "Satterthwaite"


@dataclass(frozen=True, eq=False)
class Measurements:
    """Values of subjects at moments, with the columns of the fixed effects."""

    values: Sequence[float]
    subjects: Sequence[str]
    moments: Sequence[float]
    """As the covariance structure reads them: places in the list of visits, or times."""
    names: Sequence[str]
    columns: Vector
    """Shape (measurement, fixed effect)."""

    @property
    def digest(self) -> str:
        """Names the measurements with their fixed effects."""
        rows = [list(map(float, self.values)), list(self.subjects), list(map(float, self.moments))]
        return digest_of([*rows, self.columns.tolist()])

    def require(self) -> None:
        """Refuse measurements that cannot be.

        Raises
        ------
        ReadingError
            Names every value that is not a number and every subject measured twice at one moment; and fixed effects
            that are combinations of one another.
        """
        faults: list[Fault] = []
        seen: set[tuple[str, float]] = set()
        for place, key in enumerate(zip(self.subjects, self.moments, strict=True), start=1):
            if key in seen:
                said = f"subject {key[0]} has a measurement at {key[1]:g} already"
                faults.append(Fault(f"entry {place}", "doubled", said))
            seen.add(key)
        faults += [
            Fault(f"entry {place}", "bad_value", f"a measurement is a number, not {value}")
            for place, value in enumerate(self.values, start=1)
            if not math.isfinite(value)
        ]
        if faults:
            raise ReadingError(f"{len(faults)} measurements cannot be analysed; first: {faults[0]}", tuple(faults))
        spread = self.columns / np.maximum(np.abs(self.columns).max(axis=0), 1e-300)
        if np.linalg.matrix_rank(spread) < len(self.names):
            raise ReadingError(
                f"the fixed effects {', '.join(self.names)} are combinations of one another; a group may lack a visit"
            )
        if len(self.values) <= len(self.names):
            raise ReadingError(f"{len(self.values)} measurements are too few for {len(self.names)} fixed effects")


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A fitted mixed model."""

    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    covariance: Vector
    """Of the coefficients, as the standard errors have it."""
    plain_covariance: Vector
    """The same as if the covariance of the measurements were known."""
    parameters: tuple[tuple[str, float], ...]
    """Of the covariance structure."""
    theta_covariance: Vector
    """Of those parameters, from the information that the small-sample method rests on."""
    covariance_slopes: Vector
    """Derivatives of the plain covariance by each parameter."""
    small_sample: SmallSample
    loglik: float
    restricted: bool
    n_subjects: int
    n: int
    confidence: float
    method: str
    warnings: tuple[str, ...]
    data_digest: str

    def contrast(self, weights: Mapping[str, float] | Vector, *, label: str = "") -> Estimate:
        """A combination of coefficients, with its degrees of freedom in the method's words."""
        vector = self._vector(weights)
        value, variance = float(vector @ np.array(self.coefficients)), float(vector @ self.covariance @ vector)
        df = self.degrees_of_freedom(vector)
        se = math.sqrt(variance)
        half = float(student.ppf((1 + self.confidence) / 2, df)) * se
        return Estimate(
            value,
            value - half,
            value + half,
            self.confidence,
            f"{label or self.method}, t with {df:.2f} degrees of freedom ({self.small_sample.printed})",
            self.n_subjects,
            0,
            se=se,
            p=float(2 * student.sf(abs(value) / se, df)),
            data_digest=self.data_digest,
        )

    def degrees_of_freedom(self, weights: Mapping[str, float] | Vector) -> float:
        """Twice the squared variance of the combination over the variance of that variance.

        Notes
        -----
        Of a single combination Kenward and Roger's scale is 1 and their degrees of freedom are of this form too, with
        the unadjusted variance and the expected information.
        """
        vector = self._vector(weights)
        variance = float(vector @ self.plain_covariance @ vector)
        slopes = np.einsum("i,kij,j->k", vector, self.covariance_slopes, vector)
        return float(2 * variance**2 / (slopes @ self.theta_covariance @ slopes))

    def joint(self, contrasts: Vector) -> FTest:
        """Whether several combinations of coefficients are all 0.

        Parameters
        ----------
        contrasts
            Shape (combination, coefficient).

        Raises
        ------
        ReadingError
            If the combinations are combinations of one another, or leave too few degrees of freedom for an F.

        Notes
        -----
        Kenward and Roger: their scaled F. Satterthwaite: the combinations are turned until they are independent, and
        the F has the degrees of freedom of the sum of their squared t (Fai and Cornelius 1996, as ``lmerTest``).
        """
        if np.linalg.matrix_rank(contrasts) < len(contrasts):
            raise ReadingError("the combinations to be tested are combinations of one another")
        found = contrasts @ np.array(self.coefficients)
        spread = contrasts @ self.covariance @ contrasts.T
        plain = float(found @ np.linalg.solve(spread, found)) / len(contrasts)
        scale, df = self._scale_and_degrees(contrasts, spread)
        if not df > FEWEST_DEGREES and len(contrasts) > 1:
            raise ReadingError(f"{df:.2f} degrees of freedom are too few for an F of {len(contrasts)} combinations")
        return FTest(
            f=scale * plain,
            df1=len(contrasts),
            df2=df,
            p=float(fisher.sf(scale * plain, len(contrasts), df)),
            scale=scale,
            n=self.n_subjects,
            method=f"F test, {self.small_sample.printed} degrees of freedom",
            data_digest=self.data_digest,
        )

    def _scale_and_degrees(self, contrasts: Vector, spread: Vector) -> tuple[float, float]:
        if len(contrasts) == 1:
            return 1.0, self.degrees_of_freedom(contrasts[0])
        if self.small_sample is SmallSample.KENWARD_ROGER:
            return scale_and_degrees(
                contrasts, self.plain_covariance, self.covariance_slopes, theta_covariance=self.theta_covariance
            )
        turned = np.linalg.eigh(spread)[1].T @ contrasts
        each = np.array([self.degrees_of_freedom(vector) for vector in turned])
        if np.ptp(each) < SAME_DEGREES * each.max():
            return 1.0, float(each.mean())
        if each.min() <= FEWEST_DEGREES:
            return 1.0, FEWEST_DEGREES
        mean = float((each / (each - 2)).sum())
        return 1.0, 2 * mean / (mean - len(contrasts))

    def _vector(self, weights: Mapping[str, float] | Vector) -> Vector:
        if isinstance(weights, Mapping):
            return np.array([weights.get(name, 0.0) for name in self.names])
        return np.asarray(weights, np.float64)


def mixed_model(
    data: Measurements,
    structure: Structure,
    *,
    restricted: bool = True,
    small_sample: SmallSample = SmallSample.SATTERTHWAITE,
    confidence: float = 0.95,
) -> MixedFit:
    """Fixed effects of repeated measurements whose covariance has a given structure.

    Parameters
    ----------
    restricted
        Restricted maximum likelihood; otherwise maximum likelihood.

    Raises
    ------
    ReadingError
        For measurements that cannot be, or a covariance that the data do not determine.
    ProtocolError
        If the confidence cannot be followed, or Kenward and Roger's correction is asked for without ``restricted``.

    Notes
    -----
    Fisher scoring with halved steps to a gradient of 1e-9 standard errors. Satterthwaite's degrees of freedom rest on
    the observed curvature of the likelihood, as in ``mmrm`` and ``lmerTest``; Kenward and Roger's on the expected one,
    as in their paper and in ``pbkrtest``. Missing visits are taken as missing at random.

    References
    ----------
    Laird NM, Ware JH. Biometrics 1982. Jennrich RI, Schluchter MD. Biometrics 1986. Fai AH, Cornelius PL. J Stat
    Comput Simul 1996 (degrees of freedom). Kenward MG, Roger JH. Biometrics 1997.
    """
    require_confidence(confidence)
    corrected = small_sample is SmallSample.KENWARD_ROGER
    if corrected and not restricted:
        raise ProtocolError("Kenward and Roger's correction belongs to restricted maximum likelihood")
    data.require()
    fit = Likelihood(_patterns(data), structure, restricted=restricted)
    theta, state = fit.maximum(structure.start(_residual_variance(data)))
    if not _determined(state.information) or not _determined(curvature := fit.curvature(theta, state)):
        raise ReadingError(f"the data do not determine the {structure.name}; choose a simpler one")
    return MixedFit(
        names=tuple(data.names),
        coefficients=tuple(map(float, state.coefficients)),
        covariance=fit.corrected(theta, state) if corrected else state.covariance,
        plain_covariance=state.covariance,
        parameters=tuple(zip(structure.parameters, map(float, theta), strict=True)),
        theta_covariance=np.asarray(np.linalg.inv(state.information if corrected else curvature)),
        covariance_slopes=state.covariance_slopes,
        small_sample=small_sample,
        loglik=state.loglik,
        restricted=restricted,
        n_subjects=len(set(data.subjects)),
        n=len(data.values),
        confidence=confidence,
        method=f"mixed model, {structure.name}, {'restricted ' if restricted else ''}maximum likelihood",
        warnings=(),
        data_digest=data.digest,
    )


def _residual_variance(data: Measurements) -> float:
    """Around the fixed effects, as if measurements were independent."""
    values = np.asarray(data.values, float)
    rest = values - data.columns @ np.linalg.lstsq(data.columns, values, rcond=None)[0]
    variance = float(rest @ rest) / (len(rest) - len(data.names))
    if variance <= ROUND_OFF * float(np.square(values).max()):
        raise ReadingError("the fixed effects fit every measurement exactly; nothing is left to vary")
    return variance


def _determined(information: Vector) -> bool:
    """Whether every parameter has its own say in the likelihood."""
    size = np.sqrt(np.abs(np.diag(information)))
    if (np.diag(information) <= 0).any():
        return False
    return bool(np.linalg.eigvalsh(information / np.outer(size, size))[0] > NO_INFORMATION)


def _patterns(data: Measurements) -> list[Pattern]:
    values, columns = np.asarray(data.values, float), data.columns
    rows: dict[str, list[int]] = {}
    for row in np.argsort(np.asarray(data.moments, float), kind="stable"):
        rows.setdefault(data.subjects[int(row)], []).append(int(row))
    together: dict[Moments, list[list[int]]] = {}
    for places in rows.values():
        together.setdefault(tuple(float(data.moments[p]) for p in places), []).append(places)
    return [Pattern(moments, values[np.array(g)], columns[np.array(g)]) for moments, g in together.items()]
