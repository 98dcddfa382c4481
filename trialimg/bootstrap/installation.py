"""The records of an installation, what is kept beside them, and who is at work on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trialimg.bootstrap.folders import make_folder
from trialimg.bootstrap.images import image_source

if TYPE_CHECKING:
    from trialimg.services.decoded_slices import DecodedSlices
    from trialimg.services.demonstration import Demonstration
    from trialimg.services.journal import Records
    from trialimg.services.ports import (
        Identity,
        IdentityProvider,
        KeptBlobs,
        Progress,
    )
    from trialimg.services.prompted import KeptMasks
    from trialimg.services.store_backup import Storage
    from trialimg.services.viewing import KeptSeries

__all__ = [
    "blobs",
    "demonstrate",
    "identity",
    "identity_provider",
    "kept_masks",
    "kept_series",
    "migrate_records",
    "new_blob_key",
    "records",
    "storage",
]


def records(home: Path, database: str | None = None) -> Records:
    """The records of an installation; made where there are none.

    Parameters
    ----------
    home
        Folder of the installation; its ``records.sqlite`` holds the records unless a database is named.
    database
        Address of the database: ``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/NAME``.

    Raises
    ------
    TrialimgError
        If they cannot be reached, or are kept in tables of another version.
    """
    from secrets import token_hex

    from trialimg import __version__
    from trialimg.adapters.identity.clock import SystemClock
    from trialimg.adapters.store.installation import secret_seal
    from trialimg.adapters.store.sql import SqlStore
    from trialimg.ledger.sealed import SALT_BYTES
    from trialimg.services.journal import Records

    store = SqlStore(database or home / "records.sqlite", secret_seal(home))
    return Records(store, SystemClock(), lambda: token_hex(SALT_BYTES), f"trialimg {__version__}")


def migrate_records(home: Path, database: str | None = None) -> tuple[str, str]:
    """Bring the records' tables to this software's version; the version before (empty: none) and after."""
    from trialimg.adapters.store.installation import secret_seal
    from trialimg.adapters.store.sql import migrate

    return migrate(database or home / "records.sqlite", secret_seal(home))


def kept_series(home: Path, *, at_hand: DecodedSlices | None = None) -> KeptSeries:
    """The images of an installation as viewers get them, encrypted where its blobs are.

    Parameters
    ----------
    at_hand
        Where a server keeps the slices that it decoded lately.
    """
    from trialimg.adapters.store.installation import encoded_slices
    from trialimg.services.viewing import KeptSeries

    make_folder(home / "images")
    return KeptSeries(encoded_slices(home), at_hand)


def kept_masks(home: Path) -> KeptMasks:
    """The masks that reads refer to as their evidence: among the blobs that are encrypted, backed up and verified."""
    from trialimg.services.prompted import KeptMasks

    return KeptMasks(blobs(home))


def storage(records: Records, home: Path) -> Storage:
    """The records with the blobs and signing keys of their installation, to be backed up, restored and purged."""
    from trialimg.adapters.store.installation import open_storage

    return open_storage(records, home)


def blobs(home: Path) -> KeptBlobs:
    """Images and masks of an installation, decrypted where they are encrypted."""
    from trialimg.adapters.store.installation import readable_blobs

    return readable_blobs(home)


def new_blob_key(home: Path) -> int:
    """Encrypt blobs from now on under a new key; how many blobs' own keys were wrapped anew."""
    from trialimg.adapters.store.installation import new_blob_key

    return new_blob_key(home)


def identity() -> Identity:
    """What passwords and one-time codes are made and checked by."""
    from trialimg.adapters.identity.local import LocalIdentity

    return LocalIdentity()


def identity_provider(issuer: str, *, client: str, keys: str) -> IdentityProvider:
    """A sign-in server that speaks OpenID Connect.

    Parameters
    ----------
    issuer, client
        As its tokens name them.
    keys
        Its public keys: a JWKS file, or an address by https.

    Raises
    ------
    TrialimgError
        If the keys cannot be read.
    """
    from trialimg.adapters.identity.oidc import OidcProvider, keys_from

    return OidcProvider(issuer, client, keys_from(keys))


def demonstrate(
    home: Path, protocol: Path, *, run: Path, studies: Path, aligns: bool = True, progress: Progress | None = None
) -> Demonstration:
    """Make an empty installation a demonstration of a finished run: accounts, trial, cases, images.

    Parameters
    ----------
    aligns
        Whether visits are aligned at once; else whoever asks does it by `align_visits`.

    Raises
    ------
    TrialimgError
        If the installation has users already, or the run or its studies are not there.
    """
    import pyotp

    from trialimg.adapters.store.blobs import DirectoryBlobStore
    from trialimg.services.case_images import CaseImages
    from trialimg.services.demonstration import Material, bring_in, prepare
    from trialimg.services.finished import open_run

    finished = open_run(run)
    kept = records(home)
    text = protocol.read_text(encoding="utf-8")
    made = prepare(kept, identity(), text, code_at=lambda seed, moment: pyotp.TOTP(seed).at(moment))
    made.save(home / "demo-accounts.json")
    work = DirectoryBlobStore(run / "work")
    blobs = (data for key in work.keys() if (data := work.get(key)) is not None)  # noqa: SIM118  not a mapping
    material = Material(finished, studies, image_source(), blobs)
    images = CaseImages(kept, kept_series(home))
    bring_in(kept, made, material, images=images, masks=kept_masks(home), progress=progress)
    make_folder(home / "runs")
    (home / "runs" / made.trial).symlink_to(run.resolve(), target_is_directory=True)
    if aligns:
        align_visits(home, progress=progress)
    return made


def align_visits(home: Path, *, progress: Progress | None = None) -> None:
    """Align the visits of every case whose images are there, and look for new lesions; what is done is left alone.

    Raises
    ------
    IntegrityError
        If slices of a kept series are missing.
    """
    from trialimg.services.new_lesion_proposals import propose_new_lesions
    from trialimg.services.records import Place
    from trialimg.services.visit_alignment import VisitAlignments

    kept, series = records(home), kept_series(home)
    alignments = VisitAlignments(series, series.store)
    alignments.align_cases(kept, Place(), progress=progress)
    propose_new_lesions(kept, Place(), alignments, progress=progress)
