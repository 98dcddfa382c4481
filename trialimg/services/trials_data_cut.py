"""The results of a trial are closed for analysis: a lock over every final case result, and its signed opening."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trialimg.core.access import Action, Actor
from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, IntegrityError, ReadingError
from trialimg.services.journal import Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.signatures import Proof, sign
from trialimg.services.trials import READ, require_trial

__all__ = [
    "CASE",
    "DATA_CUT",
    "VERDICT",
    "CutOrder",
    "cut_data",
    "cut_of",
    "intact_cut",
    "latest_of",
    "lock_on",
    "moved_since",
    "require_open",
    "results_among",
    "results_of",
    "unlock_data",
    "versions_in_use",
]

DATA_CUT = "data_cut"
"""Kind of a record; its id is ``trial/name``, its state ``locked`` or ``unlocked``."""
CASE = "case"
VERDICT = "verdict"

_MEANING_LOCK = "I lock these results for analysis"
_MEANING_UNLOCK = "I open these results for change"


@dataclass(frozen=True)
class CutOrder:
    """What is asked for when results are locked."""

    trial: str
    name: str
    """Name of the cut, e.g. ``IA1`` for the first interim analysis."""
    reason: str
    mixed_because: str = ""
    """Why results of several software, model or protocol versions stand side by side; empty: they may not."""


def cut_data(records: Records, actor: Actor, proof: Proof, order: CutOrder) -> RecordVersion:
    """Lock the results of every final case under one hash, signed.

    Cases that are not final, or whose subject withdrew consent, are named in the record and are not part of it.

    Raises
    ------
    ReadingError
        If no case is final, the name was used before, no reason is given, or results of several versions of
        software, model or protocol would stand side by side and nobody says why they may.
    """
    with records.change(actor, Action.CUT_DATA, trial=order.trial) as journal:
        transaction = journal.transaction
        require_trial(transaction, order.trial)
        key = f"{order.trial}/{order.name}"
        if not order.name or not order.reason.strip() or transaction.current(DATA_CUT, key):
            raise ReadingError(f"a data cut has a reason and a name of its own; {order.name!r} will not do")
        results = results_of(transaction, order.trial)
        if not results:
            raise ReadingError(f"no case of {order.trial} is final: there is nothing to lock")
        used = versions_in_use(transaction, order.trial, {result["case"] for result in results})
        mixed = _mixed(used, order.mixed_because)
        body = {
            "name": order.name,
            "cases": results,
            "hash": digest_of(results),
            "left_out": _left_out(transaction, order.trial),
            "versions": used,
            "mixed": mixed,
            "mixed_because": order.mixed_because if mixed else "",
            "cut_at": journal.at,
        }
        place = Place(order.trial, state="locked")
        locked = journal.write(DATA_CUT, key, body, action="cut_data", place=place, reason=order.reason)
        sign(journal, proof, locked, _MEANING_LOCK)
        return locked


def unlock_data(records: Records, actor: Actor, proof: Proof, cut: str, *, reason: str) -> RecordVersion:
    """Open a locked data cut, signed, with the reason; what was locked stays readable as its former version.

    Parameters
    ----------
    cut
        ``trial/name``.

    Raises
    ------
    ReadingError
        If there is no such cut, it is open already, or no reason is given.
    """
    trial = cut.partition("/")[0]
    with records.change(actor, Action.CUT_DATA, trial=trial) as journal:
        locked = cut_of(journal.transaction, cut)
        if locked.place.state != "locked":
            raise ReadingError(f"data cut {cut} is open already")
        if not reason.strip():
            raise ReadingError("opening a data cut needs its reason")
        place = Place(trial, state="unlocked")
        opened = journal.write(DATA_CUT, cut, locked.body, action="unlock_data", place=place, reason=reason)
        sign(journal, proof, opened, _MEANING_UNLOCK)
        return opened


def cut_of(transaction: Transaction, cut: str) -> RecordVersion:
    """A data cut by ``trial/name``.

    Raises
    ------
    ReadingError
        If there is none.
    """
    found = transaction.current(DATA_CUT, cut)
    if found is None:
        raise ReadingError(f"there is no data cut {cut!r}")
    return found


def intact_cut(transaction: Transaction, trial: str, name: str) -> RecordVersion:
    """A data cut whose cases are as they were locked.

    Raises
    ------
    ReadingError
        If there is no such cut, or its cases have changed.
    IntegrityError
        If the cut's own hash is not that of the cases it names.
    """
    found = cut_of(transaction, f"{trial}/{name}")
    if moved := moved_since(transaction, found):
        raise ReadingError(f"data cut {found.id}: {', '.join(moved)} changed since it was made; make another cut")
    return found


def lock_on(transaction: Transaction, trial: str, case: str) -> str:
    """Name of the locked data cut that holds this case; empty if its result may change."""
    for cut in transaction.find(DATA_CUT, Place(trial, state="locked")):
        if any(result["case"] == case for result in cut.body["cases"]):
            return cut.id
    return ""


def require_open(transaction: Transaction, trial: str, case: str) -> None:
    """Go on only with a case whose result may change.

    Raises
    ------
    ReadingError
        If a locked data cut holds it.
    """
    if cut := lock_on(transaction, trial, case):
        message = f"{case} is locked in the data cut {cut}; unlock that first, with its reason (trialimg trial cut)"
        raise ReadingError(message, (Fault(case, "data_locked", message),))


def moved_since(
    transaction: Transaction, cut: RecordVersion, *, results: Iterable[Mapping[str, Any]] | None = None
) -> tuple[str, ...]:
    """Cases whose records are no longer those that were locked.

    Parameters
    ----------
    results
        Those of `results_of`, where they are known.

    Raises
    ------
    IntegrityError
        If the cut's own hash is not that of the cases it names.
    """
    if digest_of(cut.body["cases"]) != cut.body["hash"]:
        raise IntegrityError(f"data cut {cut.id}: the hash is not that of the results it names")
    present = results if results is not None else results_of(transaction, cut.place.trial)
    now = {result["case"]: result for result in present}
    return tuple(then["case"] for then in cut.body["cases"] if now.get(then["case"]) != then)


def results_of(transaction: Transaction, trial: str) -> list[dict[str, Any]]:
    """Every final case with the digest of its record, of its reads and of its verdict, in order of case."""
    return results_among(latest_of(transaction, trial))


def latest_of(transaction: Transaction, trial: str) -> Mapping[tuple[str, str], RecordVersion]:
    """Kind and id of every case, read and verdict of a trial to its latest version, in this order."""
    return {(kind, one.id): one for kind in (CASE, READ, VERDICT) for one in transaction.find(kind, Place(trial))}


def results_among(latest: Mapping[tuple[str, str], RecordVersion]) -> list[dict[str, Any]]:
    """The results of those of `latest_of`."""
    found: dict[str, list[list[str]]] = {}
    for one in latest.values():
        if one.kind == CASE and one.place.state == "final":
            found[one.id] = [_named(one)]
        elif one.kind != CASE and one.place.case in found:
            found[one.place.case].append(_named(one))
    return [{"case": key, "records": records} for key, records in found.items()]


def versions_in_use(transaction: Transaction, trial: str, cases: Collection[str]) -> dict[str, list[str]]:
    """Which versions of software, model and protocol the signed reads of these cases rest on."""
    found: dict[str, Counter[str]] = {word: Counter() for word in ("software", "model", "protocol_digest")}
    for read in transaction.find(READ, Place(trial, state="signed")):
        if read.place.case in cases:
            for word, value in _rests_on(read.body):
                found[word][value] += 1
    return {word: sorted(counter) for word, counter in found.items()}


def _rests_on(read: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The versions that a read names; a word that it does not name is left out."""
    device = ((read.get("answer") or {}).get("provenance") or {}).get("device") or {}
    said = {
        "software": read.get("software", ""),
        "model": " ".join(str(device[word]) for word in sorted(device)),
        "protocol_digest": read.get("protocol_digest", ""),
    }
    return ((word, str(value)) for word, value in said.items() if value)


def _mixed(used: Mapping[str, list[str]], because: str) -> dict[str, list[str]]:
    mixed = {word: values for word, values in used.items() if len(values) > 1}
    if mixed and not because.strip():
        faults = tuple(
            Fault(word, "mixed_versions", f"{len(values)} versions side by side: {', '.join(values)}")
            for word, values in mixed.items()
        )
        raise ReadingError(
            "the cohort mixes versions; read the cases again, or say why they may stand together", faults
        )
    return mixed


def _named(version: RecordVersion) -> list[str]:
    return [version.kind, version.id, str(version.version), version.digest]


def _left_out(transaction: Transaction, trial: str) -> list[list[str]]:
    return [[case.id, case.place.state] for case in transaction.find(CASE, Place(trial)) if case.place.state != "final"]
