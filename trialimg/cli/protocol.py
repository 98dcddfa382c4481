"""`trialimg protocol`: check a protocol file, show what it means in full, print its JSON schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.protocol_validate import validate
from trialimg.core.errors import ProtocolError

if TYPE_CHECKING:
    from trialimg.protocol.model import Protocol

__all__ = ["protocol"]

_FILE = click.argument("file", type=click.Path(path_type=Path))
_REFUSED = 2


@click.group("protocol")
def protocol() -> None:
    """Check, show, describe and validate trial protocol files."""


protocol.add_command(validate)


@protocol.command("check")
@_FILE
@json_option
@click.pass_context
def check(context: click.Context, file: Path, as_json: bool) -> None:
    """List every fault of a protocol FILE with its line, or say that there is none.

    Exits with 0 when the protocol is valid and with 2 when it is not. What the protocol names but this installation
    does not have (a criterion, a segmenter) is no fault of the file: it is noted on stderr.
    """
    from trialimg.protocol.load import load_protocol

    try:
        valid = load_protocol(file)
    except ProtocolError as refusal:
        if not as_json:
            raise
        print_json({"file": str(file), "valid": False, "message": str(refusal), "faults": _rows(refusal)})
        context.exit(_REFUSED)
    notes = _notes(valid)
    if as_json:
        print_json({"file": str(file), "valid": True, "digest": valid.digest, "faults": [], "notes": notes})
        return
    for note in notes:
        click.echo(f"{file}: note: {note}", err=True)
    click.echo(f"{file}: valid, {valid.trial.id} version {valid.trial.version}, {valid.digest}")


@protocol.command("show")
@_FILE
@json_option
def show(file: Path, as_json: bool) -> None:
    """Print a protocol FILE as YAML with every default filled in, and its digest.

    The digest does not change with comments, order of keys or defaults that are spelt out.
    """
    from trialimg.protocol.load import load_protocol
    from trialimg.protocol.model import full
    from trialimg.protocol.text import as_yaml

    valid = load_protocol(file)
    if as_json:
        print_json({"digest": valid.digest, "protocol": full(valid)})
    else:
        click.echo(f"# {valid.digest}\n{as_yaml(valid)}", nl=False)


@protocol.command("schema")
def schema() -> None:
    """Print the JSON schema of protocol files, for editors that complete and check as you type."""
    from trialimg.protocol.schema import schema_text

    click.echo(schema_text(), nl=False)


def _rows(refusal: ProtocolError) -> list[dict[str, Any]]:
    from trialimg.protocol.faults import ProtocolFault

    return [
        {"line": fault.line, "column": fault.column, "key": fault.key, "code": fault.code, "message": fault.message}
        for fault in refusal.faults
        if isinstance(fault, ProtocolFault)
    ]


def _not_run(valid: Protocol) -> list[str]:
    """Why a run from images would refuse the criterion; empty where it would not."""
    from trialimg.core.errors import ProtocolError
    from trialimg.services.response import require_built

    try:
        require_built(valid)
    except ProtocolError as refused:
        return [str(refused)]
    return []


def _notes(valid: Protocol) -> list[str]:
    """What the protocol names and this installation cannot do."""
    from importlib.metadata import entry_points

    from trialimg.protocol.criteria import built_criteria

    notes = []
    criterion, segmenter = valid.response.criterion, valid.segmentation.segmenter
    if criterion not in built_criteria():
        known = ", ".join(item.value for item in built_criteria())
        notes.append(f"{criterion.value} is not built yet: its rules are not checked and a run refuses it ({known} is)")
    else:
        notes += _not_run(valid)
    installed = sorted(entry.name for entry in entry_points(group="trialimg.segmenters"))
    if segmenter not in installed:
        notes.append(f"no segmenter {segmenter!r} is installed here; installed: {', '.join(installed)}")
    return notes
