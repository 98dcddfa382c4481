"""`trialimg user`: who may do what here, and who is at the desk."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from trialimg.cli.output import json_option, print_json
from trialimg.cli.sign_in import Desk, asked_secret, desk_of, installation, person_option, role_option, signed_in
from trialimg.cli.user_review import history, list_users, review
from trialimg.core.access import Actor, Role

if TYPE_CHECKING:
    from trialimg.services.journal import Records
    from trialimg.services.people import Grant

__all__ = ["user"]

_ROLES = click.Choice([role.value for role in Role if role is not Role.DEVICE])
_REASON = click.option("--reason", required=True, help="Why; the ledger keeps it.")
_TRIAL = click.option("--trial", default="*", show_default=True, help="Code of the trial; * for all.")
_SITE = click.option("--site", default="", help="Only for this site of the trial.")


@click.group("user")
def user() -> None:
    """Give people names and rights, sign in and out, review who has access.

    Passwords and codes never stand on a command line: they are typed unseen, or come from TRIALIMG_PASSWORD,
    TRIALIMG_CODE and TRIALIMG_NEW_PASSWORD.
    """


@user.command("add")
@click.argument("name")
@click.option("--printed-name", required=True, help="As it stands under signatures.")
@click.option("--identity-proof", required=True, help="How the identity was verified: document, by whom, when.")
@click.option("--email", default="", help="For messages; optional.")
@installation
@person_option
@role_option
@json_option
def add(records: Records, name: str, user: str | None, role: str | None, as_json: bool, **person: Any) -> None:
    """Add a user and print a password that serves once; the first one becomes the administrator."""
    from trialimg.bootstrap import identity
    from trialimg.services.authority import USER
    from trialimg.services.people import Person, add_user, canonical_name
    from trialimg.services.records import Place

    new = Person(canonical_name(name), **person)
    with records.store.reading() as transaction:
        is_first = not transaction.count(USER, Place())
    if is_first:
        password = add_user(records, Actor(new.name or "?", Role.ADMINISTRATOR), new, identity())
    else:
        with desk_of(records, user, Role(role) if role else None, Role.ADMINISTRATOR) as desk:
            password = add_user(records, desk.actor, new, identity())
    _tell_one_time(new.name, password, as_json=as_json, is_administrator=is_first)


@user.command("disable")
@click.argument("name")
@_REASON
@signed_in(Role.ADMINISTRATOR)
def disable(desk: Desk, name: str, reason: str) -> None:
    """End somebody's access for good; their name is never given again."""
    from trialimg.services.people import disable_user

    disable_user(desk.records, desk.actor, name, reason=reason)
    click.echo(f"{name} is disabled: sessions closed, grants revoked")


@user.command("grant")
@click.argument("name")
@click.argument("granted", metavar="ROLE", type=_ROLES)
@_TRIAL
@_SITE
@click.option("--since", default="", help="Date, or time with offset; default: now.")
@click.option("--until", default="", help="Moment before which; default: without end.")
@_REASON
@signed_in(Role.ADMINISTRATOR)
def grant(desk: Desk, name: str, reason: str, **words: str) -> None:
    """Give somebody a ROLE in a trial."""
    from trialimg.services.people import grant_role

    wanted = _grant(**words)
    grant_role(desk.records, desk.actor, name, wanted, reason=reason)
    click.echo(f"{name} is {wanted.role.value} of {wanted.trial}; their sessions have ended")


@user.command("revoke")
@click.argument("name")
@click.argument("granted", metavar="ROLE", type=_ROLES)
@_TRIAL
@_SITE
@_REASON
@signed_in(Role.ADMINISTRATOR)
def revoke(desk: Desk, name: str, reason: str, **words: str) -> None:
    """Take a ROLE back."""
    from trialimg.services.people import revoke_role

    ended = _grant(**words)
    revoke_role(desk.records, desk.actor, name, ended, reason=reason)
    click.echo(f"{name} is {ended.role.value} of {ended.trial} no more; their sessions have ended")


@user.command("reset")
@click.argument("name")
@_REASON
@signed_in(Role.ADMINISTRATOR)
@json_option
def reset(desk: Desk, name: str, reason: str, as_json: bool) -> None:
    """A password that serves once, for somebody who lost theirs or their authenticator."""
    from trialimg.bootstrap import identity
    from trialimg.services.people import reset_password

    password = reset_password(desk.records, desk.actor, name, identity(), reason=reason)
    _tell_one_time(name, password, as_json=as_json, is_administrator=False)


@user.command("unlock")
@click.argument("name")
@_REASON
@signed_in(Role.ADMINISTRATOR)
def unlock(desk: Desk, name: str, reason: str) -> None:
    """Let somebody in again whose account was locked by failures."""
    from trialimg.services.people import unlock_user

    unlock_user(desk.records, desk.actor, name, reason=reason)
    click.echo(f"{name} may sign in again")


