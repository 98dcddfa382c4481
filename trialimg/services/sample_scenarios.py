"""What happens to the subjects of the sample trial: sizes by design, and the responses that follow from them.

The responses were written by hand from RECIST 1.1 (Eisenhauer 2009), visit by visit; the tests work them out again
from the written truth. Sums are designed to stay 8 percentage points clear of every threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.core.lesions import LesionKind, Role
from trialimg.core.responses import (
    BestOverallResponse,
    NewLesionResponse,
    NonTargetResponse,
    OverallResponse,
    TargetResponse,
)
from trialimg.imaging.phantom_person import Bed

__all__ = ["SCENARIOS", "TOO_SMALL_MM", "Course", "Expected", "Scenario"]

TOO_SMALL_MM = 5.0
"""A lesion designed smaller than this is seen, but not measurable on slices of 5 mm."""


@dataclass(frozen=True)
class Course:
    """One lesion from visit to visit."""

    label: str
    role: Role
    bed: Bed
    sizes: str
    """RECIST diameter in mm at each visit from baseline on (short axis of a node); ``-``: not there; ``24+20``: two
    separate parts. After the last one it stays as it is."""

    @property
    def kind(self) -> LesionKind:
        return LesionKind.NODAL if self.bed is Bed.NODE else LesionKind.NON_NODAL

    @property
    def organ(self) -> str:
        return Bed.LUNG.value if self.bed is Bed.PLEURA else self.bed.value

    def parts_mm(self, visit: int) -> tuple[float, ...]:
        """Diameter of each separate part at a visit (0 = baseline); empty where the lesion is not there."""
        words = self.sizes.split()
        word = words[min(visit, len(words) - 1)]
        return () if word == "-" else tuple(float(part) for part in word.split("+"))

    @property
    def visits(self) -> int:
        return len(self.sizes.split())


@dataclass(frozen=True)
class Expected:
    """The responses at one visit."""

    target: TargetResponse
    non_target: NonTargetResponse
    new_lesion: NewLesionResponse | None
    """None where the images cannot tell."""
    overall: OverallResponse
    best: BestOverallResponse
    """Best overall response up to and including this visit, confirmation not required."""


@dataclass(frozen=True)
class Scenario:
    """One kind of course; every text has one word per follow-up visit, the last one holds from then on."""

    name: str
    arm: str
    courses: tuple[Course, ...]
    target: str
    non_target: str
    new_lesion: str
    overall: str
    best: str
    """Best response so far."""
    missed: frozenset[int] = frozenset()
    """Visits (1 = first follow-up) without images."""
    incomplete: frozenset[int] = frozenset()
    """Visits whose series lacks slices in its middle."""
    last_visit: int | None = None
    """Imaging stops after this visit."""
    unequivocal_progression: tuple[tuple[str, int], ...] = ()
    """Non-target lesion, and the visit from which on the reader says so."""
    equivocal: tuple[str, ...] = ()
    """New lesions that the reader is not sure of."""
    new_therapy_day: int | None = None
    death_day: int | None = None

    def expected(self, visit: int) -> Expected | None:
        """The responses at a follow-up visit (1 = the first); None where there was no assessment."""
        if visit in self.missed:
            return None
        new = _word(self.new_lesion, visit)
        return Expected(
            TargetResponse(_word(self.target, visit)),
            NonTargetResponse(_word(self.non_target, visit)),
            None if new == "?" else NewLesionResponse(new),
            OverallResponse(_word(self.overall, visit)),
            BestOverallResponse(_word(self.best, visit)),
        )


def _word(text: str, visit: int) -> str:
    words = text.split()
    return words[min(visit, len(words)) - 1]


_T, _NT, _NEW = Role.TARGET, Role.NON_TARGET, Role.NEW
_STAYS = "NON-CR/NON-PD"

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "partial_response",
        "A",
        (
            Course("T01", _T, Bed.PLEURA, "46 36 25 22"),
            Course("T02", _T, Bed.LIVER, "30 25 17 15"),
            Course("NT01", _NT, Bed.NODE, "13 13 13 13"),
        ),
        target="SD PR PR",
        non_target=_STAYS,
        new_lesion="no",
        overall="SD PR PR",
        best="SD PR PR",
    ),
    Scenario(
        "progression_by_sum",
        "B",
        (Course("T01", _T, Bed.LUNG, "26 27 37 37"), Course("T02", _T, Bed.LIVER, "22 23 31 31")),
        target="SD PD",
        non_target="NA",
        new_lesion="no",
        overall="SD PD",
        best="SD SD",
        last_visit=2,
        death_day=171,
    ),
    Scenario(
        "complete_response_with_node",
        "A",
        (
            Course("T01", _T, Bed.LUNG, "24 12 - -"),
            Course("T02", _T, Bed.LIVER, "20 12 - -"),
            Course("T03", _T, Bed.NODE, "20 13 7 7"),
            Course("NT01", _NT, Bed.LUNG, "9 7 - -"),
        ),
        target="PR CR CR",
        non_target=f"{_STAYS} CR CR",
        new_lesion="no",
        overall="PR CR CR",
        best="PR CR CR",
    ),
    Scenario(
        "progression_by_new_lesion",
        "B",
        (
            Course("T01", _T, Bed.PLEURA, "36 33 31 31"),
            Course("T02", _T, Bed.NODE, "20 19 18 18"),
            Course("NL01", _NEW, Bed.LIVER, "- - 16 16"),
        ),
        target="SD SD",
        non_target="NA",
        new_lesion="no unequivocal",
        overall="SD PD",
        best="SD SD",
        last_visit=2,
        new_therapy_day=101,
    ),
    Scenario(
        "split_lesion",
        "A",
        (Course("T01", _T, Bed.LUNG, "48 45 24+20 22+18"), Course("T02", _T, Bed.LIVER, "22 20 19 18")),
        target="SD SD SD",
        non_target="NA",
        new_lesion="no",
        overall="SD SD SD",
        best="SD SD SD",
    ),
    Scenario(
        "non_target_progression",
        "B",
        (
            Course("T01", _T, Bed.LUNG, "32 30 29 29"),
            Course("NT01", _NT, Bed.LIVER, "14 17 34 38"),
            Course("NT02", _NT, Bed.NODE, "13 13 13 13"),
        ),
        target="SD SD SD",
        non_target=f"{_STAYS} PD PD",
        new_lesion="no",
        overall="SD PD PD",
        best="SD SD SD",
        unequivocal_progression=(("NT01", 2),),
    ),
    Scenario(
        "too_small_to_measure",
        "A",
        (Course("T01", _T, Bed.LUNG, "22 11 4 4"), Course("T02", _T, Bed.PLEURA, "34 20 17 15")),
        target="PR PR PR",
        non_target="NA",
        new_lesion="no",
        overall="PR PR PR",
        best="PR PR PR",
    ),
    Scenario(
        "missed_visit",
        "B",
        (Course("T01", _T, Bed.LIVER, "28 17 15 14"), Course("T02", _T, Bed.LUNG, "26 15 14 13")),
        target="PR - PR",
        non_target="NA",
        new_lesion="no",
        overall="PR - PR",
        best="PR PR PR",
        missed=frozenset({2}),
    ),
    Scenario(
        "incomplete_series",
        "A",
        (Course("T01", _T, Bed.LUNG, "30 28 27 42"), Course("T02", _T, Bed.NODE, "20 19 19 26")),
        target="SD NE PD",
        non_target="NA",
        new_lesion="no ? no",
        overall="SD NE PD",
        best="SD SD SD",
        incomplete=frozenset({2}),
    ),
    Scenario(
        "stable_with_equivocal_new_lesion",
        "B",
        (
            Course("T01", _T, Bed.LIVER, "30 29 28 29"),
            Course("T02", _T, Bed.PLEURA, "34 33 34 33"),
            Course("NT01", _NT, Bed.LUNG, "9 9 9 9"),
            Course("NL01", _NEW, Bed.LUNG, "- - 6 -"),
        ),
        target="SD SD SD",
        non_target=_STAYS,
        new_lesion="no equivocal no",
        overall="SD SD SD",
        best="SD SD SD",
        equivocal=("NL01",),
        death_day=178,
    ),
)
