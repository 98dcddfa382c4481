"""Kenward and Roger's standard errors, degrees of freedom and F tests against R 4.2.2 (lme4 1.1-31, pbkrtest 0.5.2).

`kenward_roger.csv` beside this file is made up (14 subjects, up to four visits, 46 measurements). R, with
``ctl <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e6))`` and ``v <- factor(t)``:

    lmer(y ~ t * arm + (1 | id), d, control = ctl)    # intercepts
    lmer(y ~ t * arm + (t | id), d, control = ctl)    # slopes
    lmer(y ~ v * arm + (1 | id), d, control = ctl)    # cs

then ``fixef(m)``, ``sqrt(diag(vcovAdj(m)))`` and ``get_Lb_ddf(m, L)``; of several effects at once
``KRmodcomp(m, L)$stats`` (``Fstat, ddf, F.scaling, p.value``). Whole effects: ``anova(m, type = 3, ddf = )`` of
lmerTest 3.1-3, with ``factor(arm)``. lme4 stops its search some 1e-8 short of the maximum; the tolerance is 1e-7.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import f as fisher
from scipy.stats import ttest_ind

from trialimg.core.errors import ProtocolError, ReadingError
from trialimg.services.analyse_longitudinal import MixedChoice, RepeatedColumns, mixed_document
from trialimg.services.analyse_table import Kind, Wanted, read_analysis_table, select
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


JOINT = {
    ("cs", ("v1", "v2", "v3")): (7.80662897, 26.72872436, 0.9999769362, 0.0006700677918),
    ("cs", ("v1:arm", "v2:arm", "v3:arm")): (1.870624551, 26.86734385, 0.9999879476, 0.1585142217),
    ("cs", ("v1", "v2", "v3", "v1:arm", "v2:arm", "v3:arm")): (12.26026888, 26.78313652, 0.9999789658, 1.302437126e-06),
    ("slopes", ("t", "t:arm")): (23.0191289, 11.78972441, 0.9998346486, 8.488001822e-05),
    ("slopes", ("arm", "t:arm")): (1.165087621, 10.93749996, 0.9163983614, 0.3477754595),
    ("intercepts", ("arm", "t:arm")): (2.22987239, 22.12991697, 0.9712059029, 0.1311466959),
    ("intercepts", ("t", "arm", "t:arm")): (25.17408714, 27.96785471, 0.9696112525, 4.239210984e-08),
}
"""Structure and effects; scaled F, denominator degrees of freedom, scale, p."""


def units(names: tuple[str, ...], chosen: tuple[str, ...]) -> np.ndarray[Any, Any]:
    return np.eye(len(names))[[names.index(name) for name in chosen]]


@pytest.mark.parametrize("case", JOINT, ids=lambda case: f"{case[0]} {'+'.join(case[1])}")
def test_several_effects_at_once_are_tested_as_by_pbkrtest(case: tuple[str, tuple[str, ...]]) -> None:
    structure, names, _ = R[case[0]]
    found = fitted(structure, names, SmallSample.KENWARD_ROGER).joint(units(names, case[1]))
    assert (found.f, found.df2, found.scale) == pytest.approx(JOINT[case][:3], rel=1e-7)
    assert found.p == pytest.approx(JOINT[case][3], rel=1e-6)
    assert found.df1 == len(case[1])


WHOLE = {
    ("cs", SmallSample.SATTERTHWAITE): {
        "t": (23.53243318074, 3, 26.462456120),
        "arm": (0.67725217006, 1, 11.834771334),
        "t:arm": (1.88606347675, 3, 26.462456120),
    },
    ("cs", SmallSample.KENWARD_ROGER): {
        "t": (23.43558472540, 3, 26.867343846),
        "arm": (0.67617921485, 1, 12.253647857),
        "t:arm": (1.87062455131, 3, 26.867343846),
    },
    ("slopes", SmallSample.SATTERTHWAITE): {
        "t": (45.039191340489, 1, 9.8519400488),
        "arm": (0.035063508237, 1, 11.9973300652),
        "t:arm": (2.401767905623, 1, 9.8519400518),
    },
    ("slopes", SmallSample.KENWARD_ROGER): {
        "t": (44.670766961236, 1, 11.844282995),
        "arm": (0.035018001416, 1, 11.991384632),
        "t:arm": (2.382121241831, 1, 11.844282995),
    },
}
"""F, and its degrees of freedom; lme4's search leaves the variances of random slopes some 1e-7 off."""


@pytest.mark.parametrize(("covariance", "small_sample"), WHOLE)
def test_whole_effects_are_those_of_lmertest(covariance: str, small_sample: SmallSample) -> None:
    text = Path(__file__).with_name("kenward_roger.csv").read_text(encoding="utf-8")
    kinds = {"y": Kind.NUMBER, "id": Kind.WORD, "t": Kind.COVARIATE, "arm": Kind.WORD}
    data = select(read_analysis_table(text, "it"), [Wanted(name, kind) for name, kind in kinds.items()])
    columns, choice = RepeatedColumns("y", "id", "t", "arm"), MixedChoice(covariance, small_sample=small_sample)
    tests = mixed_document(data, columns, choice, factors={}, confidence=0.95)["tests"]
    wanted = WHOLE[covariance, small_sample]
    assert [test["term"] for test in tests] == list(wanted)
    for test in tests:
        assert (test["f"], test["df1"], test["df2"]) == pytest.approx(wanted[test["term"]], rel=1e-6)


