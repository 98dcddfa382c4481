"""RS: the response of each assessment of each read, and the verdict on a disagreement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

from trialimg.core.lesions import Role
from trialimg.services.cdisc.course import Assessment, Course, Evaluator, Study
from trialimg.services.cdisc.sdtm_rows import Scene
from trialimg.services.cdisc.specification import Row, Value
from trialimg.services.cdisc.terms import decode
from trialimg.services.cdisc.tumours import scenes
from trialimg.services.cdisc.vocabulary import vocabulary

__all__ = ["ADJUDICATOR", "PROGRESSIONS", "response_rows"]

ADJUDICATOR = Evaluator("A1", role="ADJUDICATOR 1")
PROGRESSIONS = ("PD", "iUPD", "iCPD", "irPD", "imPD", "PMD", "PD-CT", "PDu")
"""Responses that are dated at the earliest image."""
_OVERALL = "OVRLRESP"
_NOT_DONE = "ND"


def response_rows(study: Study) -> Iterator[Row]:
    """One row per response and assessment; none at baseline."""
    for scene in scenes(study):
        for test in scene.at.responses:
            yield _response(scene, test)
    for course in study.courses:
        yield from _verdict(study, course)


_ROLES = {"TRGRESP": Role.TARGET, "NTRGRESP": Role.NON_TARGET, "NEWLIND": Role.NEW, "NEWLPROG": Role.NEW}


def _date(at: Assessment, test: str) -> dt.date:
    """What shows progression is dated at its earliest image, anything else at the latest of the images it rests on."""
    value = at.responses[test]
    if test == _OVERALL:
        shown = [_date(at, part) for part in _ROLES if part in at.responses and _is_worse(at.responses[part])]
        return min(shown, default=at.first_date) if value in PROGRESSIONS else at.date
    if (test, value) == ("NEWLIND", "N"):
        return at.date
    dates = [one.date for one in at.lesions if one.role is _ROLES[test] and one.date and not one.reason]
    dates = dates or [one.date for one in at.lesions if one.date]
    if _is_worse(value):
        return min(dates, default=at.first_date)
    return max(dates, default=at.date)


def _is_worse(value: str) -> bool:
    return value in PROGRESSIONS or value == "Y"


def _verdict(study: Study, course: Course) -> Iterator[Row]:
    """The adjudicator's rows: the overall responses of the read that was endorsed, resting on its measurements."""
    endorsed = course.accepted if course.endorsed else None
    if endorsed is None:
        return
    by_adjudicator = replace(endorsed, by=ADJUDICATOR, is_accepted=False)
    for number, at in enumerate(endorsed.assessments, start=1):
        if _OVERALL in at.responses:
            group = Scene(study, course, endorsed, number).group
            row = _response(Scene(study, course, by_adjudicator, number), _OVERALL)
            yield {**row, "RSLNKGRP": group, "RSDRVFL": None}


def _response(scene: Scene, test: str) -> Row:
    value, day = scene.at.responses[test], _date(scene.at, test)
    is_overall = test == _OVERALL
    return {
        **scene.cells("RS", day),
        "RSLNKGRP": scene.group if is_overall and scene.at.lesions else None,
        "RSTESTCD": test,
        "RSTEST": decode("ONCRTSCD", "ONCRTS", test),
        "RSCAT": vocabulary(scene.study.criterion).category,
        "RSDRVFL": "Y",
        **_answer(value),
    }


def _answer(value: str) -> dict[str, Value]:
    """The response; an assessment that did not take place has a status in its place."""
    if value == _NOT_DONE:
        return {"RSSTAT": "NOT DONE", "RSREASND": "ASSESSMENT NOT PERFORMED", "RSDRVFL": None}
    return {"RSORRES": value, "RSSTRESC": value}
