"""`trialimg verify`: are the records what was signed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trialimg.ledger.checkpoint import SignedCheckpoint
    from trialimg.ledger.findings import Report

__all__ = ["verify"]

_FOUND = 1
_FILE = click.Path(path_type=Path)


@click.command("verify")
@click.argument("bundle", type=_FILE, required=False)
@click.option("--checkpoint", type=_FILE, help="Signed checkpoint kept from an earlier day; tells forks, old states.")
@click.option("--keys", type=_FILE, help="Trusted keys: the keys.json of an earlier bundle, or key ids, one a line.")
@click.option(
    "--home",
    type=_FILE,
    envvar="TRIALIMG_HOME",
    default=Path("~/.trialimg"),
    help="Without BUNDLE: folder of the installation; default: $TRIALIMG_HOME, else ~/.trialimg.",
)
@click.option(
    "--database",
    envvar="TRIALIMG_DATABASE_URL",
    help="Without BUNDLE: address of the database, where it is not in that folder.",
)
@json_option
@click.pass_context
def verify(
    context: click.Context,
    bundle: Path | None,
    checkpoint: Path | None,
    keys: Path | None,
    home: Path,
    database: str | None,
    as_json: bool,
) -> None:
    """Name everything that is not as it was signed: in an exported BUNDLE, or in the installation itself.

    BUNDLE is a folder or a zip file; an installation has records, images and masks. Exit code 0 if there is nothing to
    name, 1 if there is; 2 if there is nothing to read.
    """
    from trialimg.ledger.verifier import verify_bundle
    from trialimg.ledger.verifier_command import read_checkpoint, read_trusted_keys, report_lines, report_plain

    known = None if checkpoint is None else read_checkpoint(checkpoint)
    trusted = None if keys is None else read_trusted_keys(keys)
    if bundle is None:
        report = _installation(home.expanduser(), database, trusted, known)
    else:
        report = verify_bundle(bundle, trusted, known)
    if as_json:
        print_json(report_plain(report))
    else:
        click.echo("\n".join(report_lines(report)))
    if not report.ok:
        context.exit(_FOUND)


def _installation(
    home: Path, database: str | None, trusted: frozenset[str] | None, known: SignedCheckpoint | None
) -> Report:
    from trialimg.bootstrap import blobs, records
    from trialimg.core.errors import IntegrityError
    from trialimg.services.store_verification import Known, unreadable, verify_store

    if database is None and not (home / "records.sqlite").is_file():
        raise click.UsageError(f"{home}: no records are kept here; name a BUNDLE, or the installation by --home")
    try:
        store = records(home, database).store
    except IntegrityError as wrong:
        return unreadable(str(wrong))
    return verify_store(store, blobs(home), Known(trusted, known))
