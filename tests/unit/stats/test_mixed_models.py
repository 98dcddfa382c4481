"""Mixed models: a naive likelihood as the second route, what must not matter, and what is refused."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import ttest_ind
from statsmodels.regression.mixed_linear_model import MixedLM

from trialimg.core.errors import ReadingError
from trialimg.stats.covariance import Autoregressive, CompoundSymmetry, RandomEffects, Structure, Unstructured
from trialimg.stats.mixed_models import Measurements, MixedFit, mixed_model

Vector = npt.NDArray[np.float64]


def made(seed: int, subjects: int = 40, visits: int = 4, *, gaps: bool = True) -> tuple[Measurements, Vector]:
    """Subjects of two arms with levels and slopes of their own; about one visit in five is missing."""
    random = np.random.default_rng(seed)
    who, when = np.repeat(np.arange(subjects), visits), np.tile(np.arange(visits, dtype=float), subjects)
    arm = (who % 2).astype(float)
    level, slope = random.normal(0, 3, subjects), random.normal(0, 1, subjects)
    y = 50 + level[who] + (-2 + slope[who]) * when - arm * when + random.normal(0, 1.5, len(who))
    kept = (random.random(len(who)) < 0.8) | (when == 0) if gaps else np.ones(len(who), bool)
    x = np.column_stack([np.ones(len(who)), when, arm, arm * when])[kept]
    names = ["(Intercept)", "time", "arm", "time:arm"]
    return Measurements(y[kept].tolist(), who[kept].astype(str).tolist(), when[kept].tolist(), names, x), arm


def naive_loglik(data: Measurements, structure: Structure, theta: Vector) -> float:
    """Restricted, from the whole covariance matrix at once."""
    who, when = np.array(data.subjects), np.array(data.moments)
    y, x = np.array(data.values), data.columns
    whole = np.zeros((len(y), len(y)))
    for name in np.unique(who):
        rows = np.flatnonzero(who == name)
        whole[np.ix_(rows, rows)] = structure.matrix(theta, tuple(when[rows]))
    inverse = np.linalg.inv(whole)
    information = x.T @ inverse @ x
    rest = y - x @ np.linalg.solve(information, x.T @ inverse @ y)
    df = len(y) - x.shape[1]
    parts = (
        df * np.log(2 * np.pi),
        np.linalg.slogdet(whole)[1],
        np.linalg.slogdet(information)[1],
        rest @ inverse @ rest,
    )
    return -0.5 * float(sum(parts))


STRUCTURES = [
    Unstructured(4),
    CompoundSymmetry(4),
    Autoregressive(),
    RandomEffects(slope=False),
    RandomEffects(slope=True),
]


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.name)
def test_no_step_away_from_the_maximum_gains(structure: Structure) -> None:
    data, _ = made(1)
    found = mixed_model(data, structure)
    theta = np.array([value for _, value in found.parameters])
    best = naive_loglik(data, structure, theta)
    assert found.loglik == pytest.approx(best, abs=1e-8)
    spread = np.sqrt(np.diag(found.theta_covariance))
    for place in range(len(theta)):
        for side in (-1, 1):
            moved = theta.copy()
            moved[place] += side * 0.01 * spread[place]
            assert naive_loglik(data, structure, moved) < best
    hessian = np.linalg.inv(found.theta_covariance)
    for i, j in ((0, 0), (0, -1), (-1, -1)):
        assert naive_curvature(data, structure, theta, (i, j), spread) == pytest.approx(
            hessian[i, j], rel=2e-3, abs=2e-4 / (spread[i] * spread[j])
        )


def naive_curvature(
    data: Measurements, structure: Structure, theta: Vector, pair: tuple[int, int], spread: Vector
) -> float:
    """Minus the second derivative of the likelihood, by differences."""
    first, second = (np.eye(len(theta))[place] * 0.02 * spread[place] for place in pair)
    corners = [(1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1)]
    found = sum(sign * naive_loglik(data, structure, theta + a * first + b * second) for a, b, sign in corners)
    return -found / (4 * 0.02**2 * spread[pair[0]] * spread[pair[1]])


@pytest.mark.parametrize("slope", [False, True])
def test_random_effects_agree_with_another_library(slope: bool) -> None:
    data, _ = made(2)
    found = mixed_model(data, RandomEffects(slope=slope))
    random = np.column_stack([np.ones(len(data.values)), data.moments])[:, : 2 if slope else 1]
    other = MixedLM(np.array(data.values), data.columns, groups=np.array(data.subjects), exog_re=random).fit(gtol=1e-10)
    assert list(found.coefficients) == pytest.approx(other.fe_params, abs=1e-4)
    assert found.loglik == pytest.approx(other.llf, abs=1e-5)
    assert found.loglik > other.llf - 1e-9


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: s.name)
def test_order_of_rows_and_unit_do_not_matter(structure: Structure) -> None:
    data, _ = made(3)
    order = np.random.default_rng(0).permutation(len(data.values))
    turned = Measurements(
        [data.values[i] / 10 for i in order],
        [data.subjects[i] for i in order],
        [data.moments[i] for i in order],
        data.names,
        data.columns[order],
    )
    there, back = mixed_model(data, structure), mixed_model(turned, structure)
    for name in data.names:
        one, other = there.contrast({name: 1.0}), back.contrast({name: 1.0})
        assert one.value == pytest.approx(10 * (other.value or 0), abs=1e-7)
        assert one.se == pytest.approx(10 * (other.se or 0), rel=1e-6)
        assert there.degrees_of_freedom({name: 1.0}) == pytest.approx(back.degrees_of_freedom({name: 1.0}), rel=1e-5)


def by_visit(data: Measurements, arm: Vector) -> tuple[Measurements, list[str]]:
    when, who = np.array(data.moments), np.array(data.subjects).astype(int)
    groups = arm.reshape(-1, 4)[who, 0]
    columns = [np.ones(len(when)), *((when == v).astype(float) for v in (1, 2, 3))]
    columns += [c * groups for c in columns]
    names = [*(f"v{i}" for i in range(4)), *(f"v{i}:arm" for i in range(4))]
    return Measurements(data.values, data.subjects, data.moments, names, np.column_stack(columns)), names


def test_complete_data_give_the_two_sample_t_test_at_each_visit() -> None:
    data, arm = made(4, gaps=False)
    model, _ = by_visit(data, arm)
    found: MixedFit = mixed_model(model, Unstructured(4))
    at_first = found.contrast({"v0:arm": 1.0})
    values, groups = np.array(data.values).reshape(40, 4)[:, 0], arm.reshape(40, 4)[:, 0]
    other = ttest_ind(values[groups == 1], values[groups == 0])
    assert (at_first.value or 0) / (at_first.se or 1) == pytest.approx(other.statistic, abs=1e-7)
    assert found.degrees_of_freedom({"v0:arm": 1.0}) == pytest.approx(38, abs=1e-4)
    assert at_first.p == pytest.approx(other.pvalue, abs=1e-6)


def test_every_bad_measurement_is_named() -> None:
    x = np.ones((4, 1))
    with pytest.raises(ReadingError) as refusal:
        mixed_model(
            Measurements([1, 2, float("nan"), 4], ["a", "a", "b", "b"], [0, 0, 0, 1], ["one"], x), RandomEffects(False)
        )
    assert [(f.where, f.code) for f in refusal.value.faults] == [("entry 2", "doubled"), ("entry 3", "bad_value")]


def test_fixed_effects_that_say_the_same_are_refused() -> None:
    data, _ = made(5)
    twice = np.column_stack([data.columns, data.columns[:, 1]])
    with pytest.raises(ReadingError, match="combinations of one another"):
        mixed_model(
            Measurements(data.values, data.subjects, data.moments, [*data.names, "again"], twice), RandomEffects(False)
        )


def test_a_variance_of_zero_is_refused_not_estimated() -> None:
    """Subjects that vary less than by chance have no variance between them."""
    random = np.random.default_rng(6)
    noise = random.normal(size=(30, 4))
    y = (noise - 0.9 * noise.mean(axis=1, keepdims=True)).ravel()
    who, when = np.repeat(np.arange(30), 4).astype(str), np.tile(np.arange(4.0), 30)
    with pytest.raises(ReadingError, match="border of what is possible"):
        mixed_model(
            Measurements(y.tolist(), who.tolist(), when.tolist(), ["one"], np.ones((120, 1))), RandomEffects(False)
        )


def test_values_that_leave_nothing_to_vary_are_refused() -> None:
    one = np.ones((6, 1))
    who, when = ["a", "a", "b", "b", "c", "c"], [0.0, 1] * 3
    with pytest.raises(ReadingError, match="nothing is left to vary"):
        mixed_model(Measurements([2.5] * 6, who, when, ["one"], one), CompoundSymmetry(2))
    alone = Measurements([1.0, 2, 4, 3], ["a", "b", "c", "d"], [0.0, 1, 0, 1], ["one"], np.ones((4, 1)))
    with pytest.raises(ReadingError, match="do not determine"):
        mixed_model(alone, CompoundSymmetry(2))
