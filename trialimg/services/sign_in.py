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
    Proof,
    Standing,
    challenge,
    consume_code,
    note_failure,
    raise_alarm,
    renew,
    settle,
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


@dataclass(frozen=True)
class SignedIn:
    """An open session."""

    actor: Actor
    token: str = field(repr=False)
    """Shown once; only its digest is kept."""


@dataclass(frozen=True)
class _Wish:
    """How somebody wants to be signed in."""

    role: Role | None
    accepts: str
    is_command: bool = False


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
    IntegrityError
        If the credential was altered outside of this software; an alarm is in the ledger.
    """
    with records.store.changing() as transaction:
        outcome = _attempt(records, transaction, user, proof, _Wish(role, accepts, is_command))
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
        found = _vouched(records, transaction, provider, (id_token, nonce, session_key(token)), role)
        opened = (
            _opened(records, transaction, found, token, None, _Wish(role, "")) if isinstance(found, Actor) else found
        )
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
    with records.store.changing() as transaction:
        outcome = _renewed(records, transaction, user, proof, new_password)
    if isinstance(outcome, TrialimgError):
        raise outcome
    return outcome


def binding_key(issuer: str, subject: str) -> str:
    """The identifier of the record that binds a sign-in server's subject to a user."""
    return f"{issuer} {subject}"


def _attempt(
    records: Records, transaction: Transaction, user: str, proof: Proof, wish: _Wish
) -> SignedIn | TrialimgError:
    standing = _checked(records, transaction, user, proof)
    if isinstance(standing, TrialimgError):
        return standing
    credential, at = transaction.current(CREDENTIAL, user), records.now()
    state = credential.place.state if credential else ""
    is_expired = credential is None or credential.body["expires_at"] <= at
    if state == "must_change" and standing.has_password and not is_expired:
        return AccessError("this password serves once: replace it first (trialimg user password)")
    if standing.step is None or standing.is_used or not standing.has_password or state != "valid":
        note_failure(Journal(transaction, SOFTWARE, records), user)
        return AccessError(_REFUSED)
    if is_expired:
        return AccessError("this password has expired: replace it first (trialimg user password)")
    role = _chosen(transaction, user, wish.role, at)
    if isinstance(role, AccessError):
        return role
    token = session_token(proof.identity.new_token(), proof.identity.new_token())
    actor = Actor(user, role, session_key(token))
    outcome = _opened(records, transaction, actor, token, standing.step, wish)
    if isinstance(outcome, SignedIn):
        settle(Journal(transaction, actor, records), user, proof)
    return outcome


def _checked(records: Records, transaction: Transaction, user: str, proof: Proof) -> Standing | TrialimgError:
    """What the proof is worth; for somebody who is no active user it is worth nothing."""
    journal = Journal(transaction, SOFTWARE, records)
    try:
        standing = challenge(transaction, user, proof, journal.at)
    except IntegrityError as altered:
        raise_alarm(journal, user, str(altered))
        return altered
    person = transaction.current(USER, user)
    is_active = person is not None and person.place.state == "active"
    return standing if is_active else Standing(has_password=False, step=None, is_used=False)


def _opened(
    records: Records, transaction: Transaction, actor: Actor, token: str, step: int | None, wish: _Wish
) -> SignedIn | TrialimgError:
    journal = Journal(transaction, actor, records)
    is_new = not has_acknowledged(transaction, actor.user)
    if is_new and (wish.accepts != ACCOUNTABILITY.version or step is None):
        return AccessError(
            f"{actor.user} has to sign version {ACCOUNTABILITY.version} of the accountability policy first: sign in "
            f"with password and code, and accept it (trialimg user sign-in)"
        )
    if step is not None:
        consume_code(transaction, actor.user, step)
    session = open_session(journal, token, step=step, is_command=wish.is_command)
    if is_new:
        mark_proved(journal, session)
        write_acknowledgement(journal, ("password", "code"))
    return SignedIn(actor, token)


def _vouched(
    records: Records,
    transaction: Transaction,
    provider: IdentityProvider,
    given: tuple[str, str, str],
    role: Role | None,
) -> Actor | TrialimgError:
    """The user that a sign-in server's token speaks of."""
    id_token, nonce, key = given
    journal = Journal(transaction, SOFTWARE, records)
    try:
        subject = provider.subject(id_token, nonce=nonce, at=records.clock.now())
    except AccessError as refused:
        journal.note("fail_sign_in", kind="sign_in", key="unknown", reason=str(refused))
        return refused
    binding = transaction.current(BINDING, binding_key(provider.issuer, subject))
    user = binding.place.person if binding is not None and binding.place.state == "valid" else ""
    person = transaction.current(USER, user)
    if person is None or person.place.state != "active" or transaction.current(SESSION, key) is not None:
        journal.note("fail_sign_in", kind="sign_in", key=user or "unknown")
        return AccessError("no open account is bound to this identity, or the token was used before")
    chosen = _chosen(transaction, user, role, journal.at)
    return chosen if isinstance(chosen, AccessError) else Actor(user, chosen, key)


def _chosen(transaction: Transaction, user: str, role: Role | None, at: str) -> Role | AccessError:
    """The role to work in, among those that somebody holds at this time."""
    held = _held(transaction, user, at)
    if role in held:
        return role
    if role is None and len(held) == 1:
        return held.pop()
    names = ", ".join(sorted(one.value for one in held)) or "none"
    return AccessError(f"{user} has to choose a role that they hold at this time ({names})")


def _held(transaction: Transaction, user: str, at: str) -> set[Role]:
    grants = [grant.body for grant in transaction.find(GRANT, Place(person=user, state="valid"))]
    return {Role(grant["role"]) for grant in grants if grant["since"] <= at < (grant["until"] or "9999")}


def _renewed(
    records: Records, transaction: Transaction, user: str, proof: Proof, new_password: str
) -> str | TrialimgError | None:
    standing = _checked(records, transaction, user, proof)
    if isinstance(standing, TrialimgError):
        return standing
    credential, at = transaction.current(CREDENTIAL, user), records.now()
    state = credential.place.state if credential else ""
    is_one_time = state == "must_change" and credential is not None and credential.body["expires_at"] > at
    has_code = standing.step is not None and not standing.is_used
    if not standing.has_password or not (is_one_time or (state == "valid" and has_code)):
        note_failure(Journal(transaction, SOFTWARE, records), user)
        return AccessError(_REFUSED)
    held = sorted(_held(transaction, user, at), key=lambda role: role.value)
    journal = Journal(transaction, Actor(user, held[0]) if held else SOFTWARE, records)
    try:
        address = renew(journal, user, proof.identity, new_password)
    except FaultsError as refused:
        return refused
    if standing.step is not None and has_code:
        consume_code(transaction, user, standing.step)
    close_sessions(journal, user, reason="password changed")
    return address
