"""People who can sign: passwords and codes without their cost, and desks without the walk up to them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import count

from tests.fakes.records import granted
from trialimg.core.access import Actor, Role
from trialimg.services.journal import Journal, Records
from trialimg.services.people_credentials import Proof, renew
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.training import write_acknowledgement

PASSWORD = "quiet tulip harbour 7"
ALWAYS = "now"
"""A code that is the right one at any time; once in each period of 30 s, as any other."""


class FakeIdentity:
    """Hashes fast; a code is the number of its period."""

    def __init__(self, generation: int = 1) -> None:
        self.generation = generation
        self.checked: list[str] = []
        self._numbers = count(1)

    def password_hash(self, password: str) -> bytes:
        return f"{self.generation}:{next(self._numbers)}:{_hashed(password)}".encode()

    def is_password(self, password: str, kept: bytes | None) -> bool:
        self.checked.append("password")
        return kept is not None and kept.decode().split(":")[2] == _hashed(password)

    def is_outdated(self, kept: bytes) -> bool:
        return int(kept.decode().split(":")[0]) < self.generation

    def new_seed(self) -> bytes:
        return f"seed {next(self._numbers)}".encode()

    def enrolment(self, seed: bytes, user: str) -> str:
        return f"otpauth://totp/trialimg:{user}?secret={seed.decode()}"

    def code_step(self, code: str, seed: bytes | None, at: datetime) -> int | None:
        self.checked.append("code")
        present = period(at)
        given = present if code == ALWAYS else int(code) if code.isdigit() else -9
        return given if seed is not None and abs(given - present) <= 1 else None

    def new_token(self) -> str:
        return hashlib.sha256(f"token {next(self._numbers)}".encode()).hexdigest()


def period(at: datetime) -> int:
    """Periods of 30 s since 1970."""
    return int(at.timestamp()) // 30


def at_desk(records: Records, user: str, role: Role, *, trial: str = "*", site: str = "") -> tuple[Actor, Proof]:
    """A signed-in user with a role, a password and the accountability policy signed, and what they sign with."""
    identity = FakeIdentity()
    granted(records, user, role, trial=trial, site=site)
    token = session_token(f"{user} {role.value}", identity.new_token())
    actor = Actor(user, role, session_key(token))
    with records.store.changing() as transaction:
        journal = Journal(transaction, actor, records)
        renew(journal, user, identity, PASSWORD)
        open_session(journal, token, step=None, is_command=False)
        write_acknowledgement(journal, ("password", "code"))
    return actor, Proof(PASSWORD, ALWAYS, identity)


def _hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
