"""The forest plot of a comparison in subgroups: of a table, or of a trial's own analyses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialimg.services.analyse_subgroups import Compared
from trialimg.services.figures.courses import Imprint
from trialimg.services.figures.figure import Figure
from trialimg.services.figures.forest import Effect, ForestRow, forest
from trialimg.services.figures.responses import arm_name
from trialimg.services.results import ArmComparison, CohortAnalyses, SubgroupEffect

__all__ = ["forest_of_subgroups", "forests_of_analyses"]

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


def forests_of_analyses(analyses: CohortAnalyses, *, imprint: Imprint) -> Iterator[Figure]:
    """Progression-free survival of each arm against the control arm, in everyone and by characteristic.

    An arm without subgroups has no figure.
    """
    for overall in analyses.times[0].comparisons:
        effects = [one for one in analyses.subgroups if one.comparison.arm == overall.arm]
        if effects:
            yield _forest_of_arm(overall, effects, imprint)


def _forest_of_arm(overall: ArmComparison, effects: list[SubgroupEffect], imprint: Imprint) -> Figure:
    arm, control = arm_name(overall.arm), arm_name(overall.control)
    ratio = overall.hazard_ratio
    effect = Effect("Hazard ratio", True, ratio.method, ratio.confidence, less_favours=arm, more_favours=control)
    rows = [_effect_row("All subjects", overall, is_overall=True)]
    for characteristic in dict.fromkeys(one.characteristic for one in effects):
        rows.append(ForestRow(_sentence_case(characteristic), is_heading=True))
        rows += [
            _effect_row(_sentence_case(one.category), one.comparison)
            for one in effects
            if one.characteristic == characteristic
        ]
    return forest(rows, effect, title=f"Subgroups: {arm} against {control}", imprint=imprint)


def _effect_row(label: str, found: ArmComparison, *, is_overall: bool = False) -> ForestRow:
    ratio = found.hazard_ratio
    counts = (str(ratio.n), str(ratio.events))
    reason = _reason(found.why_not)
    return ForestRow(
        label, counts, ratio.value, ratio.lower, ratio.upper, reason, events=ratio.events, is_overall=is_overall
    )


def _sentence_case(word: str) -> str:
    """Words that stand in capitals in the data; a code of one letter stays."""
    return word.capitalize() if word.isupper() and len(word) > 1 else word


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
