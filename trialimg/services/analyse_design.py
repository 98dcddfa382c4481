"""How large a trial has to be, and several p-values at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from trialimg.core.errors import ProtocolError
from trialimg.stats.multiplicity import ADJUSTMENTS, adjust_p, graphical_test
from trialimg.stats.power import (
    Plan,
    events_power,
    log_rank_events,
    one_arm,
    one_arm_power,
    two_arms,
    two_arms_power,
)
from trialimg.stats.simon import simon_designs

__all__ = ["DESIGNS", "adjusted_document", "graph_document", "power_document"]

Document = dict[str, Any]
Figures = dict[str, Any]


def power_document(design: str, figures: Figures) -> Document:
    """The size that reaches a power, or the power that a size reaches.

    Parameters
    ----------
    design
        One of `DESIGNS`.
    figures
        What is known, by name; None for what is asked.

    Raises
    ------
    ProtocolError
        Names the figures that the design needs and does not have.
    """
    if design not in DESIGNS:
        raise ProtocolError(f"no design is called {design!r}; choose one of {', '.join(DESIGNS)}")
    needed, answer = DESIGNS[design]
    lacking = [f"--{name.replace('_', '-')}" for name in needed if figures.get(name) is None]
    if lacking:
        raise ProtocolError(f"the design {design} needs {', '.join(lacking)}")
    return {"design": design, **answer(figures)}


def _plan(plan: Plan) -> Document:
    return {name: value for name, value in asdict(plan).items() if value is not None and value != ()}


def _one_arm(f: Figures) -> Document:
    if f.get("n") is not None:
        return _plan(one_arm_power(f["n"], null_rate=f["p0"], rate=f["p1"], alpha=f["alpha"]))
    return _plan(one_arm(null_rate=f["p0"], rate=f["p1"], alpha=f["alpha"], power=f["power"]))


def _two_arms(f: Figures) -> Document:
    if f.get("n1") is not None and f.get("n2") is not None:
        return _plan(two_arms_power(f["n1"], f["n2"], rate_1=f["p1"], rate_2=f["p2"], alpha=f["alpha"]))
    return _plan(two_arms(rate_1=f["p1"], rate_2=f["p2"], alpha=f["alpha"], power=f["power"], ratio=f["ratio"]))


def _log_rank(f: Figures) -> Document:
    known = {
        "hazard_ratio": f["hr"],
        "alpha": f["alpha"],
        "ratio": f["ratio"],
        "sided": f["sided"],
        "method": f["method"],
    }
    plan = events_power(f["events"], **known) if f.get("events") else log_rank_events(power=f["power"], **known)
    document = _plan(plan)
    return {"events": document.pop("n"), **document}


def _simon(f: Figures) -> Document:
    optimal, minimax = simon_designs(null_rate=f["p0"], rate=f["p1"], alpha=f["alpha"], power=f["power"])
    return {
        "method": "Simon two-stage, exact search",
        "designs": [{"kind": "optimal", **asdict(optimal)}, {"kind": "minimax", **asdict(minimax)}],
    }


DESIGNS: dict[str, tuple[tuple[str, ...], Any]] = {
    "one-arm": (("p0", "p1"), _one_arm),
    "two-arm": (("p1", "p2"), _two_arms),
    "logrank": (("hr",), _log_rank),
    "simon": (("p0", "p1"), _simon),
}
"""Name to the figures that it needs in any case, and what answers."""


def adjusted_document(p_values: Sequence[float], names: Sequence[str]) -> Document:
    """P-values adjusted in every way."""
    adjusted = {method: adjust_p(p_values, method=method) for method in ADJUSTMENTS}
    rows = [
        {"name": name, "p": p, **{method: adjusted[method][place] for method in ADJUSTMENTS}}
        for place, (name, p) in enumerate(zip(names, p_values, strict=True))
    ]
    return {"n": len(rows), "adjusted": rows}


def graph_document(
    p_values: Sequence[float],
    names: Sequence[str],
    *,
    weights: Sequence[float],
    transitions: Sequence[Sequence[float]],
    alpha: float,
) -> Document:
    """Hypotheses tested along a graph."""
    steps = graphical_test(p_values, weights, transitions, alpha=alpha, names=names)
    return {
        "n": len(steps),
        "alpha": alpha,
        "method": "graphical test (Bretz, Maurer, Brannath and Posch)",
        "steps": [asdict(step) for step in steps],
    }
