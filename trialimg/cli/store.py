"""`trialimg store`: the records' tables, checkpoints, backups, exports, retention."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import (
    Desk,
    database_option,
    desk_of,
    home_option,
    installation,
    person_option,
    role_option,
    signed_in,
)
from trialimg.core.access import Action, Actor, Role

if TYPE_CHECKING:
    from trialimg.services.journal import Records
    from trialimg.services.store_backup import Backup, RestoreTest, Storage

__all__ = ["store"]

_FOUND = 1
_PATH = click.Path(path_type=Path)
_REASON = click.option("--reason", required=True, help="Why; the ledger keeps it.")


@click.group("store")
def store() -> None:
    """Keep the records: tables, signed checkpoints, backups, exports, retention and legal holds."""


@store.command("migrate")
@home_option
@database_option
@json_option
def migrate(home: Path, database: str | None, as_json: bool) -> None:
    """Bring the records' tables to this software's version; on PostgreSQL by the database's owner. Back up first."""
    from trialimg.bootstrap import migrate_records

    before, after = migrate_records(home.expanduser(), database)
    if as_json:
        print_json({"before": before or None, "after": after})
    else:
        click.echo(f"tables of version {after}" + (f", before {before or 'none'}" if before != after else ""))


@store.command("checkpoint")
@click.option("--out", type=_PATH, help="Write the signed checkpoint to this new file, for someone outside to keep.")
@click.option("--new-keys", metavar="REASON", help="First hand over to a new pair of signing keys, for this reason.")
@signed_in(Role.ADMINISTRATOR)
@json_option
def checkpoint(desk: Desk, out: Path | None, new_keys: str | None, as_json: bool) -> None:
    """Sign what the ledger holds now; an outsider who keeps it can tell later that nothing was taken back."""
    from trialimg.cli.respond_output import write_whole
    from trialimg.services.store_checkpoints import rotate_keys, sign_checkpoint

    ring = _storage(desk.records).ring
    with desk.records.change(desk.actor, Action.MANAGE_STORE) as journal:
        if new_keys is not None:
            rotate_keys(journal, ring, reason=new_keys)
        signed = sign_checkpoint(journal, ring)
    if out is not None:
        write_whole(out, signed.bytes().decode() + "\n")
    made = signed.checkpoint
    if as_json:
        print_json({"size": made.size, "root": made.root, "at": made.at, "key": signed.signatures.key})
    else:
        click.echo(f"{made.size} entries, root {made.root}, signed by key {signed.signatures.key}")


@dataclass(frozen=True)
class _Keeper:
    """Who makes a backup: the software, or somebody who signs in."""

    unattended: bool
    user: str | None
    role: str | None

    @contextmanager
    def actor(self, records: Records) -> Iterator[Actor | None]:
        """None: the software."""
        if self.unattended:
            yield None
            return
        with desk_of(records, self.user, Role(self.role) if self.role else None, Role.ADMINISTRATOR) as desk:
            yield desk.actor


@store.command("backup")
@click.argument("out", type=_PATH)
@click.option("--test-restore", is_flag=True, help="Restore it to a temporary place and write a report beside it.")
@installation
@gathered(
    "keeper", _Keeper,
    click.option("--unattended", is_flag=True, help="For a scheduler: nobody signs in, the entry names the software."),
    person_option, role_option,
)  # fmt: skip
@json_option
@click.pass_context
def backup(
    context: click.Context, records: Records, out: Path, test_restore: bool, keeper: _Keeper, as_json: bool
) -> None:
    """Write records and blobs of one moment into the new folder OUT. The private keys are not in it: keep them apart.

    With --test-restore exit code 1 if it cannot be restored.
    """
    with keeper.actor(records) as actor:
        made, test = _backed_up(records, actor, out, test_restore=test_restore)
    if as_json:
        said = {"entries": made.entries, "blobs": made.blobs, "at": made.at, "out": str(out), "restore_test": test}
        print_json(said)
    else:
        click.echo(f"{out}: {made.entries} entries and {made.blobs} blobs, without the private keys")
        if test is not None:
            click.echo(f"restored and verified in {test.seconds} s" if test.ok else f"not restored: {test.because}")
    if test is not None and not test.ok:
        context.exit(_FOUND)


def _backed_up(
    records: Records, actor: Actor | None, out: Path, *, test_restore: bool
) -> tuple[Backup, RestoreTest | None]:
    from trialimg.services.store_backup import back_up
    from trialimg.services.store_backup import test_restore as tried

    storage = _storage(records)
    made = back_up(storage, actor, out)
    return made, tried(storage, actor, out) if test_restore else None


