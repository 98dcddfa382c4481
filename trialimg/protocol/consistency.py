"""What no section of a protocol can see alone: names used twice, windows that overlap, sections that contradict.

Every check takes the protocol as plain JSON types and passes over what does not have the expected shape, so that
a protocol with other faults is checked as far as it can be understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from trialimg.core.errors import Fault
from trialimg.protocol.faults import joined, suggestion

__all__ = ["inconsistencies"]

_NAMED_ONCE = (
    ("arms", ""),
    ("sites", ""),
    ("exports", ""),
    ("acquisition", "modality"),
    ("deidentification.options", ""),
    ("segmentation.prompts", ""),
    ("reading.adjudication", "variable"),
    ("endpoints.report", ""),
    ("statistics.compare_arms", ""),
    ("price_plan.items", "item"),
)
_DATE_OPTIONS = (
    "retain_longitudinal_temporal_information_full_dates",
    "retain_longitudinal_temporal_information_modified_dates",
)


def inconsistencies(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    """Every contradiction within a protocol, with the path of keys where it is best put right."""
    yield from _duplicates(protocol)
    yield from _visit_names(protocol)
    yield from _baseline_window(protocol)
    yield from _visit_windows(protocol)
    yield from _overlaps(protocol)
    yield from _model(protocol)
    yield from _dates_kept(protocol)
    yield from _compared_arms(protocol)
    yield from _given_sums(protocol)
    yield from _confirmation(protocol)
    yield from _baseline_rule(protocol)
    yield from _paying_sites(protocol)


def _duplicates(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    for path, key in _NAMED_ONCE:
        seen: set[str] = set()
        for position, entry in enumerate(_list_at(protocol, path)):
            name = entry.get(key) if isinstance(entry, Mapping) else entry
            if isinstance(name, str) and name in seen:
                yield Fault(joined(f"{path}[{position}]", key), "duplicate", f"{name!r} is named already")
            elif isinstance(name, str):
                seen.add(name)


def _visit_names(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    match protocol:
        case {"schedule": {"baseline": {"id": str(name)}}}:
            seen = {name}
        case _:
            seen = {"BL"}
    for position, visit in enumerate(_list_at(protocol, "schedule.visits")):
        match visit:
            case {"id": str(name)} if name in seen:
                yield Fault(f"schedule.visits[{position}].id", "duplicate", f"{name!r} is the name of another visit")
            case {"id": str(name)} if name.startswith("UNS-"):
                message = "names that start with UNS- are kept for unscheduled visits"
                yield Fault(f"schedule.visits[{position}].id", "reserved", message)
            case {"id": str(name)}:
                seen.add(name)


def _baseline_window(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    match protocol:
        case {"schedule": {"baseline": {"window_days": [int(first), int(last)]}}}:
            place = "schedule.baseline.window_days"
            if first > last:
                yield Fault(place, "window_reversed", f"the window ends (day {last}) before it begins (day {first})")
            if last > 1:
                message = f"the baseline window ends on day {last}, after the reference date (day 1)"
                yield Fault(place, "baseline_after_reference", message)
            if 0 in (first, last):
                yield Fault(place, "no_day_0", "there is no day 0: the day before day 1 is day -1")


def _visit_windows(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    for position, visit in enumerate(_list_at(protocol, "schedule.visits")):
        match visit:
            case {"window_days": [int(early), int(late)]} if early > 0 or late < 0:
                message = f"[{early}, {late}] does not hold the planned day: give days early (<= 0) and late (>= 0)"
                yield Fault(f"schedule.visits[{position}].window_days", "window_off_day", message)
            case {"day": int(day), "window_days": [int(early), int()]} if day >= 1 > day + early:
                message = f"{-early} days before day {day} lie before the reference date (day 1)"
                yield Fault(f"schedule.visits[{position}].window_days", "window_before_reference", message)


@dataclass(frozen=True)
class _Window:
    """The study days of one visit, and where it stands in the file."""

    name: str
    day: int
    first_day: int
    last_day: int
    place: str


def _overlaps(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    """Visits out of order, and windows that share a day."""
    for before, visit in pairwise(_windows(protocol)):
        if visit.day <= before.day:
            message = f"{visit.name} (day {visit.day}) is not after {before.name} (day {before.day})"
            yield Fault(f"{visit.place}.day", "visits_out_of_order", message)
        elif visit.first_day <= before.last_day:
            message = (
                f"{visit.name} begins on day {visit.first_day}, "
                f"but the window of {before.name} ends on day {before.last_day}"
            )
            yield Fault(f"{visit.place}.window_days", "windows_overlap", message)


def _windows(protocol: Mapping[str, Any]) -> Iterator[_Window]:
    """The window of every visit that has a possible one, baseline first."""
    match protocol:
        case {"schedule": {"baseline": {"window_days": [int(first), int(last)], **rest}}} if last <= 1:
            yield _Window(str(rest.get("id", "BL")), last, first, last, "schedule.baseline")
    for position, visit in enumerate(_list_at(protocol, "schedule.visits")):
        match visit:
            case {"id": str(name), "day": int(day), "window_days": [int(early), int(late)]} if (
                1 - day <= early <= 0 <= late
            ):
                yield _Window(name, day, day + early, day + late, f"schedule.visits[{position}]")


def _model(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    match protocol.get("segmentation"):
        case {"segmenter": str(name), **rest}:
            model, digest = rest.get("model"), rest.get("model_digest")
            if name == "monai_bundle" and model is None:
                yield Fault("segmentation.model", "missing_key", "monai_bundle needs the path of its bundle")
            if (name == "monai_bundle" or model is not None) and digest is None:
                message = "a model is loaded only under a pinned digest (sha256:...)"
                yield Fault("segmentation.model_digest", "missing_key", message)
            if name != "monai_bundle" and model is None and digest is not None:
                yield Fault("segmentation.model_digest", "digest_without_model", "there is no model to have a digest")


def _dates_kept(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    options = _list_at(protocol, "deidentification.options")
    if all(option in options for option in _DATE_OPTIONS):
        message = "dates are kept as they are or shifted, not both"
        yield Fault(f"deidentification.options[{options.index(_DATE_OPTIONS[1])}]", "contradiction", message)


def _compared_arms(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    arms = [arm for arm in _list_at(protocol, "arms") if isinstance(arm, str)]
    compared = _list_at(protocol, "statistics.compare_arms")
    for position, arm in enumerate(compared):
        if isinstance(arm, str) and arm not in arms:
            near = suggestion(arm, arms) or f"; the arms are {', '.join(arms)}"
            yield Fault(f"statistics.compare_arms[{position}]", "unknown_arm", f"{arm!r} is not an arm{near}")
    if len(compared) == 1:
        yield Fault("statistics.compare_arms", "one_arm", "a comparison needs at least two arms")
    match protocol:
        case {"statistics": {"control_arm": str(control)}} if control and control not in compared:
            message = f"{control!r} is none of the arms that are compared"
            yield Fault("statistics.control_arm", "unknown_arm", message)


def _given_sums(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    match protocol:
        case {"tables": {"response": "derived", "sums": "given"}}:
            message = "a response is derived from the lesions, and so are their sums; set tables.response to given"
            yield Fault("tables.sums", "contradiction", message)


def _confirmation(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    match protocol:
        case {
            "response": {"rules": {"confirmation_days": int(held)}},
            "endpoints": {"settings": {"confirmation_days": int(confirmed)}},
        } if held != confirmed:
            message = f"{confirmed} days, but response.rules.confirmation_days is {held}: give both the same"
            yield Fault("endpoints.settings.confirmation_days", "contradiction", message)


def _baseline_rule(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    match protocol:
        case {
            "schedule": {"baseline": {"window_days": [int(first), int()]}},
            "response": {"rules": {"baseline_window_days": int(longest)}},
        } if -first > longest:
            message = f"{longest} days, but the baseline window opens {-first} days before the reference date"
            yield Fault("response.rules.baseline_window_days", "contradiction", message)


def _paying_sites(protocol: Mapping[str, Any]) -> Iterator[Fault]:
    sites = [site for site in _list_at(protocol, "sites") if isinstance(site, str)]
    for position, payer in enumerate(_list_at(protocol, "price_plan.payers")):
        for place, site in enumerate(_list_at(payer, "sites")):
            if isinstance(site, str) and site not in sites:
                message = f"{site!r} is not a site of the trial; the sites are {', '.join(sites)}"
                yield Fault(f"price_plan.payers[{position}].sites[{place}]", "unknown_site", message)


def _list_at(protocol: Mapping[str, Any], path: str) -> Sequence[Any]:
    here: Any = protocol
    for key in path.split("."):
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, list) else ()
