"""Two readers of the same cases compared, on categories or on measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialimg.services.analyse_rates import estimate_document
from trialimg.services.analyse_table import Selection
from trialimg.stats.design import in_order
from trialimg.stats.kappa import KAPPA_WEIGHTS, cohen_kappa, cross_table, fleiss_kappa, gwet_ac1
from trialimg.stats.rates import rate
from trialimg.stats.reliability import ICC_FORMS, bland_altman, intraclass_correlation, lin_concordance

__all__ = ["category_document", "measurement_document"]

Document = dict[str, Any]


def category_document(
    data: Selection, raters: Sequence[str], *, categories: Sequence[str] | None, confidence: float
) -> Document:
    """Agreement of two or more readers on categories.

    Parameters
    ----------
    raters
        One column per reader.
    categories
        In their order, which matters for weights; None: all that occur, numbers by size, words by name.
    """
    answers = [[str(cell) for cell in data.columns[name]] for name in raters]
    names = list(categories) if categories else sorted({cell for reader in answers for cell in reader}, key=in_order)
    agreed = sum(len(set(case)) == 1 for case in zip(*answers, strict=True))
    document: Document = {
        "n": data.n,
        "readers": len(raters),
        "categories": names,
        "agreement": estimate_document(rate(agreed, data.n, confidence=confidence, method="wilson")),
    }
    tables = [[[float(cell == name) for name in names] for cell in reader] for reader in answers]
    counts = [[int(sum(column)) for column in zip(*case, strict=True)] for case in zip(*tables, strict=True)]
    if len(raters) == 2:
        table = cross_table(answers[0], answers[1], categories=names)
        found = cohen_kappa(table, confidence=confidence)
        document = {**estimate_document(found), **document}
        for weights in KAPPA_WEIGHTS:
            document[f"kappa_{weights}"] = estimate_document(cohen_kappa(table, weights=weights, confidence=confidence))
        document["ac1"] = estimate_document(gwet_ac1(table, confidence=confidence))
        document["table"] = [
            {raters[0]: name, **{f"{raters[1]} {other}": int(n) for other, n in zip(names, row, strict=True)}}
            for name, row in zip(names, table.tolist(), strict=True)
        ]
    else:
        document = {**estimate_document(fleiss_kappa(counts, confidence=confidence)), **document}
    document["warnings"] = [*document["warnings"], *data.warnings]
    return {**document, "data_digest": data.digest}


def measurement_document(data: Selection, raters: Sequence[str], *, form: str, confidence: float) -> Document:
    """Agreement of two or more readers on measurements.

    Parameters
    ----------
    form
        The intraclass correlation given first; all six are given.
    """
    ratings = [list(case) for case in zip(*(data.columns[name] for name in raters), strict=True)]
    chosen = intraclass_correlation(ratings, form=form, confidence=confidence)
    document: Document = {**estimate_document(chosen), "readers": len(raters)}
    document["icc"] = [
        {"form": name, **estimate_document(intraclass_correlation(ratings, form=name, confidence=confidence))}
        for name in ICC_FORMS
    ]
    if len(raters) == 2 and data.n > 2:
        first, second = (data.columns[name] for name in raters)
        document["concordance"] = estimate_document(lin_concordance(first, second, confidence=confidence))
        limits = bland_altman(first, second, confidence=confidence)
        document["bland_altman"] = {
            "bias": limits.bias.value,
            "bias_lower": limits.bias.lower,
            "bias_upper": limits.bias.upper,
            "sd": limits.sd,
            "lower_limit": limits.lower_limit.value,
            "upper_limit": limits.upper_limit.value,
            "multiplier": limits.multiplier,
            "limits": {
                "lower": estimate_document(limits.lower_limit),
                "upper": estimate_document(limits.upper_limit),
            },
            "proportional_slope": estimate_document(limits.proportional_slope),
        }
    document["warnings"] += data.warnings
    return {**document, "data_digest": data.digest}
