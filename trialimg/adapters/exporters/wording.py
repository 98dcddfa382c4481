"""How numbers read in the report: one spelling for each kind of answer, and words where there is no number."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal

from trialimg.adapters.exporters.cells import one_decimal
from trialimg.endpoints.results import TimeToEvent
from trialimg.services.results import TrialResult
from trialimg.stats.results import Estimate

__all__ = [
    "ABSENT",
    "MINUS",
    "TIMES",
    "counted",
    "criterion_name",
    "interval",
    "iso",
    "mm",
    "p_value",
    "percent_change",
    "rate_text",
    "segmenter_of",
    "short_digest",
    "time_text",
]

ABSENT = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
_SMALLEST_P = 0.001


def mm(value: Decimal | None) -> str:
    """A length with one decimal; a dash where there is none."""
    return ABSENT if value is None else str(one_decimal(value))


def percent_change(value: Decimal | None) -> str:
    """A change with its sign and one decimal."""
    rounded = one_decimal(value)
    if rounded is None:
        return ABSENT
    return f"{'+' if rounded > 0 else ''}{rounded}".replace("-", MINUS)


def iso(date: dt.date | None) -> str:
    """A date as ISO 8601; a dash where there is none."""
    return date.isoformat() if date else ABSENT


def interval(estimate: Estimate, number: Callable[[float], str], *, absent: str, between: str = " ") -> str:
    """``value (lower to upper)``, with words where one of the three does not exist."""
    value, lower, upper = (absent if v is None else number(v) for v in (estimate.value, estimate.lower, estimate.upper))
    if estimate.value is None and estimate.lower is None:
        return value
    return f"{value}{between}({lower} to {upper})"


def rate_text(estimate: Estimate) -> str:
    """``percent, events of n`` and, on a second line, the limits."""
    if estimate.value is None:
        return ABSENT
    counts = f"{estimate.events} of {estimate.n}, "
    return counts + interval(estimate, lambda share: f"{100 * share:.1f} %", absent=ABSENT, between="\n")


def p_value(p: float) -> str:
    """Three decimals; below a thousandth only that."""
    return f"p < {_SMALLEST_P}" if p < _SMALLEST_P else f"p = {p:.3f}"


def time_text(time: TimeToEvent | None) -> str:
    """Days with what ended them."""
    if time is None:
        return ABSENT
    return f"{counted(time.days, 'day')}, {'event' if time.event else 'censored'} {time.date.isoformat()}"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 subject``, ``2 subjects``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short_digest(digest: str) -> str:
    """The first twelve characters of a digest, for reading; the whole one stands in the manifest."""
    kind, _, text = digest.partition(":")
    return f"{kind}:{text[:12]}" if text else digest


def criterion_name(criterion: str) -> str:
    """A response criterion as its authors write it."""
    return _CRITERIA.get(criterion, criterion)


def segmenter_of(result: TrialResult) -> str:
    """Name and version of the segmenter that drew the lesions."""
    used = result.provenance.parameters.get("segmenter")
    return str(used.get("name", "")) if isinstance(used, Mapping) else ""


_CRITERIA = {"recist11": "RECIST 1.1", "recist10": "RECIST 1.0", "irecist": "iRECIST", "mrecist": "mRECIST"}
