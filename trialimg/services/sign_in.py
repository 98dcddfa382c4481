"""Signing in: who somebody is, in which role they work now; every failure is kept, none says what was wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, FaultsError, IntegrityError, TrialimgError
from trialimg.services.authority import GRANT, SESSION, USER
from trialimg.services.journal import Journal, Records
from trialimg.services.people_credentials import (
    CREDENTIAL,
    SOFTWARE,
    WORTHLESS,
    Proof,
    Standing,
    challenge,
    consume_code,
    note_failure,
    raise_alarm,
    renew,
    settle,
    still_standing,
)
from trialimg.services.people_sessions import (
    close_sessions,
    mark_proved,
    open_session,
    resume,
    session_key,
    session_token,
    sign_out,
)
from trialimg.services.ports import Identity, IdentityProvider, Transaction
from trialimg.services.records import Place
from trialimg.services.training import ACCOUNTABILITY, has_acknowledged, write_acknowledgement

__all__ = [
    "BINDING",
    "Proof",
    "SignedIn",
    "UnacknowledgedError",
    "binding_key",
    "change_password",
    "resume",
    "sign_in",
    "sign_in_by_provider",
    "sign_out",
]

BINDING = "binding"
"""Kind of a record: which user a sign-in server's subject is; state ``valid`` or ``revoked``."""

_REFUSED = (
    "name, password or code do not match, or the account is not open; several failures lock it until an administrator "
    "unlocks it"
)


class UnacknowledgedError(AccessError):
    """Somebody proved who they are, but has not signed the accountability policy in force."""


@dataclass(frozen=True)
class SignedIn:
    """An open session."""

    actor: Actor
    token: str = field(repr=False)
    """Shown once; only its digest is kept."""


def sign_in(
    records: Records, user: str, proof: Proof, *, role: Role | None = None, accepts: str = "", is_command: bool = False
) -> SignedIn:
    """Open a session for somebody who knows the password and has the second factor.

    Parameters
    ----------
    role
        The role to work in; may be left out by people who have one only.
    accepts
        Version of the accountability policy that the person accepts and signs by this sign-in; needed the first time.
    is_command
        For one command only; its proof may serve one signature too.

    Raises
    ------
    AccessError
        If they may not sign in; the message does not tell unknown names, wrong passwords and locked accounts apart.
    UnacknowledgedError
        If everything holds but the policy is not accepted; the code may serve once more, to accept it.
    IntegrityError
        If the credential was altered outside of this software; an alarm is in the ledger.
    """
    standing = _standing(records, user, proof)
    with records.store.changing() as transaction:
        door = _Door(records, transaction, accepts, is_command)
        outcome = door.admitted(user, proof, standing, role=role)
    if isinstance(outcome, TrialimgError):
        raise outcome
    return outcome


def sign_in_by_provider(
    records: Records,
    provider: IdentityProvider,
    identity: Identity,
    *,
    id_token: str,
    nonce: str,
    role: Role | None = None,
) -> SignedIn:
    """Open a session for somebody for whom a sign-in server speaks; who they are here, and their role, we say.

    Each token opens one session. Signing takes the person's own password and code all the same.

    Raises
    ------
    AccessError
        If the token does not hold or was used, no user is bound to its subject, or they may not sign in.
    """
    token = session_token(id_token, identity.new_token())
    with records.store.changing() as transaction:
        door = _Door(records, transaction)
        found = door.vouched(provider, id_token, nonce, session_key(token), role=role)
        opened = door.opened(found, token, step=None) if isinstance(found, Actor) else found
    if isinstance(opened, TrialimgError):
        raise opened
    return opened


def change_password(records: Records, user: str, proof: Proof, new_password: str) -> str | None:
    """Put one's own new password in force; ends every session.

    Returns
    -------
    str or None
        Where there was no second factor yet: the ``otpauth`` address for the authenticator, shown this once.

    Raises
    ------
    AccessError
        If the proof does not hold.
    FaultsError
        If the new password is easy to guess or was used before.
    IntegrityError
        If the credential was altered outside of this software.
    """
    standing = _standing(records, user, proof)
    with records.store.changing() as transaction:
        outcome = _Door(records, transaction).renewed(user, proof, standing, new_password)
    if isinstance(outcome, TrialimgError):
        raise outcome
    return outcome


def binding_key(issuer: str, subject: str) -> str:
    """The identifier of the record that binds a sign-in server's subject to a user."""
    return f"{issuer} {subject}"


def _standing(records: Records, user: str, proof: Proof) -> Standing:
    """What the proof is worth, found out while others may go on working."""
    with records.store.reading() as transaction:
        try:
            return challenge(transaction, user, proof, records.now())
        except IntegrityError:  # found again, and kept, where it can be written down
            return WORTHLESS