@store.command("restore")
@click.argument("folder", metavar="BACKUP", type=_PATH)
@click.option("--checkpoint", type=_PATH, help="Signed checkpoint kept outside: a backup from before it is refused.")
@installation
@json_option
def restore(records: Records, folder: Path, checkpoint: Path | None, as_json: bool) -> None:
    """Bring a BACKUP into an empty installation, and verify all that has arrived."""
    from trialimg.ledger.verifier_command import read_checkpoint
    from trialimg.services.store_backup import restore as restored
    from trialimg.services.store_verification import Known

    known = Known(checkpoint=read_checkpoint(checkpoint)) if checkpoint is not None else None
    report = restored(_storage(records), folder, known)
    if as_json:
        print_json({"entries": report.entries, "records": report.records, "root": report.root})
    else:
        click.echo(f"restored and verified: {report.entries} entries, {report.records} record versions")


@store.command("export")
@click.argument("out", type=_PATH)
@click.option("--trial", help="Only this trial; of the entries of others the hashes alone. Default: everything.")
@signed_in()
@json_option
def export(desk: Desk, out: Path, trial: str | None, as_json: bool) -> None:
    """Write the ledger with all records into the new folder OUT, signed, with the program that verifies it."""
    from trialimg.services.store_export import export_bundle

    made = export_bundle(desk.records, desk.actor, _storage(desk.records).ring, out, trial=trial)
    if as_json:
        print_json({"out": str(out), "size": made.size, "root": made.root, "installation": made.installation})
    else:
        click.echo(f"{out}: {made.size} entries, root {made.root}; verify it by `trialimg verify {out}`")


@store.command("close")
@click.argument("trial")
@click.option("--retain-until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day of retention, UTC.")
@_REASON
@signed_in(Role.ADMINISTRATOR)
def close(desk: Desk, trial: str, retain_until: dt.datetime, reason: str) -> None:
    """Say that TRIAL is over and how long its records are kept; the day can be put off, never brought forward."""
    from trialimg.services.store_retention import close_trial

    day = retain_until.date()
    close_trial(desk.records, desk.actor, trial, retain_until=day, reason=reason)
    click.echo(f"{trial} is closed; its records are kept until {day}")


@store.command("hold")
@click.argument("trial")
@click.option("--release", is_flag=True, help="End the hold.")
@_REASON
@signed_in(Role.ADMINISTRATOR)
def hold(desk: Desk, trial: str, release: bool, reason: str) -> None:
    """Put TRIAL under a legal hold: nothing of it is purged until the hold is released."""
    from trialimg.services import store_retention

    change = store_retention.release_hold if release else store_retention.hold
    change(desk.records, desk.actor, trial, reason=reason)
    click.echo(f"{trial} is {'no longer' if release else 'now'} under a legal hold")


@store.command("purge")
@click.argument("trial")
@_REASON
@signed_in(Role.ADMINISTRATOR)
@json_option
def purge(desk: Desk, trial: str, reason: str, as_json: bool) -> None:
    """Take away what the records of closed TRIAL say, after its retention; tombstones stay and verify."""
    from trialimg.bootstrap import kept_series
    from trialimg.services.store_retention import purge as purged

    home: Path = click.get_current_context().params["home"]
    images = kept_series(home.expanduser())
    done = purged(desk.records, desk.actor, _storage(desk.records).blobs, trial, reason=reason, images=images)
    if as_json:
        print_json(done)
    else:
        gone = (
            f"{done.versions} versions, {done.reasons} reasons, {done.blobs} blobs and {done.series} series of images"
        )
        click.echo(f"{trial}: {gone} are gone")


@store.command("new-blob-key")
@home_option
@json_option
def new_blob_key(home: Path, as_json: bool) -> None:
    """Encrypt images and masks from now on, or wrap their keys under a new key-encryption key."""
    from trialimg.bootstrap import new_blob_key as made

    wrapped = made(home.expanduser())
    if as_json:
        print_json({"wrapped_anew": wrapped})
    else:
        click.echo(f"a new key is in force; {wrapped} blobs' keys were wrapped anew")


def _storage(records: Records) -> Storage:
    """The installation whose folder the verb was given."""
    from trialimg.bootstrap import storage

    home: Path = click.get_current_context().params["home"]
    return storage(records, home.expanduser())
