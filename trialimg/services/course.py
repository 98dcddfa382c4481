"""One subject's lesions over all visits: what was found of each, in the words of the criteria."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from trialimg.core.errors import GeometryError, ModelError
from trialimg.core.lesions import (
    Lesion,
    LesionStatus,
    NewLesionStatus,
    NonTargetStatus,
    Observation,
    Quantities,
    Role,
    Seen,
)
from trialimg.core.provenance import Evidence
from trialimg.core.trial import Finding, Severity, Timepoint
from trialimg.imaging.measure import LesionMeasurement
from trialimg.protocol.images import PromptKind
from trialimg.services.annotations import Annotation, Status
from trialimg.services.counted import DIAMETERS, Counted, Counts
from trialimg.services.key_images import key_image
from trialimg.services.lesion_tracking import FoundLesion, LesionTracker, separate
from trialimg.services.results import KeyImage, LesionResult
from trialimg.services.scans import Scan, comparable
from trialimg.volume import Mask
from trialimg.volume.packing import MEDIA_TYPE

__all__ = ["Course"]


@dataclass(frozen=True, eq=False)
class _Known:
    """A lesion as it is followed: its nature, and the region it was first found as."""

    lesion: Lesion
    role: Role
    first: FoundLesion | None
    """None where a reader named the lesion without showing it, or it could not be segmented."""
    status: Status | None
    """A new lesion keeps what was first said of it."""


@dataclass(frozen=True, eq=False)
class _Look:
    """What came of looking for one lesion at one visit, before it is measured."""

    known: _Known
    said: Annotation | None
    found: FoundLesion | None = None
    seen: Seen | None = None
    """Set where nothing is to be measured."""
    reason: str = ""


@dataclass
class Course:
    """Follows the lesions of one subject from visit to visit; visits are given in order."""

    subject: str
    tracker: LesionTracker
    region: Callable[[Annotation, Scan], Mask]
    """The region that a reader outlined; GeometryError where there is none."""
    prompts: tuple[PromptKind, ...]
    """Kinds of prompt, the preferred first."""
    too_small_below_mm: Decimal
    counts: Counts = DIAMETERS
    findings: list[Finding] = field(default_factory=list)
    _known: dict[str, _Known] = field(default_factory=dict)

    def visit(
        self, timepoint: Timepoint, scans: Sequence[Scan], said: Sequence[Annotation]
    ) -> tuple[LesionResult, ...]:
        """Every lesion known so far, and those first named now, at one visit."""
        by_lesion: dict[str, list[Annotation]] = {}
        for annotation in said:
            by_lesion.setdefault(annotation.lesion, []).append(annotation)
        looks = {
            label: self._look_again(known, scans, by_lesion.pop(label, ())) for label, known in self._known.items()
        }
        for label, words in by_lesion.items():
            if (look := self._first_look(label, timepoint, scans, words)) is not None:
                self._known[label] = look.known
                looks[label] = look
        looks = self._separated(looks, timepoint)
        return tuple(self._result(look, timepoint) for look in looks.values())

    def _first_look(
        self, label: str, timepoint: Timepoint, scans: Sequence[Scan], words: Sequence[Annotation]
    ) -> _Look | None:
        head = words[0]
        if (timepoint.order == 0) is (head.role is Role.NEW):
            message = f"{head.role.value} lesion {label} is first named at {timepoint.id}; not used ({head.where})"
            self._note("lesion_out_of_turn", Severity.EXCLUDED, timepoint, message)
            return None
        lesion = Lesion(f"{self.subject}/{label}", head.kind, head.organ, label)
        status = next((word.status for word in words if word.status is not None), None)
        blank = _Known(lesion, head.role, None, status)
        look = self._from_prompt(blank, scans, words)
        if look.found is None:
            self._note("lesion_not_found", Severity.WARNING, timepoint, f"{label}: {look.reason} ({head.where})")
        return replace(look, known=replace(blank, first=look.found))

    def _look_again(self, known: _Known, scans: Sequence[Scan], words: Sequence[Annotation]) -> _Look:
        """Follow a known lesion, unless a reader points at it anew or says what became of it."""
        said = next((word for word in words if word.status is not None), words[0] if words else None)
        if any(word.prompt_kind is not None for word in words):
            return self._from_prompt(known, scans, words)
        if said is not None and said.status in _SEEN_OF_STATUS:
            return _Look(known, said, seen=_SEEN_OF_STATUS[said.status], reason=said.reason)
        if known.first is None:
            return _nothing(known, said, "the software has no region of it to follow; a reader's word is needed")
        scan = comparable(known.first.scan, scans)
        if scan is None:
            return _nothing(known, said, f"no {known.first.scan.record.modality} image at this visit")
        if scan.faults:
            return _nothing(known, said, f"image not usable: {scan.faults[0].message}")
        try:
            found = self.tracker.follow(known.first, scan)
        except (GeometryError, ModelError) as fault:
            return _nothing(known, said, str(fault))
        if found is None:
            return _nothing(known, said, "its place lies outside of the image")
        return _Look(known, said, found)

    def _from_prompt(self, known: _Known, scans: Sequence[Scan], words: Sequence[Annotation]) -> _Look:
        said = next((word for word in words if word.status is not None), words[0])
        shown = [word for word in words if word.prompt_kind in self.prompts]
        if not shown:
            return _nothing(known, said, "no prompt of a kind that the protocol uses")
        best = min(shown, key=lambda word: self.prompts.index(word.prompt_kind or self.prompts[0]))
        scan = next((scan for scan in scans if scan.record.series_uid == best.series_uid), None)
        if scan is None and not best.series_uid and len(scans) == 1:
            scan = scans[0]
        if scan is None:
            return _nothing(known, said, f"series {best.series_uid or '(not named)'} is not among this visit's images")
        if scan.faults:
            return _nothing(known, said, f"image not usable: {scan.faults[0].message}")
        try:
            if best.prompt is not None:
                found = self.tracker.from_prompt(scan, best.prompt)
            else:
                found = self.tracker.from_region(scan, self.region(best, scan))
        except (GeometryError, ModelError) as fault:
            return _nothing(known, said, str(fault))
        if found.mask.is_empty:
            return _nothing(known, said, "nothing lesion-like was found at the reader's prompt")
        return _Look(known, said, found)

    def _separated(self, looks: Mapping[str, _Look], timepoint: Timepoint) -> dict[str, _Look]:
        """Lesions whose regions meet in one scan are cut apart, and a reader is asked."""
        answer = dict(looks)
        by_scan: dict[str, dict[str, FoundLesion]] = {}
        for label, look in looks.items():
            if look.found is not None:
                by_scan.setdefault(look.found.scan.digest, {})[label] = look.found
        for found in by_scan.values():
            for label, lesion in separate(found).items():
                answer[label] = replace(answer[label], found=lesion)
                if lesion.touching:
                    others = ", ".join(lesion.touching)
                    message = f"{label} meets {others}; cut half way, a reader must say whether they merged"
                    self._note("lesions_meet", Severity.WARNING, timepoint, message)
        return answer

    def _result(self, look: _Look, timepoint: Timepoint) -> LesionResult:
        found, known = look.found, look.known
        parts = self.tracker.measure(found) if found is not None else ()
        mean_hu = self.tracker.mean_hu(found) if found is not None and parts and self.counts.attenuation else None
        counted = Counted.of(parts, known.lesion.kind, self.counts, mean_hu=mean_hu)
        diameter = counted.diameter_mm
        seen, reason = look.seen, look.reason
        if seen is None:
            seen = Seen.ABSENT if diameter is None else Seen.MEASURED
            if diameter is not None and diameter < self.too_small_below_mm:
                seen = Seen.TOO_SMALL
                reason = f"{diameter} mm is below {self.too_small_below_mm} mm, the least the protocol measures"
        status = _status(look, seen)
        observation = Observation(
            known.lesion,
            timepoint,
            seen,
            diameter if seen is Seen.MEASURED else None,
            reason,
            status,
            (Evidence(found.digest, MEDIA_TYPE),) if found is not None else (),
            quantities=counted.quantities if seen is Seen.MEASURED else Quantities(),
        )
        return LesionResult(
            observation,
            known.role,
            found.scan.record.series_uid if found is not None else "",
            parts[0] if parts else None,
            len(parts),
            sum(part.volume_ml for part in parts) if parts else None,
            max(part.max_3d_mm for part in parts) if parts else None,
            self.tracker.features(found) if found is not None and parts else {},
            self._picture(look, parts),
        )

    def _picture(self, look: _Look, parts: Sequence[LesionMeasurement]) -> KeyImage | None:
        if look.found is None:
            return None
        first = look.known.first or look.found
        return key_image(self.tracker.bench, look.found, parts[0] if parts else None, first=first)

    def _note(self, code: str, severity: Severity, timepoint: Timepoint, message: str) -> None:
        self.findings.append(
            Finding(code, severity, f"{self.subject} {timepoint.id}", message, self.subject, timepoint.id)
        )


_SEEN_OF_STATUS = {
    Status.ABSENT: Seen.ABSENT,
    Status.TOO_SMALL: Seen.TOO_SMALL,
    Status.NOT_EVALUABLE: Seen.NOT_EVALUABLE,
}
_SEEN_BY_READER = (Status.PRESENT, Status.UNEQUIVOCAL_PROGRESSION, Status.UNEQUIVOCAL, Status.EQUIVOCAL)
_NON_TARGET_OF_SEEN = {
    Seen.MEASURED: NonTargetStatus.PRESENT,
    Seen.TOO_SMALL: NonTargetStatus.PRESENT,
    Seen.ABSENT: NonTargetStatus.ABSENT,
    Seen.NOT_EVALUABLE: NonTargetStatus.NOT_EVALUABLE,
}


def _nothing(known: _Known, said: Annotation | None, reason: str) -> _Look:
    """Not evaluable, unless a reader saw the lesion all the same."""
    word = said.status if said is not None else None
    return _Look(known, said, seen=Seen.MEASURED if word in _SEEN_BY_READER else Seen.NOT_EVALUABLE, reason=reason)


def _status(look: _Look, seen: Seen) -> LesionStatus | None:
    """A reader's word where there is one, else what the software saw, in the words of the lesion's role."""
    word = look.said.status if look.said is not None else None
    match look.known.role:
        case Role.TARGET:
            return None
        case Role.NON_TARGET:
            return NonTargetStatus(word.value) if word is not None else _NON_TARGET_OF_SEEN[seen]
        case Role.NEW:
            word = word or look.known.status
            return NewLesionStatus(word.value) if word is not None and seen is not Seen.ABSENT else None
