"""Tables of responses: how often, with limits by arm and the difference of two arms; and how far subjects came."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trialimg.core.errors import ReadingError
from trialimg.services.analyse_rates import estimate_document
from trialimg.services.figures.courses import Course, TrialCourses
from trialimg.services.figures.responses import EVERYONE, arm_name
from trialimg.services.figures.tones import in_order, response_word
from trialimg.services.tabulation.table import (
    SummaryTable,
    TableRow,
    counted_share,
    interval_of,
    p_text,
    percent,
)
from trialimg.stats.differences import rate_difference
from trialimg.stats.rates import rate
from trialimg.stats.results import Estimate
from trialimg.stats.two_by_two import TwoByTwo, fisher_exact

__all__ = ["arms_and_everyone", "disposition_table", "response_table"]

Groups = Sequence[tuple[str, Sequence[Course]]]
_METHODS = {"clopper_pearson": "Clopper-Pearson", "wilson": "Wilson"}
_NO_ANSWER = "not compared"


def arms_and_everyone(trial: TrialCourses) -> Groups:
    """Each arm, then everyone; with one arm there is nothing to set beside everyone."""
    groups = [(arm, trial.of_arm(arm)) for arm in trial.arms] if len(trial.arms) > 1 else []
    return [*groups, (EVERYONE, trial.courses)]


def _headings(groups: Groups) -> tuple[str, ...]:
    """Arms with their numbers of subjects."""
    return tuple(f"{arm_name(arm)}\n(n = {len(members)})" for arm, members in groups)


def response_table(trial: TrialCourses) -> SummaryTable:
    """Best response, objective response and disease control with two kinds of limits, and the difference of two arms.

    Notes
    -----
    Everyone counts in the denominator; whoever has no usable baseline or no assessment is no responder.
    """
    groups = arms_and_everyone(trial)
    words = in_order({course.best_response for _, members in groups for course in members})
    best = tuple(
        TableRow(_word_label(word), tuple(counted_share(_count(m, word), len(m)) for _, m in groups)) for word in words
    )
    objective, numbers = _rates(trial, groups, "Objective response (CR or PR)", lambda c: bool(c.is_responder))
    control, others = _rates(trial, groups, "Disease control (CR, PR or SD)", lambda c: bool(c.has_disease_control))
    return SummaryTable(
        "orr",
        "Tumour response",
        _headings(groups),
        (("Best overall response", best), objective, control),
        (_footnote(trial), *trial.imprint.footnotes),
        numbers={"objective_response": numbers, "disease_control": others},
    )


def _word_label(word: str) -> str:
    known = response_word(word)
    return known.meaning.capitalize() if not word else f"{word}: {known.meaning}"


def _count(members: Sequence[Course], word: str) -> int:
    return sum(course.best_response == word for course in members)


def _rates(
    trial: TrialCourses, groups: Groups, name: str, is_so: Callable[[Course], bool]
) -> tuple[tuple[str, tuple[TableRow, ...]], dict[str, object]]:
    counts = [(sum(map(is_so, members)), len(members)) for _, members in groups]
    confidence = trial.confidence
    level = f"{100 * confidence:g} % CI"
    rows = [TableRow("Subjects", tuple(counted_share(k, n) for k, n in counts))]
    found: dict[str, list[Estimate | None]] = {}
    for method, words in _METHODS.items():
        found[method] = [rate(k, n, confidence=confidence, method=method) if n else None for k, n in counts]
        rows.append(TableRow(f"{level} ({words}), %", tuple(map(_limits, found[method]))))
    numbers: dict[str, object] = {
        arm: {method: None if (e := found[method][i]) is None else estimate_document(e) for method in _METHODS}
        for i, (arm, _) in enumerate(groups)
    }
    pair = _compared(trial)
    if pair:
        more, difference = _difference(trial, pair, is_so, len(groups))
        rows += more
        numbers["difference"] = difference
    return (name, tuple(rows)), numbers


def _limits(estimate: Estimate | None) -> str:
    if estimate is None:
        return "no subjects"
    return interval_of(estimate.lower, estimate.upper, lambda share: f"{100 * share:.1f}", "not estimable")


def _compared(trial: TrialCourses) -> tuple[str, str] | None:
    """The two arms of a comparison; None where there are not exactly two."""
    pair = tuple(arm for arm in trial.arms if arm in trial.compared)
    return (pair[0], pair[1]) if len(pair) == 2 else None


def _difference(
    trial: TrialCourses, pair: tuple[str, str], is_so: Callable[[Course], bool], columns: int
) -> tuple[list[TableRow], dict[str, object]]:
    """Rows whose answer stands in the last column, which is of everyone."""
    first, second = (trial.of_arm(arm) for arm in pair)
    table = TwoByTwo(sum(map(is_so, first)), len(first), sum(map(is_so, second)), len(second))
    name = f"Difference {arm_name(pair[0])} \N{MINUS SIGN} {arm_name(pair[1])}"
    blank = ("",) * (columns - 1)
    try:
        difference = rate_difference(table, confidence=trial.confidence)
        p = fisher_exact(table, confidence=trial.confidence).p
    except ReadingError as refused:
        return [TableRow(name, (*blank, _NO_ANSWER))], {"why_not": str(refused)}
    limits = interval_of(difference.lower, difference.upper, lambda share: f"{100 * share:.1f}").replace(
        "-", "\N{MINUS SIGN}"
    )
    rows = [
        TableRow(f"{name}, percentage points", (*blank, percent(difference))),
        TableRow(f"{100 * trial.confidence:g} % CI (Miettinen-Nurminen)", (*blank, limits)),
        TableRow("p, Fisher's exact test, two-sided", (*blank, p_text(p))),
    ]
    return rows, {**estimate_document(difference), "fisher_p": p}


def _footnote(trial: TrialCourses) -> str:
    return (
        "Denominator: all subjects of the arm; those without a final read, a usable baseline or an assessment after it "
        f"count as non-responders. CI: two-sided {100 * trial.confidence:g} % confidence interval, exact "
        "(Clopper-Pearson) and score (Wilson); the difference of the arms (last column) by the score method of "
        "Miettinen and Nurminen."
    )


def disposition_table(trial: TrialCourses) -> SummaryTable:
    """How far the subjects came, and what became of them."""
    groups = arms_and_everyone(trial)
    lines: tuple[tuple[str, tuple[tuple[str, Callable[[Course], bool]], ...]], ...] = (
        (
            "Evaluability",
            (
                ("With a reference date", lambda c: c.is_timed),
                *((("With a final read", lambda c: c.is_read),) if any(not c.is_read for c in trial.courses) else ()),
                ("With a usable baseline", lambda c: c.is_usable),
                ("Assessed after baseline", lambda c: bool(c.points)),
                ("With an evaluable change from baseline", lambda c: c.best_change_pct is not None),
            ),
        ),
        (
            "Outcome",
            (
                ("Progression", lambda c: c.progression_day is not None),
                ("New anti-cancer therapy", lambda c: c.new_therapy_day is not None),
                ("Death", lambda c: c.death_day is not None),
                ("Assessed, none of these on record", lambda c: c.is_ongoing),
            ),
        ),
    )
    counted = [
        (name, [(label, [sum(map(is_so, members)) for _, members in groups]) for label, is_so in rows])
        for name, rows in lines
    ]
    sizes = [len(members) for _, members in groups]
    return SummaryTable(
        "disposition",
        "Disposition of subjects",
        _headings(groups),
        tuple(
            (name, tuple(TableRow(label, tuple(map(counted_share, counts, sizes))) for label, counts in rows))
            for name, rows in counted
        ),
        ("Share of all subjects of the arm. A subject may have several outcomes.", *trial.imprint.footnotes),
        numbers={
            "arms": [arm for arm, _ in groups],
            "n": sizes,
            "counts": {label: counts for _, rows in counted for label, counts in rows},
        },
    )
