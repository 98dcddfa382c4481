"""How long a subject stayed free of progression, by the read that holds of their case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from trialimg.core.trial import Subject
from trialimg.endpoints.summary import summarise
from trialimg.protocol.model import Protocol
from trialimg.services.figures.courses import Outcome
from trialimg.services.reading_answer import criterion_of
from trialimg.services.reading_content import Written
from trialimg.services.reading_file import review_timepoints
from trialimg.services.respond import judge

__all__ = ["progression_free_of"]


def progression_free_of(case: Mapping[str, Any], read: Mapping[str, Any], protocol: Protocol) -> Outcome | None:
    """Days from the reference date to progression, or to where the protocol's rules censor; None without a baseline.

    Parameters
    ----------
    case, read
        Bodies of the records; counted from baseline where the case names no reference date.

    Notes
    -----
    The records of a review know no deaths and no new therapies: whoever died without a progression that was seen is
    censored at the last adequate assessment, so the curve is one of time to progression as the readers saw it.
    """
    timepoints = review_timepoints(case)
    written = Written(case["code"], timepoints, read["timepoints"])
    reading, _ = written.read()
    if reading is None:
        return None
    rules = criterion_of(protocol)
    facts, _ = written.facts(rules)
    judged = judge([reading], rules, protocol.response.rules, facts={(written.name, ""): facts})[0]
    start = dt.date.fromisoformat(case["reference_date"]) if case["reference_date"] else timepoints[0].date
    subject = Subject(case["subject"], reference_date=start)
    found = summarise(subject, judged.assessments, baseline=timepoints[0], settings=protocol.endpoints.settings)
    time = found.progression_free_survival
    return None if time is None else Outcome(time.days, time.event)
