"""The central review whose reads a verb asks for, and who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.sign_in import Desk, database_option, desk_of, home_option, person_option, role_option
from trialimg.core.access import Role

if TYPE_CHECKING:
    from trialimg.services.figures.courses import Imprint
    from trialimg.services.review_record import ReviewRecord

__all__ = ["EITHER", "REVIEWED", "Reviewed"]

EITHER = "give a table, or the trial of a central review with --trial"


@dataclass(frozen=True)
class Reviewed:
    """A trial in the records, one data cut of it perhaps, and who asks."""

    trial: str | None
    cut: str | None
    home: Path
    database: str | None
    user: str | None
    role: str | None

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """The records, with whoever asks signed in."""
        from trialimg import bootstrap

        records = bootstrap.records(self.home.expanduser(), self.database)
        with desk_of(records, self.user, Role(self.role) if self.role else None, Role.ANALYST) as desk:
            yield desk

    def imprint(self, data_cut: str) -> Imprint:
        """What stands below a figure that is made of the records."""
        from trialimg import __version__
        from trialimg.services.figures.courses import Imprint

        return Imprint(self.cut or data_cut, f"trialimg {__version__}", f"signed reads of {self.trial}")

    def record(self) -> ReviewRecord | None:
        """How the cases came through the review; None where no trial is named.

        Raises
        ------
        UsageError
            If one reader reads each case.
        """
        from trialimg.services.review_record import review_record

        if self.trial is None:
            if self.cut is not None:
                raise click.UsageError("--cut belongs to --trial")
            return None
        with self.desk() as desk:
            found = review_record(desk.records, desk.actor, self.trial, cut=self.cut)
        if found.readers_per_case < 2:
            raise click.UsageError(f"{self.trial}: one reader reads each case, so there are no two reads to compare")
        return found


REVIEWED = gathered(
    "reviewed", Reviewed,
    click.option("--trial", help="Take the signed reads of this trial's records."),
    click.option("--cut", metavar="NAME", help="With --trial: the cases of this data cut alone."),
    home_option, database_option, person_option, role_option,
)  # fmt: skip
