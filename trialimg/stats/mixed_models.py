"""Repeated measurements: a mixed model by restricted maximum likelihood, and how sure its fixed effects are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ProtocolError, ReadingError
from trialimg.stats.covariance import Moments, Structure
from trialimg.stats.kenward_roger import adjusted_covariance
from trialimg.stats.rates import require_confidence
from trialimg.stats.results import Estimate

__all__ = ["Measurements", "MixedFit", "SmallSample", "mixed_model"]

Vector = npt.NDArray[np.float64]
NO_INFORMATION = 1e-9
ROUND_OFF = 1e-20
MOST_ITERATIONS = 200
MOST_HALVINGS = 40
SMALL_GRADIENT = 1e-9
"""Of the log-likelihood, per standard error of a parameter."""


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
class _Pattern:
    """The subjects that share their moments."""

    moments: Moments
    values: Vector
    """Shape (subject, moment)."""
    columns: Vector
    """Shape (subject, moment, fixed effect)."""


@dataclass(frozen=True, eq=False)
class _State:
    """Everything that parameters of the covariance imply."""

    loglik: float
    gradient: Vector
    information: Vector
    """Expected."""
    coefficients: Vector
    covariance: Vector
    """Of the coefficients."""
    covariance_slopes: Vector
    """Derivatives of it by each parameter."""
    sums: _Sums


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
        If the confidence cannot be followed, or Kenward and Roger's correction is asked for without restricted
        maximum likelihood.

    Notes
    -----
    Fisher scoring with halved steps to a gradient of 1e-9 standard errors. Satterthwaite's degrees of freedom rest on
    the observed curvature of the likelihood, as in ``mmrm`` and ``lmerTest``; Kenward and Roger's on the expected one,
    as in their paper and in ``pbkrtest`` (SAS and ``mmrm`` take the observed one there too). Missing visits are taken
    as missing at random: a subject contributes the visits it has.

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
    fit = _Reml(_patterns(data), structure, restricted=restricted)
    theta, state = fit.maximum(structure.start(_residual_variance(data)))
    if not _determined(state.information) or not _determined(curvature := fit.curvature(theta)):
        raise ReadingError(f"the data do not determine the {structure.name}; choose a simpler one")
    columns = [list(map(float, data.values)), list(data.subjects), list(map(float, data.moments))]
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
        data_digest=digest_of([*columns, data.columns.tolist()]),
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


def _patterns(data: Measurements) -> list[_Pattern]:
    values, columns = np.asarray(data.values, float), data.columns
    rows: dict[str, list[int]] = {}
    for row in np.argsort(np.asarray(data.moments, float), kind="stable"):
        rows.setdefault(data.subjects[int(row)], []).append(int(row))
    together: dict[Moments, list[list[int]]] = {}
    for places in rows.values():
        together.setdefault(tuple(float(data.moments[p]) for p in places), []).append(places)
    return [_Pattern(moments, values[np.array(g)], columns[np.array(g)]) for moments, g in together.items()]


class _Reml:
    """The likelihood of covariance parameters, summed over subjects that share their moments."""

    def __init__(self, patterns: list[_Pattern], structure: Structure, *, restricted: bool) -> None:
        self._patterns, self._structure, self._restricted = patterns, structure, restricted

    def maximum(self, theta: Vector) -> tuple[Vector, _State]:
        state = self.at(theta)
        for _ in range(MOST_ITERATIONS):
            step = np.asarray(np.linalg.lstsq(state.information, state.gradient, rcond=1e-12)[0])
            if float(state.gradient @ step) < SMALL_GRADIENT**2:
                return theta, state
            theta, state = self._improved(theta, state, step)
        raise ReadingError(f"the {self._structure.name} did not settle; choose a simpler one")

    def _improved(self, theta: Vector, state: _State, step: Vector) -> tuple[Vector, _State]:
        for halving in range(MOST_HALVINGS):
            tried = theta + step / 2**halving
            if not self._structure.allowed(tried):
                continue
            found = self.at(tried)
            if found.loglik >= state.loglik - 1e-11 * abs(state.loglik):
                return tried, found
        raise ReadingError(
            f"the {self._structure.name} lies on the border of what is possible (a variance of 0, or a correlation"
            " of 1); choose a simpler one"
        )

    def curvature(self, theta: Vector) -> Vector:
        """Observed information, by central differences of the exact gradient."""
        columns = []
        scale = np.sqrt(np.diag(np.linalg.inv(self.at(theta).information)))
        for place, size in enumerate(scale):
            step = np.zeros_like(theta)
            step[place] = 1e-4 * size
            columns.append((self.at(theta - step).gradient - self.at(theta + step).gradient) / (2e-4 * size))
        curvature = np.array(columns)
        return np.asarray((curvature + curvature.T) / 2)

    def corrected(self, theta: Vector, state: _State) -> Vector:
        """Kenward and Roger's covariance of the fixed effects."""
        curves = sum(self._curves(theta, pattern) for pattern in self._patterns)
        return adjusted_covariance(
            state.covariance,
            state.sums.squeeze,
            state.sums.cross_squeeze,
            np.asarray(curves),
            theta_covariance=np.asarray(np.linalg.inv(state.information)),
        )

    def _curves(self, theta: Vector, pattern: _Pattern) -> Vector:
        """X W V'' W X of each pair of parameters; V'' by central differences of the exact slopes, 0 if V is linear."""
        inverse = np.asarray(np.linalg.inv(self._structure.matrix(theta, pattern.moments)))
        steps = np.diag(1e-5 * np.maximum(np.abs(theta), 1e-3))
        second = [
            self._structure.slopes(theta + step, pattern.moments)
            - self._structure.slopes(theta - step, pattern.moments)
            for step in steps
        ]
        bent = np.array(second) / (2 * np.diag(steps))[:, None, None, None]
        weighted = np.einsum("ab,klbc,cd->klad", inverse, bent, inverse)
        grams = np.einsum("nia,njb->ijab", pattern.columns, pattern.columns)
        return np.asarray(np.einsum("klij,ijab->klab", weighted, grams))

    def at(self, theta: Vector) -> _State:
        """Likelihood, its slopes, and the fixed effects that belong to these parameters."""
        inverses = [np.asarray(np.linalg.inv(self._structure.matrix(theta, p.moments))) for p in self._patterns]
        pairs = list(zip(self._patterns, inverses, strict=True))
        weight = sum(np.einsum("nia,ij,njb->ab", p.columns, w, p.columns) for p, w in pairs)
        pull = sum(np.einsum("nia,ij,nj->a", p.columns, w, p.values) for p, w in pairs)
        covariance = np.linalg.inv(np.asarray(weight))
        beta = covariance @ np.asarray(pull)
        sums = _Sums.zero(len(theta), len(beta))
        for pattern, inverse in pairs:
            sums.add(pattern, inverse, self._structure.slopes(theta, pattern.moments), beta)
        shrunk = np.einsum("ab,kbc->kac", covariance, sums.squeeze)
        gradient = 0.5 * (sums.quadratic - sums.trace)
        information = 0.5 * sums.cross
        loglik = sums.loglik
        if self._restricted:
            gradient = gradient + 0.5 * np.einsum("kaa->k", shrunk)
            information = information - np.einsum("ab,klba->kl", covariance, sums.cross_squeeze)
            information = information + 0.5 * np.einsum("kab,lba->kl", shrunk, shrunk)
            _, determinant = np.linalg.slogdet(covariance)
            loglik += 0.5 * determinant + 0.5 * len(beta) * math.log(2 * math.pi)
        slopes = np.einsum("kab,bc->kac", shrunk, covariance)
        return _State(loglik, gradient, information, beta, covariance, slopes, sums)


