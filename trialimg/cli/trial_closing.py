"""`trialimg trial cut | unlock | unblind | archive`: results are locked, revealed, handed over."""

from __future__ import annotations

from pathlib import Path

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role

__all__ = ["archive", "cut", "unblind", "unlock"]

_REASON = click.option("--reason", required=True, help="Why; the ledger keeps it.")


@click.command("cut")
@click.argument("trial")
@click.argument("name")
@_REASON
@click.option("--mixed-because", default="", help="Why results of several versions may stand side by side.")
@signed_in(Role.ANALYST)
@json_option
def cut(desk: Desk, trial: str, name: str, reason: str, mixed_because: str, as_json: bool) -> None:
    """Lock the results of every final case of TRIAL under one hash, as data cut NAME, signed."""
    from trialimg.services.trials_data_cut import CutOrder, cut_data

    kept = cut_data(desk.records, desk.actor, desk.proof, CutOrder(trial, name, reason, mixed_because))
    body = kept.body
    if as_json:
        print_json({"cut": kept.id, **body})
        return
    click.echo(f"{kept.id}: {len(body['cases'])} final case(s) locked, {body['hash']}")
    for case, state in body["left_out"]:
        click.echo(f"  not part of it: {case}, {state}")
    for word, versions in body["mixed"].items():
        click.echo(f"  mixed {word}: {', '.join(versions)}")


@click.command("unlock")
@click.argument("cut_name", metavar="TRIAL/NAME")
@_REASON
@signed_in(Role.ANALYST)
def unlock(desk: Desk, cut_name: str, reason: str) -> None:
    """Open a locked data cut, signed; what was locked stays readable."""
    from trialimg.services.trials_data_cut import unlock_data

    kept = unlock_data(desk.records, desk.actor, desk.proof, cut_name, reason=reason)
    click.echo(f"{kept.id}: open again")


@click.command("unblind")
@click.argument("trial")
@click.option("--subject", "subjects", multiple=True, help="Blinded subject code; none: the whole trial.")
@click.option("--reveals", required=True, help="What becomes known, e.g. 'treatment arm'; never the value itself.")
@click.option("--to", "recipients", multiple=True, required=True, help="User who learns it.")
@click.option("--planned/--unplanned", required=True, help="Whether the protocol foresaw it.")
@click.option("--assessment", required=True, help="What it means for the reads and the endpoints.")
@_REASON
@signed_in(Role.ANALYST)
def unblind(
    desk: Desk, trial: str, subjects: tuple[str, ...], reveals: str, recipients: tuple[str, ...], planned: bool,
    assessment: str, reason: str,
) -> None:  # fmt: skip
    """Keep, signed, that something blinded in TRIAL becomes known: what, to whom, why, and what follows."""
    from trialimg.services.trials_unblinding import Unblinding
    from trialimg.services.trials_unblinding import unblind as keep_unblinding

    step = Unblinding(trial, subjects, reveals, recipients, planned, reason, assessment)
    kept = keep_unblinding(desk.records, desk.actor, desk.proof, step)
    whole = "the whole trial" if not subjects else f"{len(subjects)} subject(s)"
    click.echo(f"{kept.id}: {whole}, {reveals}, to {', '.join(recipients)}")


@click.command("archive")
@click.argument("scope", metavar="TRIAL|TRIAL/CASE")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New folder.")
@signed_in(Role.INSPECTOR)
@json_option
@click.pass_context
def archive(context: click.Context, desk: Desk, scope: str, out: Path, as_json: bool) -> None:
    """Write an inspection copy: HTML, PDF and JSON, the charter, and the signed ledger with its verifier."""
    from trialimg.bootstrap import inspection_files, storage
    from trialimg.services.archive import Scope
    from trialimg.services.archive_export import archive as write_archive

    trial = scope.partition("/")[0]
    home: Path = context.params["home"]
    wanted = Scope(trial, scope if scope != trial else "")
    ring = storage(desk.records, home.expanduser()).ring
    copy, manifest = write_archive(desk.records, desk.actor, ring, wanted, out=out, writer=inspection_files())
    if as_json:
        counts = {"records": len(copy.records), "audit_lines": copy.lines}
        print_json({"scope": scope, "out": str(out), **counts, "root": manifest.root})
    else:
        click.echo(
            f"{out}: {len(copy.records)} records, {copy.lines} audit lines; verify it by `trialimg verify {out}`"
        )
