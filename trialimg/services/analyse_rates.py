"""Rates of a table compared: one rate, the difference of two arms, two arms across strata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_table import Selection
from trialimg.stats.design import in_order
from trialimg.stats.differences import rate_difference, stratified_rate_difference
from trialimg.stats.mantel_haenszel import mantel_haenszel
from trialimg.stats.rates import binomial_p, rate
from trialimg.stats.results import ChiSquare, Estimate
from trialimg.stats.two_by_two import TwoByTwo, fisher_exact, pearson_chi_square

__all__ = [
    "chi_square_document",
    "cmh_document",
    "difference_document",
    "estimate_document",
    "rate_document",
    "tables_by_stratum",
]

Document = dict[str, Any]


def estimate_document(estimate: Estimate) -> Document:
    """An estimate under the keys in which it is printed."""
    return {
        "estimate": estimate.value,
        "lower": estimate.lower,
        "upper": estimate.upper,
        "confidence": estimate.confidence,
        "method": estimate.method,
        "n": estimate.n,
        **({"events": estimate.events} if estimate.events else {}),
        **({} if estimate.se is None else {"se": estimate.se}),
        **({} if estimate.p is None else {"p": estimate.p}),
        "warnings": list(estimate.warnings),
        "data_digest": estimate.data_digest,
    }


def chi_square_document(test: ChiSquare) -> Document:
    """A chi-square test under the keys in which it is printed."""
    return {
        "chi2": test.chi2,
        "df": test.df,
        "p": test.p,
        "method": test.method,
        "n": test.n,
        "events": test.events,
        "warnings": list(test.warnings),
        "data_digest": test.data_digest,
    }


def rate_document(events: int, n: int, *, method: str, confidence: float, null_rate: float | None = None) -> Document:
    """One proportion with its limits, and its exact test where there is a rate to test against."""
    document = {**estimate_document(rate(events, n, confidence=confidence, method=method)), "events": events}
    if null_rate is not None:
        document["null_rate"] = null_rate
        document["p"] = binomial_p(events, n, null_rate=null_rate)
        document["p_greater"] = binomial_p(events, n, null_rate=null_rate, alternative="greater")
    return document


def difference_document(
    tables: Sequence[TwoByTwo], *, method: str, confidence: float, weights: str = "cmh"
) -> Document:
    """The difference of two arms, with Fisher's test and Pearson's chi-square where there is one stratum.

    Raises
    ------
    ReadingError
        If several strata are to be combined by another method than Miettinen and Nurminen's.
    """
    if len(tables) == 1:
        table = tables[0]
        document = estimate_document(rate_difference(table, method=method, confidence=confidence))
        exact = fisher_exact(table, confidence=confidence)
        document["fisher_p"] = exact.p
        if 0 < table.events < table.n:
            document["chi_square_p"] = pearson_chi_square(table).p
        return document
    if method != "miettinen_nurminen":
        raise ReadingError(f"strata are combined by miettinen-nurminen, not {method}; leave --strata or --method out")
    return estimate_document(stratified_rate_difference(tables, weights=weights, confidence=confidence))


def cmh_document(tables: Sequence[TwoByTwo], *, confidence: float) -> Document:
    """Two arms across strata: the test, and the common odds ratio (the estimate) and risk difference."""
    found = mantel_haenszel(tables, confidence=confidence)
    ratio = found.odds_ratio
    return {
        **chi_square_document(found.test),
        "estimate": ratio.value,
        "lower": ratio.lower,
        "upper": ratio.upper,
        "corrected": {"chi2": found.corrected.chi2, "p": found.corrected.p, "method": found.corrected.method},
        "exact_p": found.exact_p,
        "odds_ratio": estimate_document(ratio),
        "risk_difference": estimate_document(found.risk_difference),
        "strata": [
            {
                "stratum": t.stratum,
                "events_1": t.events_1,
                "n_1": t.n_1,
                "events_2": t.events_2,
                "n_2": t.n_2,
            }
            for t in tables
        ],
    }


def tables_by_stratum(data: Selection, *, event: str, by: str, strata: Sequence[str]) -> tuple[TwoByTwo, ...]:
    """The counts of two arms in every stratum; the first arm is the first by name.

    Raises
    ------
    ReadingError
        If there are not exactly two arms.
    """
    arms = sorted(set(data.columns[by]), key=in_order)
    if len(arms) != 2:
        raise ReadingError(f"{data.source}: two arms are compared, but column {by} has {len(arms)}: {', '.join(arms)}")
    names = [" / ".join(str(data.columns[name][row]) for name in strata) for row in range(data.n)]
    tables = []
    for stratum in sorted(set(names), key=in_order):
        rows = [row for row in range(data.n) if names[row] == stratum]
        counts = [[data.columns[event][row] for row in rows if data.columns[by][row] == arm] for arm in arms]
        tables.append(TwoByTwo(sum(counts[0]), len(counts[0]), sum(counts[1]), len(counts[1]), stratum))
    return tuple(tables)
