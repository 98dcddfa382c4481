"""`trialimg export`: SDTM and ADaM datasets of a finished run, their description, and the checks they must pass."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import database_option, home_option, person_option, role_option

if TYPE_CHECKING:
    from trialimg.services.cdisc.conformance import Finding
    from trialimg.services.cdisc.course import Study

__all__ = ["export"]

_FORMATS = ("xpt", "json", "csv", "parquet")
_FOUND = 1
_SHOWN = 50


class _Formats(click.ParamType[Any]):
    """A list of formats, each once."""

    name = "formats"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(str(value).split(",")))
        for name in names:
            if name not in _FORMATS:
                self.fail(f"{name!r} is none of {', '.join(_FORMATS)}", param, ctx)
        return names


@click.group("export")
def export() -> None:
    """CDISC datasets (SDTM, ADaM), their Define-XML and reviewer's guide, and the checks that they must pass."""


@dataclass(frozen=True)
class _Order:
    """What was asked for on the command line."""

    run_folder: Path
    out: Path
    formats: tuple[str, ...]
    dm: Path | None
    trial: str | None
    created: dt.datetime | None
    home: Path
    database: str | None
    user: str | None
    role: str | None
    as_json: bool


def _ordered(command: Callable[[_Order], None]) -> Callable[..., None]:
    """Give a verb the options of all that write, and what was asked for as its one argument."""

    @click.argument("run_folder", type=click.Path(path_type=Path))
    @click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
    @click.option(
        "--format", "formats", type=_Formats(), default="xpt,json,csv,parquet", show_default=True, help="Which files."
    )
    @click.option("--dm", type=click.Path(path_type=Path), help="The sponsor's DM as CSV; else what is known.")
    @click.option("--trial", help="Take the final reads of this trial's records instead of the run's own.")
    @click.option(
        "--created",
        type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
        help="Moment that stands in the files (UTC); default: now. The same moment gives the same bytes.",
    )
    @home_option
    @database_option
    @person_option
    @role_option
    @json_option
    @functools.wraps(command)
    def with_order(**options: Any) -> None:
        command(_Order(**options))

    return with_order


@export.command("sdtm")
@_ordered
def sdtm(order: _Order) -> None:
    """SDTM of a finished run: DM, TU, TR, RS, their supplements and RELREC."""
    _write(order, "sdtm", order.formats)


@export.command("adam")
@_ordered
def adam(order: _Order) -> None:
    """ADaM of a finished run: ADSL, ADTR, ADRS, ADTTE."""
    _write(order, "adam", order.formats)


@export.command("define")
@_ordered
def define(order: _Order) -> None:
    """Only what describes the datasets: Define-XML and the reviewer's guide."""
    _write(order, "all", ())


@export.command("all")
@_ordered
def everything(order: _Order) -> None:
    """SDTM and ADaM of a finished run, with Define-XML, reviewer's guide and programs."""
    _write(order, "all", order.formats)


def _write(order: _Order, what: str, formats: tuple[str, ...]) -> None:
    from trialimg import bootstrap
    from trialimg.services.cdisc.export import study_of_run, tables_for
    from trialimg.services.finished import open_run

    demographics = bootstrap.demographics(order.dm) if order.dm is not None else ()
    study = study_of_run(open_run(order.run_folder), demographics)
    if order.trial is not None:
        study = _with_final_reads(study, order.trial, order)
    tables = tables_for(study, what)
    bootstrap.make_folder(order.out)
    created = order.created or dt.datetime.now(dt.UTC)
    files, findings = bootstrap.write_datasets(study, tables, order.out, formats=formats, created=created)
    _tell(files, findings, {table.name: len(table.rows) for table in tables}, as_json=order.as_json)


def _with_final_reads(study: Study, trial: str, order: _Order) -> Study:
    """The study with the final reads of a trial's records in place of the run's."""
    from trialimg import bootstrap
    from trialimg.cli.sign_in import desk_of
    from trialimg.core.access import Role
    from trialimg.services.cdisc.from_records import with_final_reads

    records = bootstrap.records(order.home.expanduser(), order.database)
    with desk_of(records, order.user, Role(order.role) if order.role else None, Role.ANALYST) as desk:
        return with_final_reads(study, desk.records, desk.actor, trial)


def _tell(files: Sequence[Path], findings: Sequence[Finding], records: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json({"files": [str(path) for path in files], "records": records, "findings": findings})
        return
    for name, count in records.items():
        click.echo(f"{name:<8}{count:>8} record(s)")
    _print_findings(findings)
    click.echo(f"{len(files)} file(s) in {files[0].parent}")


@export.command("check")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--rules", is_flag=True, help="List the checks instead.")
@click.option("--core", type=click.Path(path_type=Path), help="Run this CDISC CORE engine too, on the XPT files.")
@click.option("--core-timeout", type=click.FloatRange(min=1), default=900, show_default=True, help="Seconds for CORE.")
@json_option
@click.pass_context
def check(
    context: click.Context, folder: Path, rules: bool, core: Path | None, core_timeout: float, as_json: bool
) -> None:
    """Check the datasets of a folder, ours or anybody's; exit code 1 when something is found.

    Reads XPT, Dataset-JSON, CSV and Parquet. Where a dataset lies there in several formats, they must say the same.
    With --core what the CDISC CORE engine finds stands among the findings, by its own rule ids.
    """
    from trialimg import bootstrap
    from trialimg.services.cdisc.conformance import RULES, conformance

    if rules:
        words = {True: "error", False: "warning"}
        listed = [{"rule": r.id, "severity": words[r.is_error], "statement": r.statement} for r in RULES]
        if as_json:
            print_json(listed)
        for one in () if as_json else listed:
            click.echo("  ".join(one.values()))
        return
    delivery = bootstrap.read_datasets(folder)
    findings = conformance(delivery)
    if core is not None:
        findings = (*findings, *bootstrap.core_findings(core, folder, timeout_seconds=core_timeout))
    if as_json:
        datasets = {name: len(table.rows) for name, table in delivery.tables.items()}
        print_json({"checks": len(RULES), "datasets": datasets, "findings": findings})
    else:
        click.echo(f"{len(RULES)} checks of {', '.join(delivery.tables)}")
        _print_findings(findings)
    if findings:
        context.exit(_FOUND)


def _print_findings(findings: Sequence[Finding]) -> None:
    for found in findings[:_SHOWN]:
        place = " ".join(part for part in (found.dataset, str(found.record or ""), found.variable) if part)
        click.echo(f"{found.rule} {found.severity}: {place}: {found.value!r} {found.message}")
    if len(findings) > _SHOWN:
        click.echo(f"and {len(findings) - _SHOWN} more; --json shows all")
    click.echo(f"findings: {len(findings)}")
