"""Kenward and Roger's standard errors and degrees of freedom against R 4.2.2 (lme4 1.1-31, pbkrtest 0.5.2).

`kenward_roger.csv` beside this file is made up (14 subjects, up to four visits, 46 measurements). R, with
``ctl <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e6))`` and ``v <- factor(t)``:

    lmer(y ~ t * arm + (1 | id), d, control = ctl)    # intercepts
    lmer(y ~ t * arm + (t | id), d, control = ctl)    # slopes
    lmer(y ~ v * arm + (1 | id), d, control = ctl)    # cs

then ``fixef(m)``, ``sqrt(diag(vcovAdj(m)))`` and ``get_Lb_ddf(m, L)``. lme4 stops its search some 1e-8 short of the
maximum; the tolerance is 1e-7.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_ind

from trialimg.core.errors import ProtocolError
from trialimg.stats.covariance import Autoregressive, CompoundSymmetry, RandomEffects, Structure, Unstructured
from trialimg.stats.mixed_models import Measurements, MixedFit, SmallSample, mixed_model

LINES = ("(Intercept)", "t", "arm", "t:arm")
VISITS = ("(Intercept)", "v1", "v2", "v3", "arm", "v1:arm", "v2:arm", "v3:arm")
R: dict[str, tuple[Structure, tuple[str, ...], tuple[tuple[float, float, float], ...]]] = {
    "intercepts": (RandomEffects(slope=False), LINES, (
        (49.624223458, 1.12492260183, 17.9799333266),
        (-1.71181433994, 0.344880419262, 30.0595583977),
        (0.343834295588, 1.59770813002, 18.2428055335),
        (-1.0220688511, 0.510457517262, 30.3408229188),
    )),
    "slopes": (RandomEffects(slope=True), LINES, (
        (49.6385962823, 1.06117328392, 11.8145072874),
        (-1.71153014758, 0.457576042291, 11.0068599997),
        (0.281960811263, 1.50675649944, 11.991384632),
        (-1.02781715791, 0.66593820692, 11.8442829948),
    )),
    "cs": (CompoundSymmetry(4), VISITS, (
        (49.894, 1.19329763564, 22.2212385827),
        (-2.5457649578, 1.17411791293, 26.5060742673),
        (-3.36285336658, 1.52063176757, 27.4251430351),
        (-5.33928571429, 1.11040118312, 26.0189864988),
        (-0.337, 1.68757770027, 22.2212385827),
        (1.09619981818, 1.71392582212, 26.5913008491),
        (-1.55198157241, 1.91835106379, 27.0049826886),
        (-2.90112650274, 1.67092179282, 26.37909439),
    )),
}  # fmt: skip
"""Structure, fixed effects, and of each its coefficient, adjusted standard error and degrees of freedom."""


def table() -> list[dict[str, Any]]:
    with Path(__file__).with_name("kenward_roger.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fitted(structure: Structure, names: tuple[str, ...], small_sample: SmallSample) -> MixedFit:
    rows = table()
    times, arms = (np.array([float(row[name]) for row in rows]) for name in ("t", "arm"))
    dummies = [(times == visit).astype(float) for visit in (1, 2, 3)] if names is VISITS else [times]
    columns = [np.ones(len(rows)), *dummies, arms, *(dummy * arms for dummy in dummies)]
    values, subjects = [float(row["y"]) for row in rows], [row["id"] for row in rows]
    data = Measurements(values, subjects, times.tolist(), names, np.column_stack(columns))
    return mixed_model(data, structure, small_sample=small_sample)


@pytest.mark.parametrize("name", R)
def test_coefficients_standard_errors_and_degrees_of_freedom_are_those_of_pbkrtest(name: str) -> None:
    structure, names, wanted = R[name]
    found = fitted(structure, names, SmallSample.KENWARD_ROGER)
    for term, (coefficient, se, df) in zip(names, wanted, strict=True):
        estimate = found.contrast({term: 1.0})
        assert estimate.value == pytest.approx(coefficient, rel=1e-7)
        assert estimate.se == pytest.approx(se, rel=1e-7)
        assert found.degrees_of_freedom({term: 1.0}) == pytest.approx(df, rel=1e-7)
        assert "(Kenward-Roger)" in estimate.method


def test_where_every_subject_has_the_visit_the_unstructured_model_is_the_t_test() -> None:
    """R: ``t.test(y ~ arm, subset(d, t == 0), var.equal = TRUE)``."""
    found = fitted(Unstructured(4), VISITS, SmallSample.KENWARD_ROGER)
    first = [(row["arm"], float(row["y"])) for row in table() if row["t"] == "0"]
    arms = [[y for arm, y in first if arm == which] for which in "10"]
    test = ttest_ind(*arms)
    estimate = found.contrast({"arm": 1.0})
    assert estimate.p == pytest.approx(test.pvalue, rel=1e-6)
    assert found.degrees_of_freedom({"arm": 1.0}) == pytest.approx(sum(map(len, arms)) - 2, rel=1e-6)


@pytest.mark.parametrize("structure", [Unstructured(4), CompoundSymmetry(4), Autoregressive()], ids=lambda s: s.name)
def test_standard_errors_are_never_smaller_than_without_the_correction(structure: Structure) -> None:
    plain = fitted(structure, VISITS, SmallSample.SATTERTHWAITE)
    found = fitted(structure, VISITS, SmallSample.KENWARD_ROGER)
    assert found.coefficients == plain.coefficients
    assert np.allclose(found.plain_covariance, plain.covariance)
    assert (np.diag(found.covariance) >= np.diag(plain.covariance) * (1 - 1e-9)).all()


def test_it_belongs_to_restricted_maximum_likelihood() -> None:
    rows = [("a", 0.0, 1.0), ("a", 1.0, 2.0), ("b", 0.0, 2.5), ("b", 1.0, 3.0), ("c", 0.0, 0.5), ("c", 1.0, 2.5)]
    columns = np.column_stack([np.ones(6), [moment for _, moment, _ in rows]])
    data = Measurements([y for *_, y in rows], [who for who, *_ in rows], [m for _, m, _ in rows], ("1", "t"), columns)
    with pytest.raises(ProtocolError, match="restricted maximum likelihood"):
        mixed_model(data, CompoundSymmetry(2), restricted=False, small_sample=SmallSample.KENWARD_ROGER)
