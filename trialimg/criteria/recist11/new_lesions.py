"""New lesions: what is new at each timepoint as it was read, and as it stands once later scans are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trialimg.core.lesions import LesionKind, NewLesionStatus, Observation, Seen, Track
from trialimg.core.responses import Firing, NewLesionResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.recist11.facts import Facts, Pet
from trialimg.criteria.recist11.rules import Rules

__all__ = ["NewLesions", "judge_new_lesions", "standing_words"]

_NO, _EQUIVOCAL, _UNEQUIVOCAL = NewLesionResponse.NO, NewLesionResponse.EQUIVOCAL, NewLesionResponse.UNEQUIVOCAL
_RANK = {_NO: 0, _EQUIVOCAL: 1, _UNEQUIVOCAL: 2}
_NOTHING_NEW = Firing("R-1.1/R16", "no new lesion: no")


@dataclass(frozen=True, slots=True)
class NewLesions:
    """New lesions at one timepoint."""

    as_read: NewLesionResponse
    standing: NewLesionResponse
    """After an equivocal lesion that was confirmed later has been dated back."""
    firing: Firing


@dataclass(frozen=True, slots=True)
class _State:
    word: NewLesionResponse
    rule: str
    why: str


_UNSEEN = _State(_NO, "R16", "")


def judge_new_lesions(
    tracks: Sequence[Track], timepoints: Sequence[Timepoint], facts: Mapping[str, Facts], rules: Rules
) -> tuple[NewLesions, ...]:
    """New lesions at every follow-up timepoint, in their order; ``timepoints`` starts with baseline."""
    followups = timepoints[1:]
    courses = [_course(track, followups, rules) for track in tracks]
    pet = _pet_course(timepoints, facts)
    if pet:
        courses.append(pet)
    if not courses:
        return tuple(NewLesions(_NO, _NO, _NOTHING_NEW) for _ in followups)
    confirmed = [_confirmed_at(course) if rules.backdate_equivocal else {} for course in courses]
    return tuple(_at(index, courses, confirmed, followups) for index in range(len(followups)))


def standing_words(
    tracks: Sequence[Track], timepoints: Sequence[Timepoint], facts: Mapping[str, Facts], rules: Rules
) -> Mapping[str, tuple[NewLesionResponse, ...]]:
    """What each new lesion stands for at every follow-up, dated back where it was confirmed later.

    What FDG-PET alone shows goes by the name ``FDG-PET``.
    """
    courses = {track.lesion.id: _course(track, timepoints[1:], rules) for track in tracks}
    pet = _pet_course(timepoints, facts)
    if pet:
        courses["FDG-PET"] = pet
    return {name: _standing(course, rules) for name, course in courses.items()}


def _standing(course: Sequence[_State], rules: Rules) -> tuple[NewLesionResponse, ...]:
    confirmed = _confirmed_at(course) if rules.backdate_equivocal else {}
    return tuple(_UNEQUIVOCAL if index in confirmed else state.word for index, state in enumerate(course))


def _at(
    index: int,
    courses: Sequence[Sequence[_State]],
    confirmed: Sequence[Mapping[int, int]],
    followups: Sequence[Timepoint],
) -> NewLesions:
    states = [course[index] for course in courses]
    worst = max(states, key=lambda state: _RANK[state.word])
    if worst.word is _NO:
        return NewLesions(_NO, _NO, _NOTHING_NEW)
    dated_back = [(at[index], state) for at, state in zip(confirmed, states, strict=True) if index in at]
    if worst.word is _EQUIVOCAL and dated_back:
        later, state = min(dated_back, key=lambda pair: pair[0])
        sentence = f"{state.why}; confirmed at {followups[later].id}, so it is dated at this scan: unequivocal"
        numbers = {"as_read": _EQUIVOCAL.value, "confirmed_at": followups[later].id}
        return NewLesions(_EQUIVOCAL, _UNEQUIVOCAL, Firing("R-1.1/R17", sentence, numbers))
    return NewLesions(worst.word, worst.word, Firing(f"R-1.1/{worst.rule}", f"{worst.why}: {worst.word.value}"))


def _course(track: Track, followups: Sequence[Timepoint], rules: Rules) -> list[_State]:
    """What is said of one new lesion at each follow-up."""
    states: list[_State] = []
    last = _UNSEEN
    for timepoint in followups:
        last = _state(track.at(timepoint.id), last, rules)
        states.append(last)
    return states


def _state(observation: Observation | None, last: _State, rules: Rules) -> _State:
    if observation is None or observation.seen is Seen.NOT_EVALUABLE:
        return last if rules.new_lesion_persists else _UNSEEN
    name = observation.lesion.id
    if observation.seen is Seen.ABSENT:
        return _UNSEEN
    if rules.nodes_by_short_axis and observation.lesion.kind is LesionKind.NODAL:
        by_size = _node_by_size(observation, last, rules)
        if by_size is not None:
            return by_size
    if observation.status is NewLesionStatus.EQUIVOCAL:
        return _State(_EQUIVOCAL, "R17", f"{name} perhaps new")
    if observation.status is None and last.word is not _NO:
        return last
    return _State(_UNEQUIVOCAL, "R16", f"{name} is new")


def _node_by_size(observation: Observation, last: _State, rules: Rules) -> _State | None:
    """A new node by its short axis, where size decides; None where the reader's word or its history does."""
    short_axis_mm, name = observation.diameter_mm, observation.lesion.id
    if short_axis_mm is None:
        return _UNSEEN if observation.seen is Seen.TOO_SMALL else None
    if short_axis_mm < rules.node_normal_below_mm:
        return _UNSEEN
    if observation.status is not None or last.word is _UNEQUIVOCAL:
        return None
    sized = f"new node {name} short axis {short_axis_mm} mm"
    if short_axis_mm >= rules.new_node_pd_sa_mm:
        return _State(_UNEQUIVOCAL, "R19", f"{sized} >= {rules.new_node_pd_sa_mm} mm")
    limits = f">= {rules.node_normal_below_mm} mm, < {rules.new_node_pd_sa_mm} mm"
    return _State(_EQUIVOCAL, "R19", f"{sized} {limits}")


