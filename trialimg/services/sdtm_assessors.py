"""Whose records of a subject count, where several assessors recorded it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trialimg.core.trial import Finding
from trialimg.protocol.tables import Tables
from trialimg.services.results import Assessor
from trialimg.services.sdtm_tables import SourceTables, excluded

__all__ = ["Assessors", "assessors_of"]

_INDEPENDENT = "INDEPENDENT ASSESSOR"
_VERDICT = "ADJUDICATOR"
"""Who chose between two reads; the chosen read has the measurements, and is the accepted one."""


@dataclass
class Assessors:
    """Everybody who recorded something of a subject, and whose records are marked as accepted."""

    wanted: Tables
    by_subject: dict[str, dict[str, Assessor]] = field(default_factory=dict)
    accepted: dict[str, set[str]] = field(default_factory=dict)

    def choice(self, subject: str) -> tuple[Assessor | None, tuple[Assessor, ...], tuple[Finding, ...]]:
        """Whose records count, who else there is, and why nobody counts where nobody does."""
        everybody = tuple(self.by_subject.get(subject, {}).values())
        able = self._candidates(everybody)
        marked = [one for one in able if one.name in self.accepted.get(subject, ())]
        if len(able) > 1 and not self.wanted.reader:
            able = marked
        if len(able) == 1:
            return able[0], tuple(one for one in everybody if one is not able[0]), ()
        if not everybody:
            return None, (), ()
        names = ", ".join(one.name for one in everybody)
        what = "several records are" if len(marked) > 1 else "none of the records is"
        text = f"{what} accepted or named by the protocol (recorded by {names}); none of them counts"
        return None, everybody, (excluded("no_accepted_read", subject, text, subject=subject),)

    def _candidates(self, everybody: Sequence[Assessor]) -> list[Assessor]:
        evaluator, reader = self.wanted.evaluator, self.wanted.reader
        if not evaluator and any(one.evaluator == _INDEPENDENT for one in everybody):
            evaluator = _INDEPENDENT
        return [
            one
            for one in everybody
            if (not evaluator or one.evaluator == evaluator) and (not reader or one.role == reader)
        ]


def assessors_of(tables: SourceTables, wanted: Tables) -> Assessors:
    """Who recorded what, by --EVAL, --EVALID and --ACPTFL of TU, TR and RS."""
    found = Assessors(wanted)
    for domain in ("TU", "TR", "RS"):
        for row in tables.of(domain).rows:
            evaluator, role = row.get(f"{domain}EVAL", ""), row.get(f"{domain}EVALID", "")
            if role.startswith(_VERDICT):
                continue
            name = role or evaluator
            found.by_subject.setdefault(row["USUBJID"], {}).setdefault(name, Assessor(evaluator, role))
            if row.get(f"{domain}ACPTFL") == "Y":
                found.accepted.setdefault(row["USUBJID"], set()).add(name)
    return found
