"""Rates and their differences against R 4.2.2 (binom.test, fisher.test, chisq.test, prop.test, mantelhaen.test).

The score limits of ``risk_difference_score.csv`` are the roots that R's uniroot found at a tight tolerance. The odds
ratios of fisher.test are not: R finds them with its default tolerance of 1.2e-4 on a transformed scale, and one upper
limit (66 of 67 against 3 of 52) it does not find at all (2^52). They are compared to 2 %, the rest to 1e-9.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from tests.golden.stats.r_answers import answers, rows, two_by_two
from trialimg.stats.differences import rate_difference
from trialimg.stats.mantel_haenszel import mantel_haenszel
from trialimg.stats.rates import binomial_p
from trialimg.stats.two_by_two import TwoByTwo, fisher_exact, pearson_chi_square

pytestmark = pytest.mark.reference
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def statistics(reference: Path) -> Path:
    return reference / "statistics"


def test_exact_binomial_tests(statistics: Path) -> None:
    for row in rows(statistics, "binomial_ci.csv"):
        events, n = int(row["x"]), int(row["n"])
        both = binomial_p(events, n, null_rate=0.2)
        above = binomial_p(events, n, null_rate=0.2, alternative="greater")
        assert both == pytest.approx(float(row["p_two_sided_h0_20"]), abs=TOLERANCE)
        assert above == pytest.approx(float(row["p_greater_h0_20"]), abs=TOLERANCE)


@pytest.mark.parametrize(("method", "column"), [("miettinen_nurminen", "mn"), ("mee", "mee"), ("newcombe", "newcombe")])
def test_limits_of_a_rate_difference(statistics: Path, method: str, column: str) -> None:
    cases = rows(statistics, "risk_difference_score.csv")
    assert len(cases) == 104
    for row in cases:
        found = rate_difference(two_by_two(row), method=method)
        expected = [float(row[name]) for name in ("diff", f"{column}_lo", f"{column}_hi")]
        assert [found.value, found.lower, found.upper] == pytest.approx(expected, abs=TOLERANCE), row


def test_two_by_two_tables(statistics: Path) -> None:
    cases = rows(statistics, "two_by_two.csv")
    assert len(cases) == 20
    for row in cases:
        table = two_by_two(row)
        assert fisher_exact(table).p == pytest.approx(float(row["fisher_p"]), abs=TOLERANCE)
        test = pearson_chi_square(table)
        assert (test.chi2, test.p) == pytest.approx((float(row["chisq"]), float(row["chisq_p"])), abs=TOLERANCE)
        for method, column in (("wald", "wald"), ("wald_corrected", "wald_cc")):
            found = rate_difference(table, method=method)
            expected = [float(row[f"{column}_lo"]), float(row[f"{column}_hi"])]
            assert [found.lower, found.upper] == pytest.approx(expected, abs=TOLERANCE)


def test_conditional_odds_ratios_within_the_tolerance_of_r(statistics: Path) -> None:
    for row in rows(statistics, "two_by_two.csv"):
        found = fisher_exact(two_by_two(row))
        for ours, theirs in zip(
            (found.value, found.lower, found.upper), (row["cond_or"], row["or_lo"], row["or_hi"]), strict=True
        ):
            if theirs == "Inf":
                assert ours is None
            elif float(theirs) < 1e15:
                assert ours == pytest.approx(float(theirs), rel=0.021)


def strata(case: dict[str, object]) -> list[TwoByTwo]:
    c = case["counts"]
    assert isinstance(c, list)
    return [TwoByTwo(c[i], c[i] + c[i + 2], c[i + 1], c[i + 1] + c[i + 3]) for i in range(0, len(c), 4)]


def test_cochran_mantel_haenszel(statistics: Path) -> None:
    cases = answers(statistics, "cmh.json")["cases"]
    assert len(cases) == 13
    for case in cases:
        found = mantel_haenszel(strata(case))
        ours = (found.test.chi2, found.test.p, found.corrected.chi2, found.corrected.p, found.exact_p)
        theirs = [case[key] for key in ("cmh", "p", "cmh_cc", "p_cc", "exact_p")]
        assert ours == pytest.approx(theirs, abs=TOLERANCE), case["name"]
        ratio = (found.odds_ratio.value, found.odds_ratio.lower, found.odds_ratio.upper)
        assert ratio == pytest.approx((case["or_mh"], *case["or_ci"]), abs=TOLERANCE), case["name"]


def test_the_risk_ratio_scale_of_another_library_points_the_same_way(statistics: Path) -> None:
    """R has no common risk difference; its sign has to be that of the pooled risk ratio's logarithm."""
    for case in answers(statistics, "cmh.json")["cases"]:
        tables = strata(case)
        pooled = StratifiedTable([[[t.events_1, t.n_1 - t.events_1], [t.events_2, t.n_2 - t.events_2]] for t in tables])
        difference = mantel_haenszel(tables).risk_difference.value
        assert difference is not None
        assert (difference > 0) == (pooled.riskratio_pooled > 1)
