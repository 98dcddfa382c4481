"""TU and TR: which lesions were identified, and what was found of each of them at each visit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from trialimg.core.lesions import Role, Seen
from trialimg.services.cdisc.course import Finding, Study
from trialimg.services.cdisc.sdtm_rows import Scene
from trialimg.services.cdisc.specification import Row, Value
from trialimg.services.cdisc.tables import number_text
from trialimg.services.cdisc.terms import decode
from trialimg.services.cdisc.vocabulary import ROLE_WORDS, STATE_WORDS, UNITS, laterality, location, vocabulary

__all__ = ["identification_rows", "mass_of", "result_rows"]

_TOO_SMALL = "TOO SMALL TO MEASURE"
_NOT_DONE = "NOT DONE"
_MERGED = "TUMOR MERGED"


def identification_rows(study: Study) -> Iterator[Row]:
    """TU: one row when a lesion is first seen, one for each part of a split lesion, one for each merged mass."""
    for scene in scenes(study):
        earlier = {lesion.label for at in scene.read.assessments[: scene.number - 1] for lesion in present(at.lesions)}
        for lesion in present(scene.at.lesions):
            if lesion.label not in earlier:
                yield _identified(scene, lesion)
        masses = {mass_of(lesion, scene.at.lesions) for lesion in scene.at.lesions} - {""}
        known = {mass_of(one, at.lesions) for at in scene.read.assessments[: scene.number - 1] for one in at.lesions}
        for mass in sorted(masses - known):
            yield _merged(scene, mass)


def scenes(study: Study) -> Iterator[Scene]:
    """Every assessment of every read of every subject, in order."""
    for course in study.courses:
        for read in course.reads:
            for number in range(1, len(read.assessments) + 1):
                yield Scene(study, course, read, number)


def present(lesions: Sequence[Finding]) -> Iterator[Finding]:
    """The lesions that there are at a visit; a new lesion that is gone is none."""
    return (one for one in lesions if not (one.role is Role.NEW and one.seen is Seen.ABSENT))


def mass_of(lesion: Finding, lesions: Sequence[Finding]) -> str:
    """Label of the mass that a lesion is measured in at a visit, lowest label first; empty where it stands alone."""
    carrier = lesion.merged_into or lesion.label
    joined = sorted(one.label for one in lesions if one.merged_into == carrier)
    return "/".join(sorted({carrier, *joined})) if joined else ""


def _identified(scene: Scene, lesion: Finding) -> Row:
    word = ROLE_WORDS[lesion.role]
    return {
        **_tu(scene, lesion, "TUSPLIT" if lesion.split_from else "TUMIDENT"),
        "TUGRPID": scene.link(lesion.split_from) if lesion.split_from else None,
        "TUREFID": lesion.image,
        "TUSPID": lesion.lesion_id,
        "TULNKID": scene.link(lesion.label),
        "TUORRES": word,
        "TUSTRESC": word,
        "TULOBXFL": "Y" if scene.is_last_before_start() else None,
    }


def _merged(scene: Scene, mass: str) -> Row:
    carrier = next(one for one in scene.at.lesions if mass_of(one, scene.at.lesions) == mass and not one.merged_into)
    link, word = scene.link(mass), ROLE_WORDS[carrier.role]
    return {
        **_tu(scene, carrier, "TUMERGE"), "TUGRPID": link, "TULNKID": link, "TUORRES": word, "TUSTRESC": word,
        "TUREFID": carrier.image,
    }  # fmt: skip


def _tu(scene: Scene, lesion: Finding, test: str) -> dict[str, Value]:
    return {
        **scene.cells("TU", lesion.date or scene.at.date),
        "TUTESTCD": test,
        "TUTEST": decode("TUTESTCD", "TUTEST", test),
        "TULOC": location(lesion.organ),
        "TULAT": laterality(lesion.organ, lesion.site),
        "TUMETHOD": lesion.method or scene.study.method,
    }


def result_rows(study: Study) -> Iterator[Row]:
    """TR: one row per lesion, test and visit, and the sum of the targets where it is known."""
    for scene in scenes(study):
        for lesion in scene.at.lesions:
            if lesion.role is Role.NEW and lesion.seen is Seen.ABSENT and not _was_seen(scene, lesion):
                continue
            yield from _of_lesion(scene, lesion)
        has_test = bool(vocabulary(scene.study.criterion).sum_test)
        if has_test and scene.at.sum_mm is not None and any(one.role is Role.TARGET for one in scene.at.lesions):
            yield _sum(scene, scene.at.sum_mm)


def _was_seen(scene: Scene, lesion: Finding) -> bool:
    return any(
        one.label == lesion.label for at in scene.read.assessments[: scene.number - 1] for one in present(at.lesions)
    )


def _of_lesion(scene: Scene, lesion: Finding) -> Iterator[Row]:
    mass = mass_of(lesion, scene.at.lesions)
    test = vocabulary(scene.study.criterion).test(lesion.kind) if lesion.role is Role.TARGET else "TUMSTATE"
    if mass:
        yield {**_tr(scene, lesion, test), "TRSTAT": _NOT_DONE, "TRREASND": _MERGED}
        if lesion.merged_into:
            return
        lesion = replace(lesion, label=mass)
    if lesion.seen is Seen.NOT_EVALUABLE:
        yield _without_result(scene, lesion, test)
        return
    if lesion.role is Role.TARGET:
        yield {**_tr(scene, lesion, test), **_size(scene, lesion, test)}
        for further, value in sorted(lesion.quantities.items()):
            if further != test:
                yield {**_tr(scene, lesion, further), **_number(value, UNITS[further])}
    else:
        yield from _state(scene, lesion)


def _without_result(scene: Scene, lesion: Finding, test: str) -> Row:
    row = {**_tr(scene, lesion, test), "TRSTAT": _NOT_DONE, "TRREASND": lesion.reason.upper()}
    return row if lesion.image else {**row, "TRDTC": None, "TRDY": None}


def _state(scene: Scene, lesion: Finding) -> Iterator[Row]:
    """The reader's word on a non-target or new lesion; a new node may have a size in its place."""
    word = STATE_WORDS.get(lesion.status) or ("ABSENT" if lesion.seen is Seen.ABSENT else "PRESENT")
    if lesion.status or lesion.diameter_mm is None:
        yield {**_tr(scene, lesion, "TUMSTATE"), "TRORRES": word, "TRSTRESC": word}
    else:
        test = vocabulary(scene.study.criterion).test(lesion.kind)
        yield {**_tr(scene, lesion, test), **_size(scene, lesion, test)}


