"""The figures by which a model in use is watched, each judged against its limits, with its course over the months."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from trialimg.services.model_evidence import GROUPS, INPUTS, Fate, Judged
from trialimg.services.model_limits import HealthLimits
from trialimg.stats.differences import rate_difference
from trialimg.stats.drift import kolmogorov_smirnov, population_stability
from trialimg.stats.median import sample_median
from trialimg.stats.rates import rate
from trialimg.stats.reliability import bland_altman
from trialimg.stats.two_by_two import TwoByTwo

__all__ = ["Figure", "GroupShare", "Indicator", "Light", "Point", "Validation", "indicators"]

_SECONDS_OF_HOUR = 3600
_SECONDS_OF_DAY = 86400
_FEW_BINS, _BINS, _ENOUGH_FOR_BINS = 5, 10, 100
_FEWEST_PAIRS = 3
_TAKEN = (Fate.UNCHANGED, Fate.CHANGED)


class Light(Enum):
    """How an indicator stands; the value is the letter shown beside the colour."""

    GREEN = "G"
    AMBER = "A"
    RED = "R"
    DARK = "N"
    """Not judged: the records do not hold enough, or nothing at all, of it."""


@dataclass(frozen=True)
class Figure:
    """A statistic of some answers."""

    value: float | None
    lower: float | None
    upper: float | None
    n: int
    detail: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Point:
    """An indicator in one calendar month."""

    month: str
    value: float
    n: int


@dataclass(frozen=True)
class GroupShare:
    """How one group's answers did against all others'."""

    group: str
    unchanged: int
    n: int
    difference_pct: float
    """Share taken unchanged minus that of all others, in percentage points."""
    lower_pct: float
    upper_pct: float


@dataclass(frozen=True)
class Indicator:
    """One watched figure."""

    name: str
    """``dice``, ``edited_pct``, ``psi_slice_mm``, ``gap_site``, ..."""
    light: Light
    figure: Figure
    limits: tuple[float, float] | None
    """Amber and red; None where it only informs."""
    why: str = ""
    """Why it is not judged (too_few, not_recorded, no_reference, not_used) or not green (never, other_software)."""
    trend: tuple[Point, ...] = ()
    groups: tuple[GroupShare, ...] = ()
    suppressed: int = 0
    """Groups that are too small to be shown."""


@dataclass(frozen=True)
class Validation:
    """When the protocol was last validated, by which software."""

    at: str
    software: str


Statistic = Callable[[Sequence[Judged]], Figure]
_NOTHING = Figure(None, None, None, 0)


def indicators(
    found: Sequence[Judged], limits: HealthLimits, *, now: str, validation: Validation | None, software: str
) -> tuple[Indicator, ...]:
    """Every indicator at a moment, in the order in which a person reads them.

    Parameters
    ----------
    found
        Answers that readers have decided on, in time.
    now
        UTC, ISO 8601.
    software
        Name and version that runs now.
    """
    since = (dt.datetime.fromisoformat(now) - dt.timedelta(days=limits.window_days)).isoformat()
    window = _Window(found, [one for one in found if one.at >= since], [one for one in found if one.at < since], limits)
    return (
        *(window.judged(name, statistic) for name, statistic in _statistics(limits).items()),
        *(window.drift(name) for name in INPUTS),
        *(window.gap(name) for name in GROUPS),
        _since_validation(validation, limits, is_used=bool(found), now=now, software=software),
    )


def _statistics(limits: HealthLimits) -> dict[str, Statistic]:
    return {
        "dice": _dice,
        "edited_pct": _edited,
        "rejected_pct": _rejected,
        "failed_pct": _failed,
        "bias_mm": _bias_mm,
        "bias_pct": _bias_pct,
        "seconds": _seconds,
        "coverage_pct": _coverage,
        "cases": _cases,
        "energy_wh": lambda found: _energy(found, float(limits.watts)),
    }


@dataclass(frozen=True)
class _Window:
    every: Sequence[Judged]
    current: Sequence[Judged]
    reference: Sequence[Judged]
    limits: HealthLimits

    def judged(self, name: str, statistic: Statistic) -> Indicator:
        """A figure of the present window."""
        figure, trend = statistic(self.current), _months(self.every, statistic)
        if name == "cases":
            is_few = figure.n < self.limits.min_answers
            return Indicator(name, Light.AMBER if is_few else Light.GREEN, figure, None, trend=trend)
        limits = self.limits.of(name)
        if figure.value is None:
            why = "too_few" if statistic(self.every).n or figure.n else "not_recorded"
            return Indicator(name, Light.DARK, figure, limits, why, trend)
        if figure.n < self.limits.min_answers:
            return Indicator(name, Light.DARK, figure, limits, "too_few", trend)
        return Indicator(
            name, _light(figure, limits, low_is_worse=self.limits.is_low_worse(name)), figure, limits, trend=trend
        )

    def drift(self, name: str) -> Indicator:
        """How far an input has moved from what it was before the window."""
        before, now = (_facts(sample, name) for sample in (self.reference, self.current))
        limits, least = self.limits.of("psi"), self.limits.min_drift
        trend = _months(self.every, lambda found: _psi(before, _facts(found, name), least))
        figure = _psi(before, now, least)
        if figure.value is not None and figure.detail is not None:
            is_chance = figure.value <= figure.detail["chance"]
            light = Light.GREEN if is_chance else _light(figure, limits, low_is_worse=False)
            return Indicator(f"psi_{name}", light, figure, limits, trend=trend)
        if not before and not now:
            why = "not_recorded"
        else:
            why = "no_reference" if len(before) < least <= len(now) else "too_few"
        return Indicator(f"psi_{name}", Light.DARK, figure, limits, why)

    def gap(self, name: str) -> Indicator:
        """The group whose answers differ most from all others'."""
        decided = [one for one in self.current if one.fate is not Fate.FAILED]
        by_group: dict[str, list[Judged]] = defaultdict(list)
        for one in decided:
            if name in one.groups:
                by_group[one.groups[name]].append(one)
        limits = self.limits.of("gap_pct")
        shown = {word: own for word, own in by_group.items() if len(own) >= self.limits.min_group}
        suppressed = len(by_group) - len(shown)
        known = [one for one in decided if name in one.groups]
        groups = tuple(_share(word, own, known) for word, own in sorted(shown.items()) if len(own) < len(known))
        widest = max(groups, key=lambda one: abs(one.difference_pct), default=None)
        if widest is None:
            why = "too_few" if by_group else "not_recorded"
            return Indicator(f"gap_{name}", Light.DARK, _NOTHING, limits, why, suppressed=suppressed)
        figure = Figure(widest.difference_pct, widest.lower_pct, widest.upper_pct, len(known))
        light = _light(figure, limits, low_is_worse=False)
        return Indicator(f"gap_{name}", light, figure, limits, groups=groups, suppressed=suppressed)


