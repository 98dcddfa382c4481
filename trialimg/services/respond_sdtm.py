"""SDTM tumour tables (TU, TR) read into what the criteria judge; what cannot be used becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from trialimg.core.lesions import (
    Designation,
    Lesion,
    LesionKind,
    LesionStatus,
    NewLesionStatus,
    NonTargetStatus,
    Observation,
    Quantities,
    Role,
    Seen,
    Track,
)
from trialimg.core.trial import Finding, Severity, Timepoint
from trialimg.services.respond_lesions import SubjectReading
from trialimg.services.respond_sdtm_rows import Identified, Mass, Measured, Nodes, Result, SdtmTables

__all__ = ["SdtmReadings", "read_sdtm"]

NameOf = Callable[[str, date, bool], str]
_DIAMETERS = {LesionKind.NODAL: ("DIAMETER", "SAXIS", "LPERP"), LesionKind.NON_NODAL: ("DIAMETER", "VDIAM", "LDIAM")}
"""What counts of a lesion, the first that was recorded."""
_NON_TARGET = {
    "PRESENT": NonTargetStatus.PRESENT,
    "ABSENT": NonTargetStatus.ABSENT,
    "UNEQUIVOCAL": NonTargetStatus.UNEQUIVOCAL_PROGRESSION,
    "UNEQUIVOCAL PROGRESSION": NonTargetStatus.UNEQUIVOCAL_PROGRESSION,
    "NOT EVALUABLE": NonTargetStatus.NOT_EVALUABLE,
    "NE": NonTargetStatus.NOT_EVALUABLE,
}
_MERGED = "TUMOR MERGED"
"""TUMSTATE of a lesion that is measured in a mass."""
_NEW = {
    "UNEQUIVOCAL": NewLesionStatus.UNEQUIVOCAL,
    "PRESENT": NewLesionStatus.UNEQUIVOCAL,
    "EQUIVOCAL": NewLesionStatus.EQUIVOCAL,
}


@dataclass(frozen=True)
class SdtmReadings:
    """The records of all subjects and readers, and everything that could not be used."""

    readings: tuple[SubjectReading, ...]
    findings: tuple[Finding, ...]


def read_sdtm(
    tables: SdtmTables,
    nodes: Nodes,
    *,
    name_of: NameOf | None = None,
    dates: Mapping[tuple[str, str], Mapping[float, date]] | None = None,
) -> SdtmReadings:
    """The subjects of SDTM tumour tables, each evaluator apart.

    Parameters
    ----------
    name_of
        What a visit is called, by its name in TR, its latest date, and whether it is baseline; None: as TR calls it.
    dates
        Subject and reader to VISITNUM to the date of a visit at which nothing was done that TR could date.

    Notes
    -----
    0 mm means absent. A fragment (TUSPLIT) is a lesion that split from its parent; a mass (TUMERGE) is measured in its
    first parent, a target where there is one, into which the others have merged. Baseline is the visit at which TU
    identified the first lesion. A measurement without a full date, of an unknown lesion, in another unit or with a
    word that is not known is left out and named.
    """
    findings = [*tables.findings, *nodes.unused(tables.identified)]
    readings: list[SubjectReading] = []
    for key, lesions in tables.identified.items():
        masses = tuple(tables.masses.get(key, {}).values())
        rows = tuple(_carried(tables.measured.get(key, ()), masses))
        reader = _Evaluator(key, lesions, rows, nodes, masses, name_of, (dates or {}).get(key, {}))
        reading = reader.reading()
        findings += reader.findings
        if reading is not None:
            readings.append(replace(reading, sums_mm=tables.sums_mm.get(key, {})))
    return SdtmReadings(tuple(readings), tuple(findings))


@dataclass
class _Evaluator:
    """One evaluator's rows on one subject."""

    key: tuple[str, str]
    identified: Mapping[str, Identified]
    measured: Sequence[Measured]
    nodes: Nodes
    masses: Sequence[Mass] = ()
    name_of: NameOf | None = None
    undated: Mapping[float, date] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def reading(self) -> SubjectReading | None:
        """The record; None where there is nothing to judge."""
        subject, reader = self.key
        timepoints = self._timepoints()
        if not timepoints:
            return None
        lesions = {name: self._lesion(one) for name, one in self.identified.items()}
        tracks = tuple(Track(lesion, tuple(self._observations(lesion, timepoints))) for lesion in lesions.values())
        roles = tuple(Designation(reader, lesion, self.identified[name].role) for name, lesion in lesions.items())
        return SubjectReading(subject, reader, tracks, roles, timepoints, visit_numbers=self._visits)

    def _lesion(self, one: Identified) -> Lesion:
        relatives = [one, *(self.identified[name] for name in [one.split_from] if name is not None)]
        node = any(self.nodes.is_node(self.key, relative) for relative in relatives)
        kind = LesionKind.NODAL if node else LesionKind.NON_NODAL
        return Lesion(one.lesion, kind, one.location, split_from=one.split_from)

    def _timepoints(self) -> tuple[Timepoint, ...]:
        """Baseline first, then by date; a visit that lies before baseline is left out."""
        dates: dict[float, list[date]] = {}
        names: dict[float, str] = {}
        for row in self.measured:
            names.setdefault(row.visit_number, row.visit)
            if row.date is not None:
                dates.setdefault(row.visit_number, []).append(row.date)
        dates |= {number: [day] for number, day in self.undated.items() if number in names and number not in dates}
        first = min((one.visit_number for one in self.identified.values()), default=None)
        if first is None or first not in dates:
            self._note("no_baseline", "", "nothing was measured at the visit at which the lesions were identified")
            return ()
        later = [number for number in dates if number != first]
        for number in [n for n in later if max(dates[n]) < max(dates[first])]:
            self._note("before_baseline", names[number], f"{names[number]} lies before {names[first]}")
            later.remove(number)
        ordered = [first, *sorted(later, key=lambda number: (max(dates[number]), number))]
        if self.name_of is not None:
            names = {number: self.name_of(names[number], max(dates[number]), number == first) for number in ordered}
        if len({names[number] for number in ordered}) < len(ordered):
            names = {number: f"{name} ({number:g})" for number, name in names.items()}
        self._visits = {names[number]: number for number in ordered}
        return tuple(_timepoint(names[number], order, dates[number]) for order, number in enumerate(ordered))

    def _observations(self, lesion: Lesion, timepoints: Sequence[Timepoint]) -> Iterator[Observation]:
        for timepoint in timepoints:
            number = self._visits[timepoint.id]
            rows = [r for r in self.measured if r.lesion == lesion.id and r.visit_number == number]
            mass = next((m for m in self.masses if lesion.id in m.parents[1:] and m.visit_number <= number), None)
            if mass is not None and all(r.result is Result.NOT_DONE for r in rows):
                why = f"merged into {mass.carrier}"
                yield Observation(lesion, timepoint, Seen.NOT_EVALUABLE, reason=why, merged_into=mass.carrier)
            elif rows:
                observation = self._observation(lesion, timepoint, rows)
                if observation is not None:
                    yield observation

    def _observation(self, lesion: Lesion, timepoint: Timepoint, rows: Sequence[Measured]) -> Observation | None:
        role, results = self.identified[lesion.id].role, self._results(timepoint, rows)
        not_done = next((r.reason for r in rows if r.result is Result.NOT_DONE), None)
        if role is Role.NEW and timepoint.order == 0:
            self._note("new_at_baseline", timepoint.id, f"{lesion.id} is called new, but was seen at baseline")
            return None
        status = self._status(role, timepoint, results.get("TUMSTATE"))
        size = next((results[test] for test in _DIAMETERS[lesion.kind] if test in results), None)
        if status is NonTargetStatus.NOT_EVALUABLE or (status is None and size is None):
            why = not_done or "no result that can be used"
            return Observation(lesion, timepoint, Seen.NOT_EVALUABLE, reason=why)
        gone = status is NonTargetStatus.ABSENT or (size is not None and size.number == 0)
        if gone:
            if size is not None and size.number == 0:
                text = f"{size.test} of {lesion.id} is 0 mm; the lesion is taken to be gone"
                self._note("zero_size", timepoint.id, text, size.where, Severity.INFO)
            return Observation(lesion, timepoint, Seen.ABSENT)
        if size is not None and size.result is Result.TOO_SMALL:
            return Observation(lesion, timepoint, Seen.TOO_SMALL, status=status)
        diameter_mm = size.number if size is not None else None
        return Observation(
            lesion, timepoint, Seen.MEASURED, diameter_mm, status=status, quantities=_quantities(results)
        )

    def _results(self, timepoint: Timepoint, rows: Sequence[Measured]) -> dict[str, Measured]:
        """The usable results by test; two different ones of a test are none."""
        results: dict[str, Measured] = {}
        contradicted: set[str] = set()
        for row in rows:
            if row.result is Result.NOT_DONE:
                continue
            earlier = results.setdefault(row.test, row)
            if (earlier.number, earlier.word) != (row.number, row.word):
                contradicted.add(row.test)
                text = f"{row.test} of {row.lesion} is {row.shown} and, at {earlier.where}, {earlier.shown}"
                self._note("two_results", timepoint.id, text, row.where)
        return {test: row for test, row in results.items() if test not in contradicted}

    def _status(self, role: Role, timepoint: Timepoint, row: Measured | None) -> LesionStatus | None:
        if row is None or role is Role.TARGET:
            return None
        if role is Role.NEW and row.word == "ABSENT":
            return NonTargetStatus.ABSENT
        words: Mapping[str, LesionStatus] = _NON_TARGET if role is Role.NON_TARGET else _NEW
        if row.word not in words:
            text = f"TUMSTATE {row.word!r} of {row.lesion}, a {role.value} lesion, is not known"
            self._note("unknown_word", timepoint.id, text, row.where)
        return words.get(row.word)

    def _note(
        self, code: str, timepoint: str, message: str, where: str = "", severity: Severity = Severity.EXCLUDED
    ) -> None:
        place = where or " ".join(part for part in (*self.key, timepoint) if part)
        self.findings.append(Finding(code, severity, place, message, self.key[0], timepoint))


def _carried(rows: Sequence[Measured], masses: Sequence[Mass]) -> Iterator[Measured]:
    """The rows with those of a mass given to the lesion that carries it; what only says "merged" is left out."""
    by_name = {mass.name: mass for mass in masses}
    carriers = {(mass.carrier, row.visit_number) for mass in masses for row in rows if row.lesion == mass.name}
    for row in rows:
        if row.lesion in by_name:
            yield replace(row, lesion=by_name[row.lesion].carrier)
        elif row.word != _MERGED and not (row.result is Result.NOT_DONE and (row.lesion, row.visit_number) in carriers):
            yield row


def _quantities(results: Mapping[str, Measured]) -> Quantities:
    def number(test: str) -> Decimal | None:
        found = results.get(test)
        return found.number if found is not None and (found.number or test == "RADIODEN") else None

    return Quantities(
        short_axis_mm=number("LPERP"),
        volume_ml=number("VOLUME"),
        mean_hu=number("RADIODEN"),
        sul_peak=number("SULPEAK"),
    )


def _timepoint(name: str, order: int, dates: Sequence[date]) -> Timepoint:
    first, last = min(dates), max(dates)
    return Timepoint(name, order, last, first if first != last else None)
