"""Features of lesions over the visits of subjects, and what became of the subjects: of a run, or of a table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, ReadingError
from trialimg.services.finished import FinishedRun

__all__ = [
    "FeatureName",
    "FeatureTable",
    "Harmonised",
    "LesionFeatures",
    "OutcomeColumns",
    "SubjectOutcome",
    "of_run",
    "of_table",
]

_META = ("subject", "timepoint", "day", "lesion", "role", "organ", "diameter_mm")
_NEEDED = ("subject", "timepoint", "lesion")
_WORDS_TRUE, _WORDS_FALSE = ("1", "y", "yes", "true"), ("0", "n", "no", "false")
_MISSING = ("", ".", "na", "nan", "n/a")
_PARTS_OF_NAME = 3


@dataclass(frozen=True)
class FeatureName:
    """A feature's name in its parts, as pyradiomics writes it: image or filter, class, quantity."""

    whole: str
    image: str
    family: str
    quantity: str

    @classmethod
    def of(cls, whole: str) -> FeatureName:
        """The parts; a name that is not so built is a quantity of its own."""
        parts = whole.split("_", _PARTS_OF_NAME - 1)
        return cls(whole, *parts) if len(parts) == _PARTS_OF_NAME else cls(whole, "", "", whole)


@dataclass(frozen=True)
class LesionFeatures:
    """One lesion at one visit."""

    subject: str
    timepoint: str
    order: int
    """Of the visit; 0 is baseline."""
    day: int | None
    lesion: str
    role: str
    organ: str
    diameter_mm: float | None
    values: Mapping[str, float]
    """Feature to value; one that is undefined for this lesion is left out."""
    batch: str = ""
    """What features may differ by without a reason in the lesion: the site, of a run; else what a column says."""


@dataclass(frozen=True)
class SubjectOutcome:
    """What became of a subject; None where it is not known."""

    days: float | None = None
    """To progression or death, or to censoring."""
    event: bool | None = None
    group: bool | None = None
    """Whether the subject responded, or has what a table's column says."""


@dataclass(frozen=True)
class Harmonised:
    """How values were brought together over batches."""

    method: str
    by: str
    """What a batch is."""
    batches: Mapping[str, int]
    """Batch to the lesions at baseline that its shift and stretch were estimated from."""
    kept: tuple[str, ...]
    """Organs whose differences stay; empty where there is one organ."""
    features_left_out: tuple[str, ...]
    """They are not known in every lesion at baseline, or do not vary."""
    lesions_left_out: int
    """At visits; of organs that no lesion at baseline has."""


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Everything that an analysis of features starts from."""

    source: str
    digest: str
    lesions: tuple[LesionFeatures, ...]
    """Only those with features."""
    outcomes: Mapping[str, SubjectOutcome]
    harmonised: Harmonised | None = None
    """None where values are as they were measured."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features, in their order."""
        return tuple(sorted({name for one in self.lesions for name in one.values}))

    @property
    def timepoints(self) -> tuple[str, ...]:
        """Visits with features, baseline first."""
        order = {(one.order, one.timepoint) for one in self.lesions}
        return tuple(dict.fromkeys(name for _, name in sorted(order)))

    def narrowed(
        self, *, organs: Sequence[str] = (), families: Sequence[str] = (), images: Sequence[str] = ()
    ) -> FeatureTable:
        """The same with some organs, feature classes and images only; nothing named means all."""
        names = {
            one.whole
            for one in map(FeatureName.of, self.features)
            if (not families or one.family in families) and (not images or one.image in images)
        }
        lesions = tuple(
            replace(one, values={name: value for name, value in one.values.items() if name in names})
            for one in self.lesions
            if not organs or one.organ in organs
        )
        return replace(self, lesions=lesions)


@dataclass(frozen=True)
class OutcomeColumns:
    """Which columns of a table say what became of a subject."""

    time: str = ""
    event: str = ""
    group: str = ""
    batch: str = ""
    """Not of the outcome: what features may differ by, such as a scanner."""

    @property
    def named(self) -> tuple[str, ...]:
        return tuple(name for name in (self.time, self.event, self.group, self.batch) if name)


def of_run(run: FinishedRun) -> FeatureTable:
    """The features of a finished run, with progression-free survival and response of its endpoints.

    Raises
    ------
    IntegrityError
        If the results are not what the run wrote.
    """
    results = run.results()
    lesions = tuple(_of_results(results))
    outcomes = {one["subject"]["id"]: _outcome(one["endpoints"]) for one in results["subjects"]}
    digest = run.manifest["outputs"]["results.json"]
    return FeatureTable(str(results["trial"]), digest, lesions, outcomes)


def _of_results(results: Mapping[str, Any]) -> Iterator[LesionFeatures]:
    for subject in results["subjects"]:
        for visit in subject["timepoints"]:
            for one in visit.get("lesions", ()):
                if one.get("features"):
                    found = _lesion_of_run(subject["subject"]["id"], visit, one)
                    yield replace(found, batch=subject["subject"]["site"] or "")