@dataclass(frozen=True)
class _Door:
    """One attempt to come in. A refusal is an answer, not raised, so that what is kept of the attempt is kept."""

    records: Records
    transaction: Transaction
    accepts: str = ""
    is_command: bool = False

    def admitted(self, user: str, proof: Proof, checked: Standing, *, role: Role | None) -> SignedIn | TrialimgError:
        """The session of somebody who gave password and code."""
        standing = self.confirmed(user, checked)
        if isinstance(standing, TrialimgError):
            return standing
        state, is_expired = self.credential(user)
        if state == "must_change" and standing.has_password and not is_expired:
            return AccessError("this password serves once: replace it first (trialimg user password)")
        if standing.step is None or standing.is_used or not standing.has_password or state != "valid":
            return self.failed(user)
        if is_expired:
            return AccessError("this password has expired: replace it first (trialimg user password)")
        chosen = self.chosen(user, role)
        if isinstance(chosen, AccessError):
            return chosen
        token = session_token(proof.identity.new_token(), proof.identity.new_token())
        actor = Actor(user, chosen, session_key(token))
        outcome = self.opened(actor, token, standing.step)
        if isinstance(outcome, SignedIn):
            settle(self.journal(actor), user, proof)
        return outcome

    def vouched(
        self, provider: IdentityProvider, id_token: str, nonce: str, key: str, *, role: Role | None
    ) -> Actor | TrialimgError:
        """The user that a sign-in server's token speaks of."""
        try:
            subject = provider.subject(id_token, nonce=nonce, at=self.records.clock.now())
        except AccessError as refused:
            self.journal().note("fail_sign_in", kind="sign_in", key="unknown", reason=str(refused))
            return refused
        binding = self.transaction.current(BINDING, binding_key(provider.issuer, subject))
        user = binding.place.person if binding is not None and binding.place.state == "valid" else ""
        if not self.is_active(user) or self.transaction.current(SESSION, key) is not None:
            self.journal().note("fail_sign_in", kind="sign_in", key=user or "unknown")
            return AccessError("no open account is bound to this identity, or the token was used before")
        chosen = self.chosen(user, role)
        return chosen if isinstance(chosen, AccessError) else Actor(user, chosen, key)

    def opened(self, actor: Actor, token: str, step: int | None) -> SignedIn | TrialimgError:
        """A session, once the accountability policy is signed."""
        journal = self.journal(actor)
        is_new = not has_acknowledged(self.transaction, actor.user)
        if is_new and (self.accepts != ACCOUNTABILITY.version or step is None):
            return UnacknowledgedError(
                f"{actor.user} has to sign version {ACCOUNTABILITY.version} of the accountability policy first: sign "
                "in with password and code, and accept it (trialimg user sign-in --accept "
                f"{ACCOUNTABILITY.version})"
            )
        if step is not None:
            consume_code(self.transaction, actor.user, step)
        session = open_session(journal, token, step=step, is_command=self.is_command)
        if is_new:
            mark_proved(journal, session)
            write_acknowledgement(journal, ("password", "code"))
        return SignedIn(actor, token)

    def renewed(self, user: str, proof: Proof, checked: Standing, new_password: str) -> str | TrialimgError | None:
        """The address of a new second factor, if there was none, once the password is replaced."""
        standing = self.confirmed(user, checked)
        if isinstance(standing, TrialimgError):
            return standing
        state, is_expired = self.credential(user)
        has_code = standing.step is not None and not standing.is_used
        may = (state == "must_change" and not is_expired) or (state == "valid" and has_code)
        if not standing.has_password or not may:
            return self.failed(user)
        held = sorted(self.held(user), key=lambda role: role.value)
        journal = self.journal(Actor(user, held[0]) if held else SOFTWARE)
        try:
            address = renew(journal, user, proof.identity, new_password)
        except FaultsError as refused:
            return refused
        if standing.step is not None:
            consume_code(self.transaction, user, standing.step)
        close_sessions(journal, user, reason="password changed")
        return address

    def confirmed(self, user: str, checked: Standing) -> Standing | IntegrityError:
        """What the proof is worth now; for somebody who is no active user it is worth nothing."""
        try:
            standing = still_standing(self.transaction, user, checked)
        except IntegrityError as altered:
            raise_alarm(self.journal(), user, str(altered))
            return altered
        return standing if self.is_active(user) else WORTHLESS

    def failed(self, user: str) -> AccessError:
        """The one answer to every failure, which is kept."""
        note_failure(self.journal(), user)
        return AccessError(_REFUSED)

    def credential(self, user: str) -> tuple[str, bool]:
        """The state of somebody's credential, and whether its time is over."""
        credential = self.transaction.current(CREDENTIAL, user)
        if credential is None:
            return "", True
        return credential.place.state, credential.body["expires_at"] <= self.records.now()

    def chosen(self, user: str, role: Role | None) -> Role | AccessError:
        """The role to work in, among those that somebody holds at this time."""
        held = self.held(user)
        if role in held:
            return role
        if role is None and len(held) == 1:
            return held.pop()
        names = ", ".join(sorted(one.value for one in held)) or "none"
        return AccessError(f"{user} has to choose a role that they hold at this time ({names})")

    def held(self, user: str) -> set[Role]:
        """The roles that somebody holds somewhere at this time."""
        at = self.records.now()
        grants = [grant.body for grant in self.transaction.find(GRANT, Place(person=user, state="valid"))]
        return {Role(grant["role"]) for grant in grants if grant["since"] <= at < (grant["until"] or "9999")}

    def is_active(self, user: str) -> bool:
        """True for a user who was not disabled."""
        person = self.transaction.current(USER, user)
        return person is not None and person.place.state == "active"

    def journal(self, actor: Actor = SOFTWARE) -> Journal:
        """What this actor writes in the attempt's transaction."""
        return Journal(self.transaction, actor, self.records)