def _pet_course(timepoints: Sequence[Timepoint], facts: Mapping[str, Facts]) -> list[_State]:
    """What FDG-PET says of new disease at each follow-up (R18); empty where no PET was judged."""
    pets = [fact.pet if (fact := facts.get(timepoint.id)) else None for timepoint in timepoints]
    if not any(pets[1:]):
        return []
    states: list[_State] = []
    last = _UNSEEN
    for pet in pets[1:]:
        last = last if pet is None else _pet_state(pet, baseline=pets[0])
        states.append(last)
    return states


def _pet_state(pet: Pet, *, baseline: Pet | None) -> _State:
    if pet is Pet.NEGATIVE or pet is Pet.POSITIVE_KNOWN_SITE:
        return _UNSEEN
    if baseline is Pet.NEGATIVE:
        return _State(_UNEQUIVOCAL, "R18", "FDG-PET negative at baseline and positive now")
    if pet is Pet.POSITIVE_CT_CONFIRMED:
        return _State(_UNEQUIVOCAL, "R18", "FDG-PET positive at a new site that CT confirms")
    return _State(_EQUIVOCAL, "R18", "FDG-PET positive at a site that CT leaves in doubt")


def _confirmed_at(course: Sequence[_State]) -> dict[int, int]:
    """Follow-ups at which one lesion was equivocal, each with the follow-up that confirmed it."""
    confirmed: dict[int, int] = {}
    waiting: list[int] = []
    for index, state in enumerate(course):
        if state.word is _EQUIVOCAL:
            waiting.append(index)
        elif state.word is _UNEQUIVOCAL:
            confirmed |= dict.fromkeys(waiting, index)
            waiting = []
        else:
            waiting = []
    return confirmed
