"""`trialimg verify`: are the records what was signed?"""

from __future__ import annotations

from pathlib import Path

import click

from trialimg.cli.output import json_option, print_json

__all__ = ["verify"]

_FOUND = 1
_FILE = click.Path(path_type=Path)


@click.command("verify")
@click.argument("bundle", type=_FILE)
@click.option(
    "--checkpoint", type=_FILE, help="Signed checkpoint kept from an earlier day: tells forks and old states."
)
@click.option("--keys", type=_FILE, help="Trusted keys: the keys.json of an earlier bundle, or key ids, one a line.")
@json_option
@click.pass_context
def verify(context: click.Context, bundle: Path, checkpoint: Path | None, keys: Path | None, as_json: bool) -> None:
    """Name everything in an exported BUNDLE (folder or zip file) that is not as it was signed.

    Exit code 0 if there is nothing, 1 if there is; 2 if there is no bundle to read.
    """
    from trialimg.ledger.verifier import verify_bundle
    from trialimg.ledger.verifier_command import read_checkpoint, read_trusted_keys, report_lines, report_plain

    known = None if checkpoint is None else read_checkpoint(checkpoint)
    trusted = None if keys is None else read_trusted_keys(keys)
    report = verify_bundle(bundle, trusted, known)
    if as_json:
        print_json(report_plain(report))
    else:
        click.echo("\n".join(report_lines(report)))
    if not report.ok:
        context.exit(_FOUND)
