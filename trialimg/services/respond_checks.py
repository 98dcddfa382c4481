"""What the rows of a lesion table may not say together; every contradiction becomes a fault with its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trialimg.core.lesions import LesionKind, LesionNature, LesionStatus, NonTargetStatus, Quantities, Role, Seen
from trialimg.core.trial import Timepoint
from trialimg.services.tables import Row

__all__ = ["LesionRow", "check_rows"]

_S = NonTargetStatus
_SEEN_OF_STATUS = {
    _S.PRESENT: (Seen.MEASURED, Seen.TOO_SMALL),
    _S.UNEQUIVOCAL_PROGRESSION: (Seen.MEASURED,),
    _S.ABSENT: (Seen.ABSENT,),
    _S.NOT_EVALUABLE: (Seen.NOT_EVALUABLE,),
}


@dataclass(frozen=True)
class LesionRow:
    """One lesion at one timepoint, as one reader wrote it."""

    row: Row
    subject: str
    timepoint: str
    lesion: str
    reader: str
    date: date
    role: Role
    kind: LesionKind
    organ: str
    seen: Seen
    diameter_mm: Decimal | None
    reason: str
    status: LesionStatus | None
    split_from: str
    merged_into: str
    local_therapy: bool
    slice_mm: Decimal | None
    quantities: Quantities
    nature: LesionNature | None = None
    treated_before: bool = False

    def fault(self, code: str, message: str) -> None:
        """Note something wrong in this line."""
        self.row.table.fault(self.row.line, code, message)


def check_rows(rows: Sequence[LesionRow], timepoints: Sequence[Timepoint]) -> None:
    """Note every contradiction in what one reader wrote of one subject."""
    at = {timepoint.id: timepoint for timepoint in timepoints}
    for row in rows:
        _check_measurement(row)
        _check_status(row)
        _check_relatives(row, {other.lesion for other in rows})
        _check_nature(row)
        _check_time(row, at[row.timepoint], timepoints[0])
    _check_twice(rows)
    _check_constant(rows)
    _check_said_again(rows)
    _check_dates(rows, timepoints)


def _check_measurement(row: LesionRow) -> None:
    if row.diameter_mm is not None and row.diameter_mm == 0:
        row.fault("zero_diameter", "diameter_mm is 0; a lesion that has gone is seen 'absent' and has no diameter")
    if row.seen is not Seen.MEASURED and row.diameter_mm is not None:
        row.fault("diameter_of_unmeasured", f"seen is {row.seen.value}, so diameter_mm must be blank")
    unmeasured = row.diameter_mm is None and row.quantities == Quantities()
    if row.seen is Seen.MEASURED and unmeasured and row.role is Role.TARGET:
        row.fault("no_diameter", "a measured target needs its diameter_mm, or what its criterion measures instead")


def _check_status(row: LesionRow) -> None:
    if isinstance(row.status, NonTargetStatus):
        normal_node = row.status is _S.ABSENT and row.kind is LesionKind.NODAL
        if row.seen not in _SEEN_OF_STATUS[row.status] and not normal_node:
            row.fault("status_contradicts", f"status {row.status.value} contradicts seen {row.seen.value}")
    elif row.status is not None and row.seen is Seen.ABSENT:
        row.fault("status_contradicts", f"status {row.status.value} contradicts seen absent")


def _check_relatives(row: LesionRow, lesions: set[str]) -> None:
    for column, other in (("split_from", row.split_from), ("merged_into", row.merged_into)):
        if other and other == row.lesion:
            row.fault("own_relative", f"{column} names the lesion itself")
        elif other and other not in lesions:
            row.fault("unknown_lesion", f"{column} {other!r} is no lesion of subject {row.subject}")
    if row.merged_into and row.seen is Seen.MEASURED:
        row.fault("merged_and_measured", f"merged into {row.merged_into}, so it has no measurement of its own")


def _check_time(row: LesionRow, timepoint: Timepoint, baseline: Timepoint) -> None:
    if timepoint.order > 0 and row.date < baseline.date:
        row.fault("before_baseline", f"{row.timepoint} on {row.date} lies before baseline on {baseline.date}")
    if timepoint.order == 0 and row.role is Role.NEW and row.seen in (Seen.MEASURED, Seen.TOO_SMALL):
        row.fault("new_at_baseline", f"{row.lesion} is called new, but was seen at baseline")


def _check_nature(row: LesionRow) -> None:
    if row.nature is LesionNature.SIMPLE_CYST and row.role is Role.NEW:
        row.fault("not_disease", f"{row.lesion} is a simple cyst, which is no new lesion; leave it out")


def _check_twice(rows: Sequence[LesionRow]) -> None:
    first: dict[tuple[str, str], LesionRow] = {}
    for row in rows:
        earlier = first.setdefault((row.lesion, row.timepoint), row)
        if earlier is not row:
            text = f"{row.lesion} at {row.timepoint} of subject {row.subject} stands already in line {earlier.row.line}"
            row.fault("double_row", text)


def _check_constant(rows: Sequence[LesionRow]) -> None:
    """A lesion keeps its role, kind and organ."""
    first: dict[str, LesionRow] = {}
    for row in rows:
        earlier = first.setdefault(row.lesion, row)
        for what, was, now in (
            ("role", earlier.role.value, row.role.value),
            ("kind", earlier.kind.value, row.kind.value),
            ("organ", earlier.organ, row.organ),
        ):
            if was != now:
                text = f"{what} of {row.lesion} is {now}, but {was} in line {earlier.row.line}"
                row.fault(f"{what}_changes", text)


def _check_said_again(rows: Sequence[LesionRow]) -> None:
    """What only some rows of a lesion say must be one thing: its nature, and what it split from."""
    for what in ("nature", "split_from"):
        first: dict[str, tuple[str, int]] = {}
        for row in rows:
            value = row.row.text(what)
            if not value:
                continue
            said, line = first.setdefault(row.lesion, (value, row.row.line))
            if said != value:
                row.fault(f"{what}_changes", f"{what} of {row.lesion} is {value}, but {said} in line {line}")


def _check_dates(rows: Sequence[LesionRow], timepoints: Sequence[Timepoint]) -> None:
    """Two timepoints of one date have no order."""
    first: dict[date, Timepoint] = {}
    for timepoint in timepoints:
        earlier = first.setdefault(timepoint.date, timepoint)
        if earlier is not timepoint:
            where = next(row for row in rows if row.timepoint == timepoint.id)
            text = f"{timepoint.id} has the date of {earlier.id}, {timepoint.date}; their order cannot be told"
            where.fault("same_date", text)
