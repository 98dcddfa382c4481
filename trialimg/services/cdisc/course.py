"""What the datasets are made from: a study, its subjects, and what each reader found of each lesion at each visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from trialimg.core.lesions import LesionKind, Role, Seen
from trialimg.core.trial import Subject
from trialimg.endpoints.settings import Censoring

__all__ = ["Assessment", "Course", "Endpoints", "Evaluator", "Finding", "Outcome", "Read", "Study", "StudyVisit"]


@dataclass(frozen=True)
class StudyVisit:
    """One visit as SDTM numbers it."""

    number: Decimal
    name: str
    planned_day: int | None
    """None for an unscheduled visit, and where the protocol gives a window only."""


@dataclass(frozen=True)
class Evaluator:
    """Whose records they are: a role, never a person."""

    prefix: str
    """What the labels of their lesions begin with: R1, R2, A1."""
    evaluator: str = "INDEPENDENT ASSESSOR"
    role: str = "READER 1"


@dataclass(frozen=True)
class Finding:
    """One lesion at one visit, in one read."""

    label: str
    """T01, NT01, NEW01; of a fragment of a split lesion T01.1."""
    role: Role
    kind: LesionKind
    organ: str
    seen: Seen
    diameter_mm: Decimal | None = None
    status: str = ""
    """The reader's word on a non-target or new lesion."""
    reason: str = ""
    date: dt.date | None = None
    """Of the images that it was read on; None where they are only known to be those of the visit."""
    image: str = ""
    """UID of the series or instance that it was read on."""
    method: str = ""
    """How it was imaged, a term of METHOD; empty: as the study says."""
    split_from: str = ""
    """Label of the lesion that it is a part of."""
    merged_into: str = ""
    """Label of the lesion that now measures both."""
    lesion_id: str = ""
    site: str = ""
    """Place within the organ, as the reader wrote it."""
    prior_therapy: bool = False
    parts: int = 1
    """Connected parts whose diameters are summed."""
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    """Test code to what else was measured, in its standard unit."""


@dataclass(frozen=True)
class Assessment:
    """One visit of one read."""

    visit: StudyVisit
    date: dt.date
    """Latest image."""
    first_date: dt.date
    """Earliest image."""
    lesions: tuple[Finding, ...]
    sum_mm: Decimal | None
    """Sum of target diameters; None where it is not known."""
    responses: Mapping[str, str] = field(default_factory=dict)
    """Test code of RS to the response; empty at baseline."""
    rule: str = ""
    """Identifier of the rule that decided the overall response."""


@dataclass(frozen=True)
class Outcome:
    """A time to an event: how many days from the origin, whether it came, and the rule that says so."""

    days: int
    event: bool
    date: dt.date
    rule: str
    sentence: str


@dataclass(frozen=True)
class Endpoints:
    """What the accepted read comes to, as the trial's report says it."""

    best: tuple[str, dt.date | None]
    confirmed: tuple[str, dt.date | None]
    response_date: dt.date | None = None
    confirmed_response_date: dt.date | None = None
    progression_date: dt.date | None = None
    benefit: bool = False
    benefit_date: dt.date | None = None
    progression_free: Outcome | None = None
    """By the censoring of the protocol."""
    progression_free_otherwise: tuple[Censoring, Outcome] | None = None
    """By the other authority's censoring, and whose that is."""
    to_progression: Outcome | None = None
    duration: Outcome | None = None
    to_response: Outcome | None = None


@dataclass(frozen=True)
class Read:
    """Everything one reader said of one subject."""

    by: Evaluator
    is_accepted: bool
    """Whether this read is the one that counts."""
    assessments: tuple[Assessment, ...]
    """Baseline first."""


@dataclass(frozen=True)
class Course:
    """One subject: every read of it, who was endorsed, and what the accepted read comes to."""

    subject: Subject
    reads: tuple[Read, ...]
    endpoints: Endpoints | None
    """None where there is no usable baseline."""
    endorsed: tuple[str, str] | None = None
    """Role of the reader whom an adjudicator endorsed, and why; None where nobody had to."""

    @property
    def accepted(self) -> Read | None:
        return next((read for read in self.reads if read.is_accepted), None)


@dataclass(frozen=True)
class Study:
    """The trial and all of its subjects."""

    code: str
    title: str
    criterion: str
    courses: tuple[Course, ...]
    method: str = ""
    """How lesions were imaged, a term of METHOD; empty where the protocol names several."""
    vendor: str = ""
    is_randomised: bool = False
    """Whether the reference date is that of randomisation."""
    cutoff: dt.date | None = None
    too_small_mm: Decimal = Decimal(5)
    """What stands for a lesion that is seen, but too small to measure."""
    is_signed: bool = False
    """Whether the reads are signed ones of the records; else they are the run's own."""
    software: str = ""
    source_digest: str = ""
    """Digest of the results that the datasets are made from."""
    demographics: tuple[Mapping[str, str], ...] = ()
    """Rows of the sponsor's DM; none where the sponsor gave none."""
    has_unique_ids: bool = False
    """Whether the subjects are called by their USUBJID already, as in tables that were brought in."""

    @property
    def has_several_readers(self) -> bool:
        return any(len(course.reads) > 1 for course in self.courses)

    def unique_subject(self, subject: Subject) -> str:
        """USUBJID: study, site and subject, each once."""
        if self.has_unique_ids:
            return subject.id
        own = subject.id.removeprefix(f"{subject.site}-") if subject.site else subject.id
        return "-".join(part for part in (self.code, subject.site, own) if part)