def _lesion_of_run(subject: str, visit: Mapping[str, Any], one: Mapping[str, Any]) -> LesionFeatures:
    seen, at = one["observation"], visit["timepoint"]
    lesion = seen["lesion"]
    return LesionFeatures(
        subject,
        at["id"],
        at["order"],
        visit["day"],
        str(lesion["label"] or lesion["id"]),
        one["role"],
        lesion["organ"],
        float(seen["diameter_mm"]) if seen["diameter_mm"] else None,
        {name: float(value) for name, value in one["features"].items() if value is not None and math.isfinite(value)},
    )


def _outcome(endpoints: Mapping[str, Any] | None) -> SubjectOutcome:
    if endpoints is None:
        return SubjectOutcome()
    survival = endpoints.get("progression_free_survival") or {}
    return SubjectOutcome(survival.get("days"), survival.get("event"), endpoints.get("responder"))


def of_table(text: str, source: str, columns: OutcomeColumns) -> FeatureTable:
    """The features of a CSV: one row for each lesion and visit, every column that is not named here a feature.

    Parameters
    ----------
    text
        With the columns subject, timepoint and lesion; day, role, organ and diameter_mm where they are known. Visits
        stand in the order in which they first appear; the first is baseline.
    columns
        Of the outcome; the same in every row of a subject.

    Raises
    ------
    ReadingError
        Names every column that is missing, every cell that is no number, and every subject with two outcomes.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    heads = tuple(reader.fieldnames or ())
    missing = [name for name in (*_NEEDED, *columns.named) if name not in heads]
    if missing:
        faults = tuple(Fault(f"{source}:1", "unknown_column", f"there is no column {name!r}") for name in missing)
        raise ReadingError(f"{source}: {len(missing)} column(s) are not there", faults)
    features = [name for name in heads if name and name not in (*_META, *columns.named)]
    rows, faults_found = list(reader), list[Fault]()
    order = {name: number for number, name in enumerate(dict.fromkeys(row["timepoint"] for row in rows))}
    lesions = tuple(
        replace(
            _lesion_of_table(row, order, features, _Cells(f"{source}:{line}", faults_found)),
            batch=row[columns.batch] if columns.batch else "",
        )
        for line, row in enumerate(rows, start=2)
    )
    outcomes = _outcomes(rows, columns, source, faults_found)
    if faults_found or not rows:
        raise ReadingError(f"{source}: {len(faults_found)} fault(s); nothing was analysed", tuple(faults_found))
    return FeatureTable(source, digest_of(text.encode()), tuple(one for one in lesions if one.values), outcomes)


@dataclass(frozen=True)
class _Cells:
    """One line of a table while it is read."""

    where: str
    faults: list[Fault]

    def number(self, name: str, text: str | None) -> float | None:
        cell = (text or "").strip()
        if cell.lower() in _MISSING:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        self.faults.append(Fault(self.where, "bad_number", f"{name} {cell!r} is not a number"))
        return None

    def truth(self, name: str, text: str | None) -> bool | None:
        cell = (text or "").strip().lower()
        if cell in _MISSING:
            return None
        if cell in (*_WORDS_TRUE, *_WORDS_FALSE):
            return cell in _WORDS_TRUE
        self.faults.append(Fault(self.where, "bad_event", f"{name} {cell!r} is not 1 or 0, yes or no"))
        return None


def _lesion_of_table(
    row: Mapping[str, str], order: Mapping[str, int], features: Sequence[str], cells: _Cells
) -> LesionFeatures:
    values = {name: cells.number(name, row[name]) for name in features}
    day = cells.number("day", row.get("day"))
    return LesionFeatures(
        row["subject"],
        row["timepoint"],
        order[row["timepoint"]],
        None if day is None else int(day),
        row["lesion"],
        row.get("role") or "target",
        row.get("organ") or "",
        cells.number("diameter_mm", row.get("diameter_mm")),
        {name: value for name, value in values.items() if value is not None},
    )


def _outcomes(
    rows: Sequence[Mapping[str, str]], columns: OutcomeColumns, source: str, faults: list[Fault]
) -> dict[str, SubjectOutcome]:
    found: dict[str, SubjectOutcome] = {}
    for line, row in enumerate(rows, start=2):
        cells = _Cells(f"{source}:{line}", faults)
        outcome = SubjectOutcome(
            cells.number(columns.time, row[columns.time]) if columns.time else None,
            cells.truth(columns.event, row[columns.event]) if columns.event else None,
            cells.truth(columns.group, row[columns.group]) if columns.group else None,
        )
        if found.setdefault(row["subject"], outcome) != outcome:
            faults.append(Fault(cells.where, "two_outcomes", f"{row['subject']} had another outcome above"))
    return found
