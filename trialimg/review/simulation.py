"""How much reading a trial will need: months of reads, adjudications and reader-hours, with their spread.

Notes
-----
Cases become ready to read by chance (Poisson) at the planned rate, and are read in that month. Whether two reads differ
is chance too, and trials differ from one another more than chance explains: each simulated trial draws its own
adjudication rate from a beta distribution around the expected one. With the default weight of 20 cases nine of ten
trials lie between 25 and 60 %; rates of 30 to 65 % have been published. Repeated cases are read in the month after.

References
----------
Ford RR, O'Neal M, Moskowitz SC, Fraunberger J. Adjudication rates between readers in blinded independent central review
of oncology studies. Journal of Clinical Trials 2016; 6:5: 42 % of 23,476 cases in 79 trials were adjudicated.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trialimg.core.errors import Fault, InvalidValueError
from trialimg.review.design import ReadingDesign

__all__ = ["PUBLISHED_ADJUDICATION_RATE", "Effort", "MonthPlan", "Range", "TrialPlan", "plan_workload"]

PUBLISHED_ADJUDICATION_RATE = 0.42
"""Share of double-read cases that were adjudicated, over 79 trials (Ford 2016)."""

_MOST_AT_ONCE = 500.0
"""Mean above which a Poisson draw is put together from smaller ones: e to minus that is still a number."""
_LEAST_REPLICATES = 20


@dataclass(frozen=True)
class Effort:
    """Minutes that a reader needs: the planner's own figures, timed in a pilot; none is published that would fit."""

    baseline_min: float
    """Minutes for a baseline timepoint."""
    followup_min: float
    """Minutes for each later timepoint."""
    adjudication_min: float
    """Minutes for an adjudication, whatever the number of timepoints."""

    def __post_init__(self) -> None:
        names = ("baseline_min", "followup_min", "adjudication_min")
        wrong = [name for name in names if not 0 < getattr(self, name) < math.inf]
        if wrong:
            raise InvalidValueError(*(Fault(name, "out_of_range", "minutes above 0") for name in wrong))


@dataclass(frozen=True)
class TrialPlan:
    """What is expected of a trial."""

    cases_per_month: tuple[float, ...]
    """Cases that become ready to read, month by month."""
    timepoints: tuple[int, int]
    """Fewest and most timepoints of a case, baseline included; every number between is equally likely."""
    design: ReadingDesign
    effort: Effort
    adjudication_rate: float = PUBLISHED_ADJUDICATION_RATE
    """Expected share of double-read cases that differ."""
    rate_weight_cases: float = 20.0
    """How alike trials are: the rate is as uncertain as one seen in this many cases; infinity: all trials alike."""

    def __post_init__(self) -> None:
        if faults := tuple(self._faults()):
            raise InvalidValueError(*faults)

    def _faults(self) -> Iterator[Fault]:
        if not self.cases_per_month or not all(0 <= cases < math.inf for cases in self.cases_per_month):
            yield Fault("cases_per_month", "out_of_range", "one number of 0 or more for each month")
        if not 1 <= self.timepoints[0] <= self.timepoints[1]:
            yield Fault("timepoints", "out_of_range", "fewest and most timepoints, 1 or more")
        if not 0 <= self.adjudication_rate <= 1:
            yield Fault("adjudication_rate", "out_of_range", f"a rate lies in 0..1, not {self.adjudication_rate}")
        if not self.rate_weight_cases > 0:
            yield Fault("rate_weight_cases", "out_of_range", f"above 0, not {self.rate_weight_cases}")


@dataclass(frozen=True)
class Range:
    """The middle of the simulated trials and the limits within which nine of ten lie."""

    median: float
    lower: float
    upper: float


@dataclass(frozen=True)
class MonthPlan:
    """What one month asks of the readers; month 0 is the whole trial."""

    month: int
    cases: Range
    reads: Range
    """First and second reads and repeats."""
    adjudications: Range
    reader_hours: Range
    """Hours of first, second and repeated reads."""
    adjudicator_hours: Range


@dataclass
class _Month:
    cases: int = 0
    reads: int = 0
    adjudications: int = 0
    read_minutes: float = 0.0
    adjudication_minutes: float = 0.0

    def add(self, other: _Month) -> None:
        for name in vars(self):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def plan_workload(plan: TrialPlan, *, seed: int, replicates: int = 1000) -> tuple[MonthPlan, ...]:
    """What each month asks of the readers, and the whole trial (month 0, first).

    Parameters
    ----------
    seed
        Same seed, same answer.
    replicates
        Simulated trials; the limits are their 5th and 95th percentiles.

    Raises
    ------
    InvalidValueError
        With fewer than 20 replicates, of which no such limits can be taken.
    """
    if replicates < _LEAST_REPLICATES:
        raise InvalidValueError(Fault("replicates", "out_of_range", f"at least {_LEAST_REPLICATES}"))
    chance = random.Random(seed)  # noqa: S311 (a simulation, not a secret)
    trials = [_one_trial(plan, chance) for _ in range(replicates)]
    months = len(trials[0])
    return tuple(_month_plan(number, [trial[number] for trial in trials]) for number in range(months))


def _one_trial(plan: TrialPlan, chance: random.Random) -> list[_Month]:
    rate = _rate_of_this_trial(plan, chance)
    months = [_Month() for _ in range(len(plan.cases_per_month) + 2)]
    for number, expected in enumerate(plan.cases_per_month, start=1):
        for _ in range(_poisson(expected, chance)):
            _one_case(plan, rate, chance, months[number : number + 2])
    for month in months[1:]:
        months[0].add(month)
    return months


def _one_case(plan: TrialPlan, rate: float, chance: random.Random, months: Sequence[_Month]) -> None:
    now, later = months
    visits = chance.randint(*plan.timepoints)
    minutes = plan.effort.baseline_min + (visits - 1) * plan.effort.followup_min
    now.cases += 1
    now.reads += plan.design.readers
    now.read_minutes += plan.design.readers * minutes
    if plan.design.adjudication and chance.random() < rate:
        now.adjudications += 1
        now.adjudication_minutes += plan.effort.adjudication_min
    if chance.random() * 100 < plan.design.repeat_pct:
        later.reads += 1
        later.read_minutes += minutes


def _rate_of_this_trial(plan: TrialPlan, chance: random.Random) -> float:
    rate, weight = plan.adjudication_rate, plan.rate_weight_cases
    if rate in (0.0, 1.0) or math.isinf(weight):
        return rate
    return chance.betavariate(rate * weight, (1 - rate) * weight)


def _poisson(mean: float, chance: random.Random) -> int:
    """A Poisson draw by multiplying uniform numbers.

    References
    ----------
    Knuth DE. The Art of Computer Programming, volume 2, 3.4.1. Addison-Wesley 1997.
    """
    if mean > _MOST_AT_ONCE:
        return _poisson(_MOST_AT_ONCE, chance) + _poisson(mean - _MOST_AT_ONCE, chance)
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def _month_plan(number: int, trials: Sequence[_Month]) -> MonthPlan:
    return MonthPlan(
        number,
        _range([trial.cases for trial in trials]),
        _range([trial.reads for trial in trials]),
        _range([trial.adjudications for trial in trials]),
        _range([trial.read_minutes / 60 for trial in trials]),
        _range([trial.adjudication_minutes / 60 for trial in trials]),
    )


def _range(values: Sequence[float]) -> Range:
    ordered = sorted(values)
    return Range(_quantile(ordered, 0.5), _quantile(ordered, 0.05), _quantile(ordered, 0.95))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of the others lies, between the two nearest (R type 7)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
