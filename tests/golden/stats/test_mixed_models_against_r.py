"""Mixed models against R 4.2.2 (nlme 3.1-162: lme, gls) on Potthoff and Roy's growth data, to 1e-6.

nlme stops its own search a little early: its standard errors and standard deviations differ from ours by up to 1.4e-6
(compound symmetry), the coefficients and likelihoods by less than 1e-9. Complete data make the unstructured model's
standard errors exact; they are checked there to 1e-9.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden.stats.r_answers import answers, rows
from trialimg.stats.covariance import Autoregressive, CompoundSymmetry, RandomEffects, Structure, Unstructured
from trialimg.stats.mixed_models import Measurements, MixedFit, mixed_model

pytestmark = pytest.mark.reference
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def statistics(reference: Path) -> Path:
    return reference / "statistics"


def measured(statistics: Path, names: list[str], *, visits: bool) -> Measurements:
    table = rows(statistics / "data", "orthodont.csv")
    age = np.array([float(r["age"]) for r in table])
    female, one = np.array([float(r["Sex"] == "Female") for r in table]), np.ones(len(table))
    if visits:
        dummies = [(age == year).astype(float) for year in (10, 12, 14)]
        columns = [one, *dummies, female, *(d * female for d in dummies)]
    else:
        columns = [one, age, female, age * female]
    moments = (age - 8) / 2 if visits else age
    values, subjects = [float(r["distance"]) for r in table], [r["Subject"] for r in table]
    return Measurements(values, subjects, moments.tolist(), names, np.column_stack(columns))


def require_same(found: MixedFit, case: dict[str, Any], coefficients: str) -> None:
    assert list(found.coefficients) == pytest.approx(case[coefficients], abs=TOLERANCE)
    assert np.sqrt(np.diag(found.covariance)).tolist() == pytest.approx(case["se"], abs=TOLERANCE)
    assert found.loglik == pytest.approx(case["loglik"], abs=TOLERANCE)


@pytest.mark.parametrize(("name", "slope", "restricted"), [("ri_reml", 0, 1), ("rs_reml", 1, 1), ("ri_ml", 0, 0)])
def test_random_effects(statistics: Path, name: str, slope: int, restricted: int) -> None:
    case = answers(statistics, "mixed_models.json")[name]
    data = measured(statistics, case["names"], visits=False)
    found = mixed_model(data, RandomEffects(slope=bool(slope)), restricted=bool(restricted))
    require_same(found, case, "fixef")
    spreads = [math.sqrt(value) for label, value in found.parameters if "variance" in label and label != "covariance"]
    assert spreads == pytest.approx(case["varcomp_sd"], abs=TOLERANCE)
    assert spreads[-1] == pytest.approx(case["sigma"], abs=TOLERANCE)


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("mmrm_unstructured_gls", Unstructured(4)),
        ("mmrm_cs_gls", CompoundSymmetry(4)),
        ("mmrm_ar1_gls", Autoregressive()),
    ],
)
def test_covariances_of_visits(statistics: Path, name: str, structure: Structure) -> None:
    case = answers(statistics, "mixed_models.json")[name]
    found = mixed_model(measured(statistics, case["names"], visits=True), structure)
    require_same(found, case, "coef")
    assert math.sqrt(found.parameters[0][1]) == pytest.approx(case["sigma"], abs=2e-6)


def test_complete_data_have_exact_standard_errors_and_degrees_of_freedom(statistics: Path) -> None:
    case = answers(statistics, "mixed_models.json")["mmrm_unstructured_gls"]
    data = measured(statistics, case["names"], visits=True)
    found = mixed_model(data, Unstructured(4))
    first = np.array(data.values).reshape(27, 4)[:, 0]
    boys = np.array(data.columns)[:, 4].reshape(27, 4)[:, 0] == 0
    pooled = (first[boys].var(ddof=1) * (boys.sum() - 1) + first[~boys].var(ddof=1) * ((~boys).sum() - 1)) / 25
    exact = math.sqrt(pooled * (1 / boys.sum() + 1 / (~boys).sum()))
    assert math.sqrt(found.covariance[4, 4]) == pytest.approx(exact, abs=1e-9)
    assert found.degrees_of_freedom({"SexFemale": 1.0}) == pytest.approx(25, abs=1e-5)
