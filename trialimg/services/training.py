"""Who was trained for which charter, and who accepted to answer for what is done under their name."""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.core.access import Action, Actor
from trialimg.core.errors import AccessError
from trialimg.services.authority import USER
from trialimg.services.journal import Journal, Records
from trialimg.services.ports import Transaction
from trialimg.services.records import Place, RecordVersion
from trialimg.services.signatures import signature_of, write_signature

__all__ = [
    "ACCOUNTABILITY",
    "ACKNOWLEDGEMENT",
    "TRAINING",
    "AccountabilityPolicy",
    "has_acknowledged",
    "record_training",
    "require_fit_to_read",
    "training_key",
    "write_acknowledgement",
]

TRAINING = "training"
"""Kind of a record: a user was trained for one version of a trial's charter; its place's person is the user."""
ACKNOWLEDGEMENT = "acknowledgement"
"""Kind of a record: a user accepted one version of the accountability policy, and signed it."""


@dataclass(frozen=True)
class AccountabilityPolicy:
    """What everybody accepts, and signs, before the first session."""

    version: str
    text: str
    meaning: str


ACCOUNTABILITY = AccountabilityPolicy(
    "1",
    "My electronic signature binds me as my handwritten one does. I alone use my name, password and second factor; I "
    "give them to nobody, and I say at once if one of them may be known to somebody else. I answer for everything "
    "that is done and signed under my name.",
    "I have read the accountability policy and accept it",
)


def record_training(
    records: Records, actor: Actor, user: str, *, trial: str, charter_version: str, what: str
) -> RecordVersion:
    """Keep that a user was trained, by the word of an analyst or administrator.

    Raises
    ------
    AccessError
        If there is no such active user, or people vouch for themselves.
    """
    with records.change(actor, Action.RECORD_TRAINING, trial=trial) as journal:
        person = journal.transaction.current(USER, user)
        if person is None or person.place.state != "active":
            raise AccessError(f"{user} is not an active user")
        if user == actor.user:
            raise AccessError("nobody records their own training; somebody else has to")
        if not what.strip():
            raise AccessError("say what the training was: its title, its date, its result")
        body = {"user": user, "charter_version": charter_version, "what": what, "trainer": actor.user}
        key, place = training_key(user, trial, charter_version), Place(trial=trial, person=user, state="valid")
        return journal.write(TRAINING, key, body, action="record_training", place=place)


def training_key(user: str, trial: str, charter_version: str) -> str:
    """The identifier of the record that a user was trained for a charter version."""
    return f"{user}/{trial}/{charter_version}"


def write_acknowledgement(journal: Journal, components: tuple[str, ...]) -> None:
    """Keep, signed, that the actor accepts the accountability policy; they have just proved who they are."""
    body = {"user": journal.actor.user, "policy": ACCOUNTABILITY.version, "text": ACCOUNTABILITY.text}
    place = Place(person=journal.actor.user, state="valid")
    key = f"{journal.actor.user}/{ACCOUNTABILITY.version}"
    version = journal.write(ACKNOWLEDGEMENT, key, body, action="acknowledge", place=place)
    write_signature(journal, version, ACCOUNTABILITY.meaning, components)


def has_acknowledged(transaction: Transaction, user: str) -> bool:
    """True if the user signed the policy in force, and the signature holds."""
    version = transaction.current(ACKNOWLEDGEMENT, f"{user}/{ACCOUNTABILITY.version}")
    signature = signature_of(transaction, version) if version is not None else None
    return signature is not None and signature.is_valid and signature.user == user


def require_fit_to_read(transaction: Transaction, user: str, trial: str, charter_version: str) -> None:
    """Go on only with a reader or adjudicator who may be given cases.

    Raises
    ------
    AccessError
        If they were not trained for this version of the charter, or have not signed the accountability policy.
    """
    training = transaction.current(TRAINING, training_key(user, trial, charter_version))
    if training is None or training.place.state != "valid":
        raise AccessError(f"{user} has no training for version {charter_version} of the charter of {trial}; record it")
    if not has_acknowledged(transaction, user):
        raise AccessError(f"{user} has not signed the accountability policy; it is shown at their first sign-in")
