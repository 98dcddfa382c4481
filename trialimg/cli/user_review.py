"""`trialimg user list|history|review`: who has access, who had, and whether somebody should not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["history", "list_users", "review"]

_FOUND = 1


@click.command("list")
@signed_in()
@json_option
def list_users(desk: Desk, as_json: bool) -> None:
    """Everybody who has or had a name here."""
    from trialimg.services.people_history import users

    found = users(desk.records, desk.actor)
    if as_json:
        print_json({"users": found})
    else:
        _table(found, ("name", "printed_name", "state", "credential", "password_expires"))


@click.command("history")
@click.argument("name", required=False, default="")
@click.option("--at", "moment", metavar="MOMENT", help="Rights held then: a date, or a time with its offset.")
@signed_in()
@json_option
def history(desk: Desk, name: str, moment: str | None, as_json: bool) -> None:
    """What NAME, or everybody, could do at a moment; without one, every change of NAME's access."""
    from trialimg.core.access import Action
    from trialimg.services.people import utc_moment
    from trialimg.services.people_history import changes_of, rights_at

    if moment is None and not name:
        raise click.UsageError("name somebody, or a moment: --at 2026-03-01")
    at = utc_moment(moment) if moment is not None else ""
    with desk.records.look(desk.actor, Action.VIEW_AUDIT) as transaction:
        rights = rights_at(transaction, at, user=name) if at else ()
        changes = () if at else changes_of(transaction, name)
    if as_json:
        print_json({"at": at, "rights": rights} if at else {"user": name, "changes": changes})
    elif at:
        _table([asdict(right) for right in rights], ("user", "role", "trial", "site", "since", "until", "granted_by"))
    else:
        _table([asdict(change) for change in changes], ("at", "who", "action", "what", "reason"))


@click.command("review")
@click.option("--idle-days", type=click.IntRange(1), default=90, show_default=True, help="Without any sign-in.")
@click.option("--sign", "signs", is_flag=True, help="Keep the review, signed by you.")
@signed_in(Role.ADMINISTRATOR)
@json_option
@click.pass_context
def review(context: click.Context, desk: Desk, idle_days: int, signs: bool, as_json: bool) -> None:
    """Every right in force, and access that has lost its reason to be; exit code 1 if there is any."""
    from trialimg.core.access import Action
    from trialimg.services.people_history import review_access, sign_access_review
    from trialimg.services.signatures import manifest

    version = sign_access_review(desk.records, desk.actor, desk.proof, idle_days=idle_days) if signs else None
    with desk.records.look(desk.actor, Action.REVIEW_ACCESS) as transaction:
        found = review_access(transaction, version.body["at"] if version else desk.records.now(), idle_days=idle_days)
        signature = dict(manifest(transaction, version)) if version else {}
    if as_json:
        print_json({**asdict(found), "signature": signature})
    else:
        _table([asdict(right) for right in found.rights], ("user", "role", "trial", "site", "since", "until"))
        for orphan in found.orphans:
            click.echo(f"{orphan.user}: {orphan.message} [{orphan.code}]")
        for label, text in signature.items():
            click.echo(f"{label}: {text}")
    if found.orphans:
        context.exit(_FOUND)


def _table(rows: Sequence[Mapping[str, Any]], columns: tuple[str, ...]) -> None:
    click.echo("\t".join(columns))
    for row in rows:
        click.echo("\t".join(str(row[column]) for column in columns))