def _light(figure: Figure, limits: tuple[float, float], *, low_is_worse: bool) -> Light:
    """Red where the value is beyond red and its whole interval beyond amber; amber where the value is beyond amber."""
    value, lower, upper = figure.value, figure.lower, figure.upper
    if value is None:
        return Light.DARK
    if not low_is_worse and value < 0:  # a bias or a gap the other way is as far off
        value, lower, upper = -value, _negative(upper), _negative(lower)
    sign = -1 if low_is_worse else 1
    amber, red = (sign * limit for limit in limits)
    near = upper if low_is_worse else lower
    if sign * value > red and (near is None or sign * near > amber):
        return Light.RED
    return Light.AMBER if sign * value > amber else Light.GREEN


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def _months(found: Sequence[Judged], statistic: Statistic) -> tuple[Point, ...]:
    by_month: dict[str, list[Judged]] = defaultdict(list)
    for one in found:
        by_month[one.at[:7]].append(one)
    figures = ((month, statistic(own)) for month, own in sorted(by_month.items()))
    return tuple(Point(month, one.value, one.n) for month, one in figures if one.value is not None)


def _of(found: Sequence[Judged], *fates: Fate) -> list[Judged]:
    return [one for one in found if one.fate in fates]


def _share_pct(events: int, n: int) -> Figure:
    known = rate(events, n)
    value, lower, upper = (None if v is None else 100 * v for v in (known.value, known.lower, known.upper))
    return Figure(value, lower, upper, n)


def _dice(found: Sequence[Judged]) -> Figure:
    """The median, with its limits."""
    values = [one.dice for one in found if one.dice is not None]
    if not values:
        return _NOTHING
    middle, same = sample_median(values), sum(value == 1 for value in values)
    detail = {"unchanged": same, "mean": float(np.mean(values))}
    return Figure(middle.value, middle.lower, middle.upper, len(values), detail)


def _edited(found: Sequence[Judged]) -> Figure:
    return _share_pct(len(_of(found, Fate.CHANGED)), len(_of(found, *_TAKEN)))


def _rejected(found: Sequence[Judged]) -> Figure:
    return _share_pct(len(_of(found, Fate.LEFT)), len(_of(found, *_TAKEN, Fate.LEFT)))


def _failed(found: Sequence[Judged]) -> Figure:
    lines = [one for one in found if one.source == "line"]
    return _share_pct(len(_of(lines, Fate.FAILED)), len(lines))