def test_satterthwaites_test_of_several_effects_is_that_of_lmertest() -> None:
    """R: ``contestMD(m, diag(4)[3:4, ])`` of the random slopes."""
    found = fitted(RandomEffects(slope=True), LINES, SmallSample.SATTERTHWAITE)
    test = found.joint(units(LINES, ("arm", "t:arm")))
    assert (test.f, test.df2, test.p) == pytest.approx((1.2815993145, 10.96386651, 0.31610347848), rel=1e-6)
    assert test.scale == 1


@pytest.mark.parametrize("small_sample", SmallSample)
def test_of_one_effect_it_is_the_square_of_the_t_test(small_sample: SmallSample) -> None:
    found = fitted(Autoregressive(), VISITS, small_sample)
    test, one = found.joint(units(VISITS, ("v2:arm",))), found.contrast({"v2:arm": 1.0})
    assert test.f == pytest.approx(((one.value or 0) / (one.se or 1)) ** 2)
    assert (test.p, test.scale) == pytest.approx((one.p, 1.0))


@pytest.mark.parametrize(
    "structure", [Unstructured(4), Autoregressive(), RandomEffects(slope=True)], ids=lambda s: s.name
)
def test_only_the_space_that_the_combinations_span_matters(structure: Structure) -> None:
    found = fitted(structure, LINES, SmallSample.KENWARD_ROGER)
    plain = units(LINES, ("t", "arm", "t:arm"))
    turned = np.array([[1.0, 0, 2], [0, 3, 1], [1, 1, 1]]) @ plain
    one, other = found.joint(plain), found.joint(turned)
    assert (one.f, one.df2, one.scale) == pytest.approx((other.f, other.df2, other.scale), rel=1e-8)
    with pytest.raises(ReadingError, match="combinations of one another"):
        found.joint(np.vstack([plain, plain[:1] + plain[1:2]]))


def complete(seed: int, *, subjects: int = 12, visits: int = 4) -> np.ndarray[Any, Any]:
    """Values without gaps, shape (subject, visit)."""
    random = np.random.default_rng(seed)
    return random.normal(size=(subjects, 1)) * 3 + random.normal(size=(subjects, visits)) + np.arange(visits) / 2


def in_cells(values: np.ndarray[Any, Any], arms: np.ndarray[Any, Any], structure: Structure) -> MixedFit:
    """A mean of its own for every visit in every arm: arm by arm, visit by visit."""
    subjects, visits = values.shape
    cells = np.kron(np.eye(int(arms.max()) + 1)[arms], np.eye(visits))
    names = [f"cell {place}" for place in range(cells.shape[1])]
    who, when = [str(i) for i in range(subjects) for _ in range(visits)], list(range(visits)) * subjects
    data = Measurements(values.ravel().tolist(), who, [float(v) for v in when], names, cells)
    return mixed_model(data, structure, small_sample=SmallSample.KENWARD_ROGER)


def test_a_balanced_split_plot_is_its_analysis_of_variance() -> None:
    values, arms = complete(1), np.repeat([0, 1, 2], 4)
    found = in_cells(values, arms, CompoundSymmetry(4))
    grand, by_visit, by_subject = values.mean(), values.mean(axis=0), values.mean(axis=1)
    by_arm = np.array([values[arms == arm].mean() for arm in range(3)])
    cells = np.array([values[arms == arm].mean(axis=0) for arm in range(3)])
    crossed = cells - by_arm[:, None] - by_visit + grand
    rest = values - cells[arms] - by_subject[:, None] + by_arm[arms][:, None]
    between = 4 * np.square(by_subject - by_arm[arms]).sum() / 9
    within = np.square(rest).sum() / 27
    apart = np.array([[1.0, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]])
    steps = np.array([[1.0, -1, 0], [0, 1, -1]])
    wanted = {
        "arm": (np.kron(steps, np.ones(4)), 16 * np.square(by_arm - grand).sum() / 2 / between, 9),
        "visit": (np.kron(np.ones(3), apart), 12 * np.square(by_visit - grand).sum() / 3 / within, 27),
        "arm:visit": (np.kron(steps, apart), 4 * np.square(crossed).sum() / 6 / within, 27),
    }
    for contrasts, f, df in wanted.values():
        test = found.joint(contrasts)
        assert (test.f, test.df2, test.scale) == pytest.approx((f, df, 1.0), rel=1e-6)
        assert test.p == pytest.approx(float(fisher.sf(f, len(contrasts), df)), rel=1e-5)


def test_of_complete_data_without_structure_it_is_hotellings_t_squared() -> None:
    values, arms = complete(2, subjects=14, visits=3), np.repeat([0, 1], 7)
    found = in_cells(values, arms, Unstructured(3)).joint(np.hstack([np.eye(3), -np.eye(3)]))
    gap = values[:7].mean(axis=0) - values[7:].mean(axis=0)
    pooled = (np.cov(values[:7].T) + np.cov(values[7:].T)) / 2
    squared = float(gap @ np.linalg.solve(pooled, gap)) * 7 * 7 / 14
    assert found.f == pytest.approx(squared * (12 - 3 + 1) / (12 * 3), rel=1e-6)
    assert found.df2 == pytest.approx(10, rel=1e-6)
    assert found.scale == pytest.approx(10 / 12, rel=1e-6)
