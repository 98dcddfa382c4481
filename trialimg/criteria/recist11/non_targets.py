"""Non-target lesions: what the reader's words on each of them come to."""

from __future__ import annotations

from collections.abc import Sequence

from trialimg.core.lesions import LesionKind, NonTargetStatus, Observation, Seen, Track
from trialimg.core.responses import Firing, NonTargetResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.recist11.facts import Markers
from trialimg.criteria.recist11.rules import PartialNonTarget, Rules

__all__ = ["judge_non_targets"]

_S = NonTargetStatus
_NONE_AT_BASELINE = (NonTargetResponse.NOT_APPLICABLE, Firing("R-1.1/NT0", "no non-target lesion at baseline"))


def judge_non_targets(
    tracks: Sequence[Track], timepoint: Timepoint, markers: Markers | None, *, after_cr: bool, rules: Rules
) -> tuple[NonTargetResponse, Firing]:
    """The word of the non-target lesions, with the tumour markers that count among them.

    Parameters
    ----------
    after_cr
        The last evaluable overall response was CR, so that a non-target that is back means progression (R14).
    """
    if not tracks and markers in (None, Markers.NORMAL):
        return _NONE_AT_BASELINE
    by_status: dict[NonTargetStatus, list[str]] = {status: [] for status in _S}
    for track in tracks:
        if not _elsewhere(track, tracks, timepoint):
            by_status[_status(track.at(timepoint.id), rules)].append(track.lesion.id)
    numbers = {status.value: str(len(lesions)) for status, lesions in by_status.items()}
    if markers is not None:
        numbers["markers"] = markers.value
    word, rule, sentence = _word(by_status, markers, after_cr=after_cr, rules=rules)
    return word, Firing(f"R-1.1/{rule}", f"{sentence}: {word.value}", numbers)


def _word(
    by_status: dict[NonTargetStatus, list[str]], markers: Markers | None, *, after_cr: bool, rules: Rules
) -> tuple[NonTargetResponse, str, str]:
    present, unknown = by_status[_S.PRESENT], by_status[_S.NOT_EVALUABLE]
    if by_status[_S.UNEQUIVOCAL_PROGRESSION]:
        return (
            NonTargetResponse.PD,
            "NT1",
            f"unequivocal progression of {_names(by_status[_S.UNEQUIVOCAL_PROGRESSION])}",
        )
    if present and after_cr:
        return NonTargetResponse.PD, "R14", f"{_names(present)} back after an overall CR"
    partly = present and rules.partial_non_target is PartialNonTarget.NON_CR_NON_PD
    if unknown and not partly:
        return NonTargetResponse.NE, "NT2", f"{_names(unknown)} not assessed"
    if present:
        return NonTargetResponse.NON_CR_NON_PD, "NT3", f"{_names(present)} persist"
    if markers is Markers.ELEVATED:
        return NonTargetResponse.NON_CR_NON_PD, "NT3", "tumour markers above normal"
    if markers is Markers.NOT_EVALUABLE:
        return NonTargetResponse.NE, "NT2", "all gone, but tumour markers not evaluable"
    gone = "all gone, nodes of normal size" if by_status[_S.ABSENT] else "none left that is not measured in a target"
    return NonTargetResponse.CR, "NT4", gone


def _elsewhere(track: Track, tracks: Sequence[Track], timepoint: Timepoint) -> bool:
    """Whether a lesion says nothing of its own: not split off yet, gone into fragments, or into a mass."""
    here = track.at(timepoint.id)
    told = here is not None and here.seen is not Seen.NOT_EVALUABLE
    if told:
        return False
    past = [o for o in track.observations if o.timepoint.order <= timepoint.order]
    if any(o.merged_into is not None for o in past):
        return True
    parent, own = track.lesion.split_from, track.lesion.id
    if parent is not None and not past:
        return True
    relatives = (t for t in tracks if t.lesion.split_from == own or t.lesion.id == parent)
    seen = (relative.at(timepoint.id) for relative in relatives)
    return any(one is not None and one.seen is not Seen.NOT_EVALUABLE for one in seen)


def _status(observation: Observation | None, rules: Rules) -> NonTargetStatus:
    if observation is None or observation.seen is Seen.NOT_EVALUABLE:
        return _S.NOT_EVALUABLE
    if observation.status is _S.UNEQUIVOCAL_PROGRESSION or observation.status is _S.NOT_EVALUABLE:
        return observation.status
    node = rules.nodes_by_short_axis and observation.lesion.kind is LesionKind.NODAL
    diameter_mm = observation.diameter_mm
    if node and diameter_mm is not None:
        return _S.ABSENT if diameter_mm < rules.node_normal_below_mm else _S.PRESENT
    if isinstance(observation.status, NonTargetStatus):
        return observation.status
    return _S.ABSENT if observation.seen is Seen.ABSENT or (node and observation.seen is Seen.TOO_SMALL) else _S.PRESENT


def _names(lesions: list[str]) -> str:
    return ", ".join(lesions)