def _size(scene: Scene, lesion: Finding, test: str) -> dict[str, Value]:
    unit = UNITS[test]
    if lesion.seen is Seen.TOO_SMALL:
        text = number_text(scene.study.too_small_mm)
        standing: dict[str, Value] = {"TRSTRESC": text, "TRSTRESN": float(scene.study.too_small_mm), "TRSTRESU": unit}
        return {"TRORRES": _TOO_SMALL, **standing}
    return _number(Decimal(0) if lesion.diameter_mm is None else lesion.diameter_mm, unit)


def _number(value: Decimal, unit: str) -> dict[str, Value]:
    text = number_text(value)
    return {"TRORRES": text, "TRORRESU": unit, "TRSTRESC": text, "TRSTRESN": float(value), "TRSTRESU": unit}


def _sum(scene: Scene, value_mm: Decimal) -> Row:
    test = vocabulary(scene.study.criterion).sum_test
    dates = [one.date for one in scene.at.lesions if one.role is Role.TARGET and one.date is not None]
    return {
        **scene.cells("TR", max(dates, default=scene.at.date)),
        "TRGRPID": "TARGET",
        "TRLNKGRP": scene.group,
        "TRTESTCD": test,
        "TRTEST": decode("TRTESTCD", "TRTEST", test),
        **_number(value_mm, UNITS[test]),
    }


def _tr(scene: Scene, lesion: Finding, test: str) -> dict[str, Value]:
    measured = lesion.seen is not Seen.NOT_EVALUABLE and not lesion.merged_into
    return {
        **scene.cells("TR", lesion.date or scene.at.date),
        "TRGRPID": ROLE_WORDS[lesion.role],
        "TRREFID": lesion.image if measured else None,
        "TRLNKID": scene.link(lesion.label),
        "TRLNKGRP": scene.group,
        "TRTESTCD": test,
        "TRTEST": decode("TRTESTCD", "TRTEST", test),
        "TRMETHOD": lesion.method or scene.study.method,
        "TRLOBXFL": "Y" if measured and scene.is_last_before_start() else None,
    }
