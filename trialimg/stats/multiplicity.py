"""Several hypotheses tested at once: adjusted p-values, and a graph that passes on what a rejection frees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from statsmodels.stats.multitest import multipletests

from trialimg.core.errors import Fault, ProtocolError, ReadingError

Array = npt.NDArray[np.float64]

__all__ = ["ADJUSTMENTS", "GraphStep", "adjust_p", "graphical_test"]

ADJUSTMENTS = {
    "bonferroni": "bonferroni",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "bh": "fdr_bh",
    "by": "fdr_by",
}
"""Name, as R's ``p.adjust`` has it, to the library's."""


def adjust_p(p_values: Sequence[float], *, method: str) -> tuple[float, ...]:
    """P-values that may be compared with the level of the whole family.

    Parameters
    ----------
    method
        ``bonferroni``, ``holm``, ``hochberg``, ``hommel`` hold the chance of any false rejection; ``bh`` and ``by``
        the share of false ones among the rejections.

    Raises
    ------
    ReadingError
        Names every p-value that is not one.
    ProtocolError
        If the method is not known.

    References
    ----------
    Holm S. Scand J Stat 1979. Hochberg Y. Biometrika 1988. Hommel G. Biometrika 1988. Benjamini Y, Hochberg Y. JRSS B
    1995. Benjamini Y, Yekutieli D. Ann Stat 2001.
    """
    if method not in ADJUSTMENTS:
        raise ProtocolError(f"no adjustment is called {method!r}; choose one of {', '.join(ADJUSTMENTS)}")
    _require_p(p_values)
    if not p_values:
        return ()
    adjusted = multipletests(np.asarray(p_values, float), method=ADJUSTMENTS[method])[1]
    return tuple(min(1.0, float(p)) for p in adjusted)


@dataclass(frozen=True)
class GraphStep:
    """One hypothesis in the graph, in the order in which they are rejected; those kept stand last."""

    name: str
    p: float
    adjusted_p: float
    rejected: bool
    level: float
    """Its share of the level when it is its turn."""


def graphical_test(
    p_values: Sequence[float],
    weights: Sequence[float],
    transitions: Sequence[Sequence[float]],
    *,
    alpha: float,
    names: Sequence[str] | None = None,
) -> tuple[GraphStep, ...]:
    """Hypotheses rejected one by one, each passing its share of the level on.

    Parameters
    ----------
    weights
        Share of the level that each hypothesis begins with; together at most 1.
    transitions
        Row by row, the shares that a rejected hypothesis passes to the others; a row sums to at most 1, its own 0.

    Raises
    ------
    ReadingError
        Names every p-value, weight and row that cannot be.
    ProtocolError
        If the level does not lie between 0 and 1.

    References
    ----------
    Bretz F, Maurer W, Brannath W, Posch M. A graphical approach to sequentially rejective multiple test procedures.
    Stat Med 2009.
    """
    if not 0 < alpha < 1:
        raise ProtocolError(f"a level lies between 0 and 1, not {alpha}")
    called = list(names) if names is not None else [f"H{i + 1}" for i in range(len(p_values))]
    _require_p(p_values)
    _require_graph(weights, transitions, called)
    share, passed = np.asarray(weights, float), np.asarray(transitions, float)
    open_, steps, largest = list(range(len(p_values))), [], 0.0
    stopped = False
    while open_:
        ratios = {i: p_values[i] / share[i] if share[i] > 0 else math.inf for i in open_}
        first = min(open_, key=lambda i: ratios[i])
        largest = min(1.0, max(largest, float(ratios[first])))
        stopped = stopped or ratios[first] > alpha
        steps.append(GraphStep(called[first], p_values[first], largest, not stopped, alpha * float(share[first])))
        open_.remove(first)
        share, passed = _without(first, share, passed)
    return tuple(steps)


def _without(gone: int, share: Array, passed: Array) -> tuple[Array, Array]:
    """The graph after a rejection: what the hypothesis held goes along its arrows, and its arrows are joined up."""
    size = len(share)
    new_share, new_passed = share.copy(), np.zeros_like(passed)
    for i in range(size):
        if i == gone:
            continue
        new_share[i] = share[i] + share[gone] * passed[gone, i]
        circle = 1 - passed[i, gone] * passed[gone, i]
        for j in range(size):
            if j not in (i, gone) and circle > 0:
                new_passed[i, j] = (passed[i, j] + passed[i, gone] * passed[gone, j]) / circle
    new_share[gone] = 0.0
    return new_share, new_passed


def _require_p(p_values: Sequence[float]) -> None:
    faults = tuple(
        Fault(f"entry {place}", "bad_p", f"a p-value lies between 0 and 1, not {p}")
        for place, p in enumerate(p_values, start=1)
        if not 0 <= p <= 1
    )
    if faults:
        raise ReadingError(f"{len(faults)} p-value(s) cannot be; first: {faults[0]}", faults)


def _require_graph(weights: Sequence[float], transitions: Sequence[Sequence[float]], names: Sequence[str]) -> None:
    size = len(names)
    faults = []
    if len(weights) != size or len(transitions) != size or any(len(row) != size for row in transitions):
        raise ReadingError(f"a graph of {size} hypotheses needs {size} weights and {size} rows of {size} transitions")
    if any(w < 0 for w in weights) or sum(weights) > 1 + 1e-12:
        faults.append(Fault("weights", "bad_weights", f"must be 0 or more and sum to 1 at most, not {sum(weights):g}"))
    for place, row in enumerate(transitions):
        if any(g < 0 for g in row) or sum(row) > 1 + 1e-12 or row[place] != 0:
            said = "must be 0 or more, sum to 1 at most, and pass nothing to itself"
            faults.append(Fault(f"transitions of {names[place]}", "bad_row", said))
    if faults:
        raise ReadingError(f"{len(faults)} fault(s) in the graph; first: {faults[0]}", tuple(faults))
