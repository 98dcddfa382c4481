"""A delivery as a folder: every dataset in every format asked for, its description, its guide, its manifest."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from trialimg.adapters.exporters.cdisc.dataset_json import dataset_json_bytes, read_dataset_json
from trialimg.adapters.exporters.cdisc.define import define_bytes
from trialimg.adapters.exporters.cdisc.define_reader import read_define
from trialimg.adapters.exporters.cdisc.flat import csv_bytes, parquet_bytes, read_csv, read_parquet
from trialimg.adapters.exporters.cdisc.guide import guide_html, guide_markdown
from trialimg.adapters.exporters.cdisc.transport import transport_bytes
from trialimg.adapters.exporters.writing import write_whole
from trialimg.core.errors import IntakeError, ReadingError
from trialimg.services.cdisc.conformance import Finding, conformance
from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.delivery import Column, Delivered, Delivery, Described, typed
from trialimg.services.cdisc.description import of_standard
from trialimg.services.cdisc.specification import DATASETS, Standard
from trialimg.services.cdisc.tables import Table, common_lengths
from trialimg.services.xport import read_xport

__all__ = ["FORMATS", "read_delivery", "read_rows", "write_delivery"]

FORMATS = ("xpt", "json", "csv", "parquet")
"""Endings, the one that the checks look at first standing first."""
_MANIFEST = "cdisc-manifest.json"
_PROGRAMS = Path(__file__).parent / "programs"
_ANALYSED = {"ADSL", "ADRS", "ADTR", "ADTTE"}
"""What the programs read."""
_MOST_BYTES = 5_000_000_000
"""What a regulator takes as one dataset at most."""


def write_delivery(
    study: Study,
    tables: Sequence[Table],
    out: Path,
    *,
    formats: Sequence[str],
    created: dt.datetime,
) -> tuple[tuple[Path, ...], tuple[Finding, ...]]:
    """Write datasets, their descriptions and the guide; the files, and what the checks found in them.

    Nothing is written before everything could be made. The same study and moment give the same bytes.

    Parameters
    ----------
    out
        Existing folder.
    formats
        Of `FORMATS`; none: the descriptions alone.

    Raises
    ------
    ReadingError
        With every value that a format cannot hold.
    """
    lengths = common_lengths(tables)
    contents = dict(_datasets(study, tables, lengths, formats, created))
    contents |= _descriptions(study, tables, lengths, formats, created)
    findings = conformance(_delivery({**contents, **_looked_at(tables, lengths, created, formats, study)}))
    contents["reviewers-guide.md"] = guide_markdown(study, tables, findings).encode()
    contents["reviewers-guide.html"] = guide_html(study, tables, findings).encode()
    if "xpt" in formats and {table.name for table in tables} >= _ANALYSED:
        contents |= {path.name: path.read_bytes() for path in sorted(_PROGRAMS.iterdir()) if path.is_file()}
    manifest = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(contents.items())}
    contents[_MANIFEST] = json.dumps(manifest, indent=1).encode() + b"\n"
    return tuple(write_whole(out / name, data) for name, data in contents.items()), findings


def _looked_at(
    tables: Sequence[Table], lengths: Mapping[str, int], created: dt.datetime, formats: Sequence[str], study: Study
) -> dict[str, bytes]:
    """What the checks look at where no dataset is written."""
    if formats:
        return {}
    return {f"{t.name.lower()}.json": dataset_json_bytes(t, lengths, study.code, created) for t in tables}


def _datasets(
    study: Study, tables: Sequence[Table], lengths: Mapping[str, int], formats: Sequence[str], created: dt.datetime
) -> Iterator[tuple[str, bytes]]:
    made: Mapping[str, Callable[[Table], bytes]] = {
        "xpt": lambda table: transport_bytes(table, lengths, created),
        "json": lambda table: dataset_json_bytes(table, lengths, study.code, created),
        "csv": csv_bytes,
        "parquet": parquet_bytes,
    }
    for form in formats:
        for table in tables:
            yield f"{table.name.lower()}.{form}", made[form](table)


def _descriptions(
    study: Study, tables: Sequence[Table], lengths: Mapping[str, int], formats: Sequence[str], created: dt.datetime
) -> dict[str, bytes]:
    suffix = formats[0] if formats else FORMATS[0]
    parts = {standard: of_standard(tables, standard) for standard in Standard}
    return {
        f"define-{standard.value}.xml": define_bytes(study, found, lengths, created=created, suffix=suffix)
        for standard, found in parts.items()
        if found
    }


def read_delivery(folder: Path) -> Delivery:
    """Everything of a delivery that lies in a folder.

    Raises
    ------
    IntakeError
        If there is no folder, or no dataset in it.
    """
    if not folder.is_dir():
        raise IntakeError(f"{folder}: no folder with datasets is here; `trialimg export all` writes one")
    paths = sorted(path for path in folder.iterdir() if path.is_file() and _is_ours(path))
    too_large = [path.name for path in paths if path.stat().st_size > _MOST_BYTES]
    if too_large:
        raise IntakeError(f"{folder}: {', '.join(too_large)} is larger than {_MOST_BYTES} bytes")
    delivery = _delivery({path.name: path.read_bytes() for path in paths})
    if not delivery.tables and not delivery.faults:
        raise IntakeError(f"{folder}: no dataset (.{', .'.join(FORMATS)}) is here; `trialimg export all` writes some")
    return delivery


def _is_ours(path: Path) -> bool:
    is_dataset = path.suffix.lower().lstrip(".") in FORMATS and path.stem.upper() not in ("MANIFEST",)
    return is_dataset or path.name.startswith("define-")


def _delivery(contents: Mapping[str, bytes]) -> Delivery:
    tables: dict[str, Delivered] = {}
    twins: list[Delivered] = []
    faults: list[tuple[str, str]] = []
    described: dict[str, Described] = {}
    for name in sorted(contents, key=_rank):
        try:
            if name.startswith("define-") and name.endswith(".xml"):
                described[name.removeprefix("define-").removesuffix(".xml")] = read_define(contents[name], name)
            elif name != _MANIFEST and name.rpartition(".")[2].lower() in FORMATS:
                found = read_rows(contents[name], name)
                if found.name in tables:
                    twins.append(found)
                else:
                    tables[found.name] = found
        except ReadingError as fault:
            faults.append((name, str(fault)))
    altered = tuple(_altered(contents))
    return Delivery(_in_order(tables), tuple(twins), described, altered, tuple(faults))


def _in_order(tables: Mapping[str, Delivered]) -> dict[str, Delivered]:
    known = [name for name in DATASETS if name in tables]
    return {name: tables[name] for name in (*known, *sorted(tables.keys() - set(known)))}


def _rank(name: str) -> tuple[int, str]:
    form = name.rpartition(".")[2].lower()
    return (FORMATS.index(form) if form in FORMATS else len(FORMATS), name)


def _altered(contents: Mapping[str, bytes]) -> Iterator[str]:
    """Files that are other than the manifest says, or that it names in vain."""
    if _MANIFEST not in contents:
        return
    try:
        manifest = json.loads(contents[_MANIFEST])
    except ValueError:
        yield _MANIFEST
        return
    for name, digest in manifest.items() if isinstance(manifest, dict) else ():
        is_looked_at = name.rpartition(".")[2] in FORMATS or name.startswith("define-")
        if is_looked_at and (name not in contents or hashlib.sha256(contents[name]).hexdigest() != digest):
            yield name


def read_rows(data: bytes, name: str) -> Delivered:
    """The dataset of a file, by its ending.

    Raises
    ------
    ReadingError
        If it is not what its ending says.
    """
    stem, _, form = name.rpartition(".")
    if form.lower() == "xpt":
        return _from_transport(data, name)
    if form.lower() == "json":
        return read_dataset_json(data, name)
    reader = read_parquet if form.lower() == "parquet" else read_csv
    return reader(data, name, stem.upper())


def _from_transport(data: bytes, source: str) -> Delivered:
    table = read_xport(data, source)
    columns = tuple(Column(v.name, v.label, not v.numeric, v.length, v.form) for v in table.variables)
    rows = tuple(
        {c.name: typed(table.name, c.name, value) for c, value in zip(columns, row, strict=True)} for row in table.rows
    )
    return Delivered(table.name, table.label, columns, rows, source)
