"""Lesions, what was seen of them, and how they are followed for life."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from trialimg.core.provenance import Evidence
from trialimg.core.trial import Timepoint

__all__ = [
    "Designation",
    "Lesion",
    "LesionKind",
    "LesionNature",
    "LesionStatus",
    "NewLesionStatus",
    "NonTargetStatus",
    "Observation",
    "Quantities",
    "Role",
    "Seen",
    "Track",
    "length_mm",
]

_TENTH = Decimal("0.1")


class LesionKind(Enum):
    """Whether the short axis (node) or the long axis (anything else) is the lesion's diameter."""

    NODAL = "nodal"
    NON_NODAL = "non_nodal"


class LesionNature(Enum):
    """What a lesion is made of, where that decides whether it may ever be measured."""

    SOLID = "solid"
    LEPTOMENINGEAL = "leptomeningeal"
    ASCITES = "ascites"
    EFFUSION = "effusion"
    """Pleural or pericardial."""
    INFLAMMATORY_BREAST = "inflammatory_breast"
    LYMPHANGITIS = "lymphangitis"
    """Of skin or lung."""
    PALPABLE_ONLY = "palpable_only"
    """A mass that is felt, but not reproducibly imaged."""
    BLASTIC_BONE = "blastic_bone"
    LYTIC_BONE = "lytic_bone"
    """Lytic or mixed, without soft tissue that could be measured."""
    LYTIC_BONE_SOFT_TISSUE = "lytic_bone_soft_tissue"
    """Lytic or mixed, with soft tissue, which is what is measured."""
    CYSTIC_METASTASIS = "cystic_metastasis"
    SIMPLE_CYST = "simple_cyst"
    """No tumour at all."""

    @property
    def measurable(self) -> bool:
        """Whether a lesion of enough size may be measured (RECIST 1.1, section 3.1)."""
        return self in _MEASURABLE


_MEASURABLE = (LesionNature.SOLID, LesionNature.LYTIC_BONE_SOFT_TISSUE, LesionNature.CYSTIC_METASTASIS)


class Role(Enum):
    """What a reader follows a lesion as."""

    TARGET = "target"
    NON_TARGET = "non_target"
    NEW = "new"


class Seen(Enum):
    """What was found where the lesion should be: four things that are never one another."""

    MEASURED = "measured"
    TOO_SMALL = "too_small"
    ABSENT = "absent"
    NOT_EVALUABLE = "not_evaluable"


class NonTargetStatus(Enum):
    """What a reader says of a non-target lesion."""

    PRESENT = "present"
    ABSENT = "absent"
    UNEQUIVOCAL_PROGRESSION = "unequivocal_progression"
    NOT_EVALUABLE = "not_evaluable"


class NewLesionStatus(Enum):
    """How sure a reader is that a lesion is new and tumour."""

    UNEQUIVOCAL = "unequivocal"
    EQUIVOCAL = "equivocal"


LesionStatus = NonTargetStatus | NewLesionStatus


def length_mm(value: float | str | Decimal) -> Decimal:
    """A length in mm as it enters a read: rounded once, half up, to 0.1 mm.

    Parameters
    ----------
    value
        Unrounded length in mm. A float is taken by its shortest text, so 20.25 is exactly that.

    Raises
    ------
    ValueError
        If the value is not a finite number.
    """
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite():
        raise ValueError(f"{value} is not a length")
    return exact.quantize(_TENTH, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Lesion:
    """One lesion, one name for life."""

    id: str
    """DICOM Tracking UID, or the reader's label where no UID was given."""
    kind: LesionKind
    organ: str
    label: str = ""
    """What people call it (T01, NT02)."""
    site: str = ""
    """Place within the organ, free text."""
    split_from: str | None = None
    merged_into: str | None = None
    prior_local_therapy: bool = False
    nature: LesionNature | None = None
    """None: not said."""

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a lesion needs an id")
        if self.id in (self.split_from, self.merged_into):
            raise ValueError(f"lesion {self.id} cannot split from or merge into itself")


@dataclass(frozen=True)
class Designation:
    """A reader's choice to follow a lesion in a role; readers choose independently."""

    reader: str
    lesion: Lesion
    role: Role


@dataclass(frozen=True)
class Quantities:
    """What else was measured of a lesion, for criteria that need more than its diameter; None: not measured."""

    short_axis_mm: Decimal | None = None
    """Longest diameter perpendicular to the long axis, same slice."""
    volume_ml: Decimal | None = None
    mean_hu: Decimal | None = None
    """Mean attenuation; may be negative."""
    sul_peak: Decimal | None = None
    """Standardised uptake by lean body mass, peak."""


@dataclass(frozen=True)
class Observation:
    """What was seen of one lesion at one timepoint.

    A diameter exists only when the lesion was measured (where nothing else was measured: exactly then), is in mm and
    greater than zero; for a node it is the short axis. "Not evaluable" carries its reason.
    """

    lesion: Lesion
    timepoint: Timepoint
    seen: Seen
    diameter_mm: Decimal | None = None
    reason: str = ""
    status: LesionStatus | None = None
    """The reader's word on a non-target or new lesion; None for a target."""
    evidence: tuple[Evidence, ...] = ()
    """Digest of the mask or annotation that the diameter was read from."""
    local_therapy: bool = False
    """Treated locally before this timepoint (surgery, radiation, ablation)."""
    merged_into: str | None = None
    """Id of the lesion that it has become one mass with, and whose diameter now measures both."""
    quantities: Quantities = Quantities()

    def __post_init__(self) -> None:
        where = f"lesion {self.lesion.id} at {self.timepoint.id}"
        measured = self.seen is Seen.MEASURED
        if measured and self.diameter_mm is None and self.status is None and self.quantities == Quantities():
            raise ValueError(f"{where}: measured, but without a diameter or anything else measured")
        if not measured and self.diameter_mm is not None:
            raise ValueError(f"{where}: {self.seen.value}, so it has no diameter")
        if self.diameter_mm is not None and not (self.diameter_mm.is_finite() and self.diameter_mm > 0):
            raise ValueError(f"{where}: a diameter is greater than 0 mm, not {self.diameter_mm}")
        if self.seen is Seen.NOT_EVALUABLE and not self.reason:
            raise ValueError(f"{where}: not evaluable needs its reason")
        if self.merged_into is not None and (measured or self.merged_into == self.lesion.id):
            raise ValueError(f"{where}: merged, so it is measured in another lesion and has no diameter of its own")


@dataclass(frozen=True)
class Track:
    """One lesion across timepoints, in order of date; refuses strangers and duplicates."""

    lesion: Lesion
    observations: tuple[Observation, ...] = field(default=())

    def __post_init__(self) -> None:
        seen_at: set[str] = set()
        for observation in self.observations:
            if observation.lesion.id != self.lesion.id:
                raise ValueError(f"track of {self.lesion.id} got an observation of {observation.lesion.id}")
            if observation.timepoint.id in seen_at:
                raise ValueError(f"track of {self.lesion.id} has {observation.timepoint.id} twice")
            seen_at.add(observation.timepoint.id)
        ordered = tuple(sorted(self.observations, key=lambda o: o.timepoint.order))
        object.__setattr__(self, "observations", ordered)

    def at(self, timepoint_id: str) -> Observation | None:
        """The observation at a timepoint, or None where nothing was recorded."""
        return next((o for o in self.observations if o.timepoint.id == timepoint_id), None)
