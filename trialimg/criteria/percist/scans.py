"""Whether a baseline is measurable, and whether a later scan may be compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trialimg.core.responses import Firing
from trialimg.criteria.percist.rules import Facts, Rules, Unknown

__all__ = ["Obstacle", "comparable", "measurable_baseline"]


@dataclass(frozen=True)
class Obstacle:
    """Why no change of uptake can be judged, or what is not known about it."""

    firing: Firing
    stops: bool


def measurable_baseline(hottest: Decimal | None, facts: Facts, rules: Rules) -> Obstacle:
    """Whether the hottest lesion at baseline is measurable against the liver, or blood pool where that is diseased."""
    name, mean, sd = "liver", facts.liver_sul_mean, facts.liver_sul_sd
    factor, sds = rules.liver_factor, rules.liver_sds
    if facts.liver_diseased:
        name, mean, sd = "blood pool", facts.blood_pool_sul_mean, facts.blood_pool_sul_sd
        factor, sds = rules.blood_pool_factor, rules.blood_pool_sds
    if mean is None or sd is None:
        return Obstacle(Firing("PERCIST/PE2", f"no {name} mean and SD at baseline: not known to be measurable"), True)
    limit = factor * mean + sds * sd
    rule = f"{factor} x {name} {mean} + {sds} x {sd} = {limit} SUL"
    if hottest is None:
        return Obstacle(Firing("PERCIST/PE2", "the hottest lesion at baseline is not known: not measurable"), True)
    numbers = {"baseline (SUL)": str(hottest), "limit (SUL)": str(limit)}
    if hottest < limit:
        return Obstacle(Firing("PERCIST/PE2", f"hottest lesion {hottest} < {rule}: not measurable", numbers), True)
    return Obstacle(Firing("PERCIST/PE2", f"hottest lesion {hottest} >= {rule}: measurable", numbers), False)


def comparable(now: Facts, baseline: Facts, rules: Rules) -> Iterator[Obstacle]:
    """What keeps a scan from being compared with baseline, and what is not known of it (PE4)."""
    yield from _definition(now, baseline, rules)
    yield from _liver(now, baseline, rules)
    yield from _uptake(now, baseline, rules)
    if now.same_scanner is False:
        yield _stop("another scanner or reconstruction than at baseline")
    elif now.same_scanner is None:
        yield _unknown("same scanner and reconstruction", rules)


def _definition(now: Facts, baseline: Facts, rules: Rules) -> Iterator[Obstacle]:
    """Whether both scans measured SULpeak as the trial does."""
    unsaid: list[str] = []
    for name in ("sulpeak_def", "lean_mass"):
        wanted = getattr(rules, name)
        said = [getattr(fact, name) for fact in (baseline, now)]
        strangers = sorted({one.value for one in said if one not in (None, wanted)})
        if strangers:
            text = f"{name} is {' and '.join(strangers)}, of the trial {wanted.value}"
            yield Obstacle(Firing("PERCIST/PE1", f"{text}: scans cannot be compared"), True)
        elif None in said:
            unsaid.append(f"{name} ({wanted.value})")
    if unsaid:
        stops = rules.unknown_comparability is Unknown.NE
        end = "scans cannot be compared" if stops else "taken to be so"
        yield Obstacle(Firing("PERCIST/PE1", f"{' and '.join(unsaid)} not recorded at both scans: {end}"), stops)


def _liver(now: Facts, baseline: Facts, rules: Rules) -> Iterator[Obstacle]:
    if baseline.liver_diseased:
        return
    mean, was = now.liver_sul_mean, baseline.liver_sul_mean
    if mean is None or was is None:
        yield _unknown("liver mean", rules)
        return
    change = abs(mean - was)
    if change > rules.liver_change * was or change >= rules.liver_change_sul:
        limits = f"at most {rules.liver_change} x {was} and less than {rules.liver_change_sul} SUL are allowed"
        yield _stop(f"liver mean {was} to {mean} SUL: changed by {change}, {limits}")


def _uptake(now: Facts, baseline: Facts, rules: Rules) -> Iterator[Obstacle]:
    minutes, was = now.uptake_minutes, baseline.uptake_minutes
    if minutes is None or was is None:
        yield _unknown("uptake time", rules)
        return
    if abs(minutes - was) > rules.uptake_difference_minutes:
        text = f"uptake {was} and {minutes} min differ by more than {rules.uptake_difference_minutes} min"
        yield _stop(text)
    earliest, latest = rules.uptake_earliest_minutes, rules.uptake_latest_minutes
    for at in (was, minutes):
        if not earliest <= at <= latest:
            text = f"uptake of {at} min lies outside of {earliest} to {latest} min (noted only)"
            yield Obstacle(Firing("PERCIST/PE4", text), False)


def _stop(why: str) -> Obstacle:
    return Obstacle(Firing("PERCIST/PE4", f"{why}: scans cannot be compared"), True)


def _unknown(what: str, rules: Rules) -> Obstacle:
    stops = rules.unknown_comparability is Unknown.NE
    end = "scans cannot be compared" if stops else "compared all the same"
    return Obstacle(Firing("PERCIST/PE4", f"{what} not recorded at both scans: {end}"), stops)
