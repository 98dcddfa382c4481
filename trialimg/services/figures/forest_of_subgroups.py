"""The forest plot of a comparison in subgroups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialimg.services.analyse_subgroups import Compared
from trialimg.services.figures.courses import Imprint
from trialimg.services.figures.figure import Figure
from trialimg.services.figures.forest import Effect, ForestRow, forest

__all__ = ["forest_of_subgroups"]

Document = Mapping[str, Any]
LONGEST_REASON = 34


def forest_of_subgroups(document: Document, columns: Compared, *, imprint: Imprint) -> Figure:
    """Everyone first, then each factor with its levels, events and subjects by arm beside them."""
    reference, other = columns.arms
    is_ratio = document["measure"] == "hazard ratio"
    effect = Effect(
        f"{document['measure'].capitalize()}, {other} against {reference}",
        is_ratio,
        document["method"],
        document["confidence"],
        less_favours=other if is_ratio else "",
        more_favours=reference if is_ratio else "",
    )
    rows = [_row(document["overall"], is_overall=True), *_factors(document["factors"])]
    headings = (f"{other}\nevents/n", f"{reference}\nevents/n")
    title = f"{document['measure'].capitalize()} by subgroup"
    return forest(rows, effect, title=title, count_headings=headings, imprint=imprint)


def _factors(factors: list[Document]) -> Iterator[ForestRow]:
    for factor in factors:
        interaction = factor.get("interaction") or {}
        yield ForestRow(factor["factor"], p_interaction=interaction.get("p"), is_heading=True)
        for level in factor["levels"]:
            yield _row(level)


def _row(found: Document, *, is_overall: bool = False) -> ForestRow:
    first, second = found["arms"]
    return ForestRow(
        found["subgroup"],
        tuple(f"{arm['events']}/{arm['n']}" for arm in (second, first)),
        found["estimate"],
        found["lower"],
        found["upper"],
        _reason(found.get("why_not", "")),
        events=found["events"],
        is_overall=is_overall,
    )


def _reason(why: str) -> str:
    """As much of a refusal as there is room for."""
    return why if len(why) <= LONGEST_REASON else "not estimable"
