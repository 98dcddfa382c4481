"""Are the live records what was written, and what was signed?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from trialimg.core.digest import digest_of
from trialimg.core.errors import IntegrityError, InvalidValueError, TrialimgError
from trialimg.ledger.checkpoint import SignedCheckpoint
from trialimg.ledger.findings import Finding, Report
from trialimg.ledger.keypair import KeyPair
from trialimg.ledger.keys import EndorsedKeys, KeyHistory
from trialimg.ledger.verifier import verify_ledger
from trialimg.services.people_credentials import CREDENTIAL, kept_credential
from trialimg.services.ports import KeptBlobs, Store, Transaction
from trialimg.services.records import Place
from trialimg.services.store_checkpoints import key_history

__all__ = ["Known", "unreadable", "verify_store"]

_UNSIGNED = "unsigned"
"""What the verifier of bundles finds where no checkpoint covers the last entries: in a live store that is usual."""


@dataclass(frozen=True)
class Known:
    """What an outsider has kept."""

    trusted_keys: Collection[str] | None = None
    """Ids of key pairs; None compares with nothing."""
    checkpoint: SignedCheckpoint | None = None
    """Without it, an old state put back cannot be seen."""


def verify_store(store: Store, blobs: KeptBlobs | None = None, known: Known | None = None) -> Report:
    """Everything in the records, and in the images and masks, that is not as it was written and signed.

    Notes
    -----
    Entries after the last checkpoint are checked by their chain and by the kept tree alone.
    """
    known = known or Known()
    findings: list[Finding] = []
    try:
        with store.reading() as transaction:
            report = _ledger(transaction, known, findings)
            findings += transaction.disagreements()
            findings += _secrets(transaction)
    except IntegrityError as wrong:
        report = unreadable(str(wrong))
        findings += report.findings
    findings += _blobs(blobs) if blobs is not None else ()
    return replace(report, findings=tuple(dict.fromkeys(findings)))


def unreadable(because: str) -> Report:
    """The answer where nothing can be read any more."""
    finding = Finding("unreadable", "records", because)
    return Report((finding,), 0, 0, 0, 0, 0, 0, 0, "", "", "", is_trusted=False)


def _ledger(transaction: Transaction, known: Known, findings: list[Finding]) -> Report:
    try:
        history = key_history(transaction)
    except (IntegrityError, InvalidValueError) as wrong:
        findings.append(Finding("bad_keys", "installation", str(wrong)))
        history = None
    report = verify_ledger(transaction.lines, history or _nobody(), known.trusted_keys, known.checkpoint)
    findings += (found for found in report.findings if found.what != _UNSIGNED)
    return report


def _nobody() -> KeyHistory:
    """Keys that never signed anything: where there are none, whatever is signed was signed by someone else."""
    return KeyHistory((EndorsedKeys(KeyPair.generate().public, 0, "1970-01-01T00:00:00+00:00"),))


def _secrets(transaction: Transaction) -> Iterator[Finding]:
    users = [credential.id for credential in transaction.find(CREDENTIAL, Place())]
    for user in users:
        try:
            kept_credential(transaction, user)
        except IntegrityError as wrong:
            yield Finding("altered_secret", f"credential of {user}", str(wrong))
        except TrialimgError:  # the keys of secrets are elsewhere: a backup is restored without them all the same
            return
        except (LookupError, TypeError, AttributeError):  # an altered record may have any shape
            yield Finding("altered_secret", f"credential of {user}", "the record does not name its secrets any more")


def _blobs(blobs: KeptBlobs) -> Iterator[Finding]:
    for key in blobs.every_key():
        try:
            data = blobs.get(key)
            if data is not None and digest_of(data) != key:
                yield Finding("altered_file", f"blob {key}", "holds something else than its name says")
        except IntegrityError as wrong:
            yield Finding("altered_file", f"blob {key}", str(wrong))
        except TrialimgError as wrong:
            yield Finding("unreadable", f"blob {key}", str(wrong))