@dataclass(eq=False)
class _Sums:
    """Sums over subjects; W is the inverse covariance, V' a derivative, X the fixed effects, e the residual."""

    loglik: float
    trace: Vector
    """W V'."""
    quadratic: Vector
    """e W V' W e."""
    squeeze: Vector
    """X W V' W X."""
    cross: Vector
    """Trace of W V' W V'."""
    cross_squeeze: Vector
    """X W V' W V' W X."""

    @classmethod
    def zero(cls, parameters: int, effects: int) -> _Sums:
        k, p = parameters, effects
        return cls(0.0, np.zeros(k), np.zeros(k), np.zeros((k, p, p)), np.zeros((k, k)), np.zeros((k, k, p, p)))

    def add(self, pattern: _Pattern, inverse: Vector, slopes: Vector, beta: Vector) -> None:
        subjects, moments = pattern.values.shape
        residual = pattern.values - pattern.columns @ beta
        inside = np.einsum("ij,kjl->kil", inverse, slopes)
        around = np.einsum("kil,lm->kim", inside, inverse)
        grams = np.einsum("nia,njb->ijab", pattern.columns, pattern.columns)
        _, determinant = np.linalg.slogdet(inverse)
        self.loglik += 0.5 * subjects * (determinant - moments * math.log(2 * math.pi))
        self.loglik -= 0.5 * float(np.einsum("ni,ij,nj->", residual, inverse, residual))
        self.trace += subjects * np.einsum("kii->k", inside)
        self.quadratic += np.einsum("ni,kij,nj->k", residual, around, residual)
        self.squeeze += np.einsum("kij,ijab->kab", around, grams)
        self.cross += subjects * np.einsum("kij,lji->kl", inside, inside)
        twice = np.einsum("kij,ljm->klim", inside, around)
        self.cross_squeeze += np.einsum("klij,ijab->klab", twice, grams)
