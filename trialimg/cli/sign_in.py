"""Who is at the desk: every verb that touches the records asks here, by session token or by password and code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trialimg.core.access import Actor, Role

if TYPE_CHECKING:
    from trialimg.services.journal import Records
    from trialimg.services.signatures import Proof

__all__ = [
    "Desk",
    "asked_secret",
    "database_option",
    "desk_of",
    "home_option",
    "installation",
    "person_option",
    "role_option",
    "signed_in",
]

_PERSONS = [role.value for role in Role if role is not Role.DEVICE]

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path),
    envvar="TRIALIMG_HOME",
    default=Path("~/.trialimg"),
    help="Folder of the installation; default: $TRIALIMG_HOME, else ~/.trialimg.",
)
database_option = click.option(
    "--database", envvar="TRIALIMG_DATABASE_URL", help="Address of the database, where it is not in that folder."
)
person_option = click.option("--as", "user", metavar="USER", help="Your own name; else the session's.")
role_option = click.option("--role", type=click.Choice(_PERSONS), help="Role to work in, for those who hold several.")


@dataclass
class Desk:
    """The records, who is at work on them, and how they prove it once more when they sign."""

    records: Records
    actor: Actor
    given: Proof | None = field(default=None, repr=False)

    @cached_property
    def proof(self) -> Proof:
        """Password and code, asked for when somebody signs."""
        return self.given or _asked_proof(self.actor.user, may_omit_code=True)


def installation(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that say where the records are, and the records as its first argument."""

    @home_option
    @database_option
    @functools.wraps(command)
    def with_records(*arguments: Any, home: Path, database: str | None, **options: Any) -> Any:
        from trialimg.bootstrap import make_folder, records

        folder = home.expanduser()
        make_folder(folder)
        return command(records(folder, database), *arguments, **options)

    return with_records


def signed_in(role_hint: Role | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a verb the options by which somebody signs in, and their `Desk` as its first argument.

    A session token in TRIALIMG_SESSION (made by ``trialimg user sign-in``) is resumed; otherwise password and code,
    from TRIALIMG_PASSWORD and TRIALIMG_CODE or from hidden prompts, open a session for this command alone.

    Parameters
    ----------
    role_hint
        The role that the verb is for, where the user names none.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @installation
        @person_option
        @role_option
        @functools.wraps(command)
        def at_desk(records: Records, *arguments: Any, user: str | None, role: str | None, **options: Any) -> Any:
            with desk_of(records, user, Role(role) if role else None, role_hint) as desk:
                return command(desk, *arguments, **options)

        return at_desk

    return decorated


def asked_secret(variable: str, prompt: str, *, may_omit: bool = False) -> str:
    """Something that never stands on a command line: from the environment, or typed unseen."""
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        if may_omit:
            return ""
        raise click.UsageError(f"{prompt.lower()} is needed: set {variable}, or run this at a terminal")
    typed: str = click.prompt(prompt, hide_input=True, err=True, default="" if may_omit else None, show_default=False)
    return typed


def _asked_proof(user: str, *, may_omit_code: bool = False) -> Proof:
    from trialimg.bootstrap import identity
    from trialimg.services.signatures import Proof

    password = asked_secret("TRIALIMG_PASSWORD", f"Password of {user}")
    hint = "Code of your authenticator" + (" (nothing, if you signed in this session)" if may_omit_code else "")
    return Proof(password, asked_secret("TRIALIMG_CODE", hint, may_omit=may_omit_code), identity())


@contextmanager
def desk_of(records: Records, user: str | None, role: Role | None, hint: Role | None) -> Iterator[Desk]:
    """The desk of whoever signs in, by session or for this command.

    Parameters
    ----------
    user, role
        What was given on the command line.
    hint
        The role that the verb is for, where none was given.
    """
    from trialimg.services.sign_in import resume, sign_in, sign_out

    token = os.environ.get("TRIALIMG_SESSION")
    if token:
        actor = resume(records, token)
        if user not in (None, actor.user) or role not in (None, actor.role):
            raise click.UsageError(
                f"TRIALIMG_SESSION is a session of {actor.user} as {actor.role.value}; "
                "leave out --as and --role, or sign in anew"
            )
        yield Desk(records, actor)
        return
    if user is None:
        raise click.UsageError("say who you are: --as USER, or set TRIALIMG_SESSION to what trialimg user sign-in gave")
    proof = _asked_proof(user)
    opened = sign_in(records, user, proof, role=role or hint, is_command=True)
    try:
        yield Desk(records, opened.actor, proof)
    finally:
        sign_out(records, opened.token)