def _pairs(found: Sequence[Judged]) -> list[tuple[float, float]]:
    """Proposed and accepted diameters of what was taken; an unchanged one is its own pair."""
    return [
        (one.proposed_mm, one.accepted_mm)
        for one in found
        if one.fate in _TAKEN and one.proposed_mm is not None and one.accepted_mm
    ]


def _bias_mm(found: Sequence[Judged]) -> Figure:
    pairs = _pairs(found)
    return _bias([p for p, _ in pairs], [a for _, a in pairs])


def _bias_pct(found: Sequence[Judged]) -> Figure:
    """Of the differences in percent of the accepted diameter."""
    return _bias([100 * (p - a) / a for p, a in _pairs(found)], None)


def _bias(first: Sequence[float], second: Sequence[float] | None) -> Figure:
    if len(first) < _FEWEST_PAIRS:
        return Figure(None, None, None, len(first))
    found = bland_altman(first, second if second is not None else [0.0] * len(first))
    named = {"lower_limit": found.lower_limit.value, "upper_limit": found.upper_limit.value}
    limits = {name: value for name, value in named.items() if value is not None}
    return Figure(found.bias.value, found.bias.lower, found.bias.upper, found.bias.n, limits)


def _seconds(found: Sequence[Judged]) -> Figure:
    """The 95th percentile; the median beside it."""
    values = [one.seconds for one in found if one.seconds is not None]
    if not values:
        return _NOTHING
    half, most = (float(value) for value in np.percentile(values, [50, 95]))
    return Figure(most, None, None, len(values), {"p50": half})


def _coverage(found: Sequence[Judged]) -> Figure:
    inside = [
        one.interval_mm[0] <= one.accepted_mm <= one.interval_mm[1]
        for one in found
        if one.interval_mm is not None and one.accepted_mm is not None
    ]
    return _share_pct(sum(inside), len(inside)) if inside else _NOTHING


def _cases(found: Sequence[Judged]) -> Figure:
    n = len({one.case for one in found})
    return Figure(n, None, None, n, {"answers": len(found)})


def _energy(found: Sequence[Judged], watts: float) -> Figure:
    """CPU seconds of a case's lines at the stated power, in Wh: an estimate."""
    by_case: dict[str, float] = defaultdict(float)
    for one in found:
        if one.cpu_seconds is not None:
            by_case[one.case] += one.cpu_seconds
    if not by_case:
        return _NOTHING
    mean = sum(by_case.values()) / len(by_case)
    return Figure(mean * watts / _SECONDS_OF_HOUR, None, None, len(by_case), {"cpu_seconds": mean, "watts": watts})


def _facts(found: Sequence[Judged], name: str) -> list[float]:
    return [one.facts[name] for one in found if name in one.facts]


def _psi(before: Sequence[float], now: Sequence[float], least: int) -> Figure:
    """The index, beside it what chance alone makes of it at these numbers."""
    if min(len(before), len(now)) < least:
        return Figure(None, None, None, min(len(before), len(now)))
    bins = _BINS if min(len(before), len(now)) >= _ENOUGH_FOR_BINS else _FEW_BINS
    moved, distance = population_stability(before, now, bins=bins), kolmogorov_smirnov(before, now)
    detail = {"chance": moved.chance, "ks_d": distance.d, "ks_p": distance.p, "bins": len(moved.reference)}
    return Figure(moved.psi, None, None, len(now), detail | {"reference": len(before)})


def _share(group: str, own: Sequence[Judged], every: Sequence[Judged]) -> GroupShare:
    ours, all_ = (len(_of(one, Fate.UNCHANGED)) for one in (own, every))
    table = TwoByTwo(ours, len(own), all_ - ours, len(every) - len(own))
    found = rate_difference(table, method="newcombe")
    value, lower, upper = (100 * (v if v is not None else 0.0) for v in (found.value, found.lower, found.upper))
    return GroupShare(group, ours, len(own), value, lower, upper)


def _since_validation(
    found: Validation | None, limits: HealthLimits, *, is_used: bool, now: str, software: str
) -> Indicator:
    """A model that nobody has used needs no validation yet; one in use without is red."""
    bounds = limits.of("validated_days")
    if found is None:
        light = Light.RED if is_used else Light.DARK
        return Indicator("validated_days", light, _NOTHING, bounds, "never" if is_used else "not_used")
    elapsed = dt.datetime.fromisoformat(now) - dt.datetime.fromisoformat(found.at)
    figure = Figure(elapsed.total_seconds() / _SECONDS_OF_DAY, None, None, 1)
    light = _light(figure, bounds, low_is_worse=False)
    if light is Light.GREEN and found.software != software:
        return Indicator("validated_days", Light.AMBER, figure, bounds, "other_software")
    return Indicator("validated_days", light, figure, bounds)