@user.command("bind")
@click.argument("name")
@click.option("--issuer", required=True, help="Address of the sign-in server.")
@click.option("--subject", required=True, help="The server's own identifier of the person (sub).")
@_REASON
@signed_in(Role.ADMINISTRATOR)
def bind(desk: Desk, name: str, issuer: str, subject: str, reason: str) -> None:
    """Say which user a sign-in server's subject is."""
    from trialimg.services.people import bind_identity

    bind_identity(desk.records, desk.actor, name, issuer=issuer, subject=subject, reason=reason)
    click.echo(f"{subject} of {issuer} is {name}")


@user.command("train")
@click.argument("name")
@click.option("--trial", required=True, help="Code of the trial.")
@click.option("--charter-version", required=True, help="Version of the charter that the training was for.")
@click.option("--what", required=True, help="Title, date and result of the training.")
@signed_in()
def train(desk: Desk, name: str, trial: str, charter_version: str, what: str) -> None:
    """Record that somebody was trained for a version of a trial's charter."""
    from trialimg.services.training import record_training

    record_training(desk.records, desk.actor, name, trial=trial, charter_version=charter_version, what=what)
    click.echo(f"{name} is trained for version {charter_version} of the charter of {trial}")


@user.command("password")
@click.option("--as", "name", required=True, metavar="USER", help="Your own name.")
@installation
@json_option
def password(records: Records, name: str, as_json: bool) -> None:
    """Replace your own password; the first time, enrol your authenticator."""
    from trialimg.bootstrap import identity
    from trialimg.services.people import canonical_name
    from trialimg.services.people_credentials import Proof
    from trialimg.services.sign_in import change_password

    old = asked_secret("TRIALIMG_PASSWORD", f"Present password of {name}")
    code = asked_secret("TRIALIMG_CODE", "Code of your authenticator (nothing, if you have none yet)", may_omit=True)
    new = asked_secret("TRIALIMG_NEW_PASSWORD", "New password, 12 characters or more")
    if "TRIALIMG_NEW_PASSWORD" not in os.environ and asked_secret("TRIALIMG_NEW_PASSWORD", "The same again") != new:
        raise click.UsageError("the new password was typed in two ways; nothing is changed")
    address = change_password(records, canonical_name(name), Proof(old, code, identity()), new)
    if as_json:
        print_json({"user": name, "authenticator": address})
    else:
        click.echo("the password is replaced; every session has ended")
        if address:
            click.echo(f"give this to your authenticator; it is shown this once:\n{address}")


@user.command("sign-in")
@click.option("--as", "name", required=True, metavar="USER", help="Your own name.")
@role_option
@click.option("--accept", default="", metavar="VERSION", help="Accept, and sign, this accountability policy.")
@installation
@json_option
def sign_in(records: Records, name: str, role: str | None, accept: str, as_json: bool) -> None:
    """Open a session and print its token, for TRIALIMG_SESSION.

    The first time, the accountability policy is shown; who accepts it signs it.
    """
    from trialimg.bootstrap import identity
    from trialimg.services.people import canonical_name
    from trialimg.services.sign_in import Proof, UnacknowledgedError
    from trialimg.services.sign_in import sign_in as signed
    from trialimg.services.training import ACCOUNTABILITY

    secret = asked_secret("TRIALIMG_PASSWORD", f"Password of {name}")
    proof = Proof(secret, asked_secret("TRIALIMG_CODE", "Code of your authenticator"), identity())
    enter = partial(signed, records, canonical_name(name), proof, role=Role(role) if role else None)
    try:
        opened = enter(accepts=accept)
    except UnacknowledgedError:
        if not _is_accepted():
            raise
        opened = enter(accepts=ACCOUNTABILITY.version)
    if as_json:
        print_json({"user": opened.actor.user, "role": opened.actor.role.value, "session": opened.token})
    else:
        click.echo(f"export TRIALIMG_SESSION={opened.token}")


@user.command("sign-out")
@installation
def sign_out(records: Records) -> None:
    """End the session in TRIALIMG_SESSION."""
    from trialimg.services.sign_in import sign_out as signed_out

    signed_out(records, asked_secret("TRIALIMG_SESSION", "Session"))
    click.echo("the session has ended")


user.add_command(history)
user.add_command(list_users)
user.add_command(review)


def _grant(granted: str, trial: str, site: str, since: str = "", until: str = "") -> Grant:
    from trialimg.services.people import Grant, utc_moment

    moments = (utc_moment(text) if text else "" for text in (since, until))
    return Grant(Role(granted), trial, site, *moments)


def _tell_one_time(name: str, password: str, *, as_json: bool, is_administrator: bool) -> None:
    if as_json:
        print_json({"user": name, "one_time_password": password, "is_administrator": is_administrator})
        return
    if is_administrator:
        click.echo(f"{name} is the first user, and the administrator of this installation")
    click.echo(f"one-time password, shown this once: {password}\nnext: trialimg user password --as {name}")


def _is_accepted() -> bool:
    """Show the accountability policy to whoever sits at a terminal, and ask."""
    from trialimg.services.training import ACCOUNTABILITY

    if not sys.stdin.isatty():
        return False
    click.echo(f"Accountability policy, version {ACCOUNTABILITY.version}\n\n{ACCOUNTABILITY.text}\n", err=True)
    return click.confirm("Do you accept it, and sign this with your password and code?", err=True)
