"""The tables of a folder that others made: found by the names of their files, or named one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from trialimg.adapters.exporters.cdisc.files import FORMATS, read_rows
from trialimg.core.digest import digest_of
from trialimg.core.errors import Fault, IntakeError
from trialimg.core.trial import Finding, Severity
from trialimg.services.sdtm_tables import DOMAINS, SourceTable, SourceTables, source_table

__all__ = ["read_source"]

_MOST_BYTES = 5_000_000_000


def read_source(folder: Path, named: Mapping[str, str]) -> SourceTables:
    """The tables of a folder, each in the first format that it is there in: XPT, Dataset-JSON, CSV, Parquet.

    Parameters
    ----------
    named
        Dataset to the name of its file within the folder, where the file is not called like the dataset.

    Raises
    ------
    IntakeError
        If there is no folder, a named file is not there, none of TU, TR and RS is, or a file is too large.
    ReadingError
        If a file is not what its ending says.
    """
    if not folder.is_dir():
        raise IntakeError(f"{folder}: no folder with SDTM tables is here")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower().lstrip(".") in FORMATS)
    chosen = {name: path for name in DOMAINS if (path := _file(files, name, named)) is not None}
    faults = tuple(_faults(folder, files, chosen, named))
    if faults:
        raise IntakeError("; ".join(f"{fault.where}: {fault.message}" for fault in faults))
    tables: dict[str, SourceTable] = {}
    digests: dict[str, str] = {}
    for name, path in chosen.items():
        data = path.read_bytes()
        digests[path.name] = digest_of(data)
        tables[name] = source_table(read_rows(data, path.name), name)
    known = {*DOMAINS, "CDISC-MANIFEST"}
    unread = [p.name for p in files if p.stem.upper() not in known and p not in chosen.values()]
    return SourceTables(tables, digests, _not_read(folder, unread))


def _file(files: list[Path], name: str, named: Mapping[str, str]) -> Path | None:
    if name in named:
        return next((path for path in files if path.name == named[name]), None)
    own = [path for path in files if path.stem.upper() == name]
    return min(own, key=lambda path: FORMATS.index(path.suffix.lower().lstrip(".")), default=None)


def _faults(folder: Path, files: list[Path], chosen: Mapping[str, Path], named: Mapping[str, str]) -> Iterator[Fault]:
    for name, file in named.items():
        if name not in DOMAINS:
            yield Fault(name, "unknown_dataset", f"is none of the datasets that are read ({', '.join(DOMAINS)})")
        elif name not in chosen:
            yield Fault(str(folder / file), "no_file", f"there is no such table for {name}")
    if not {"TU", "TR", "RS"} & chosen.keys():
        alike = [p.name for p in files for name in ("tu", "tr", "rs") if p.stem.lower().startswith(f"{name}_")]
        hint = f"; name them, e.g. --table RS={alike[0]} (there are {', '.join(alike)})" if alike else ""
        yield Fault(str(folder), "no_table", f"none of TU, TR and RS is here{hint}")
    for path in chosen.values():
        if path.stat().st_size > _MOST_BYTES:
            yield Fault(path.name, "too_large", f"is larger than {_MOST_BYTES} bytes")


def _not_read(folder: Path, names: list[str]) -> tuple[Finding, ...]:
    if not names:
        return ()
    text = f"not read, because no dataset that is read is called like it: {', '.join(names)}"
    return (Finding("table_not_read", Severity.INFO, folder.name, text),)
