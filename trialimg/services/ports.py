"""What the use cases need from the world; adapters implement these, `bootstrap` brings them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from trialimg.core.experience import Experience
from trialimg.core.prompts import Prompt
from trialimg.ledger.bundle_reader import Line
from trialimg.ledger.entry import Entry
from trialimg.ledger.findings import Finding
from trialimg.ledger.keypair import KeyPair
from trialimg.ledger.merkle import Node
from trialimg.ledger.sealed import Redacted, Sealed
from trialimg.services.images import ContourSet, ImageIndex, SeriesRecord
from trialimg.services.records import EntryQuery, Place, RecordVersion
from trialimg.services.results import TrialResult
from trialimg.services.sample_scan import CtScan, Drawing
from trialimg.volume import Mask, Volume

__all__ = [
    "BlobStore", "Clock", "DurableStore", "Executor", "ExplainableSegmenter", "Exporter", "FeatureExtractor",
    "Identity", "IdentityProvider", "ImageSource", "KeptBlobs", "KeyRing", "ProbabilisticSegmenter", "Progress",
    "ScanWriter", "Segmenter", "Store", "Transaction",
]  # fmt: skip

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Progress = Callable[[str, int, int], None]
"""Called with (what, done, of how many)."""


class ImageSource(Protocol):
    """Finds images in a folder and reads them."""

    def index(self, root: Path, *, progress: Progress | None = None) -> ImageIndex:
        """Every series and contour set below a folder; files that cannot be used become findings.

        Raises
        ------
        IntakeError
            If the folder does not exist or holds no image at all.
        """

    def volume(self, series: SeriesRecord, root: Path) -> Volume:
        """The voxels of a series in LPS mm and its physical unit (HU, SUV).

        Raises
        ------
        IntakeError
            If the series is not one whole regular stack (missing slices, mixed orientation), with the reason code.
        """

    def contours(self, contour_set: ContourSet, image: Volume, root: Path) -> Mapping[str, Mask]:
        """Region of each contour name, on the grid of the image that it was drawn on.

        Raises
        ------
        GeometryError
            If the contours lie outside of the image or between its slices.
        """


class Segmenter(Protocol):
    """Turns a prompt into the lesion's mask."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Changes whenever the same input may give another mask."""

    @property
    def model_digest(self) -> str:
        """Digest of the model's files; empty for a method without a model."""

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, defaults included."""

    def segment(self, image: Volume, prompt: Prompt) -> Mask:
        """The lesion that the prompt points at, label 1, on the image's grid; empty where nothing is found.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            If the model is absent, altered or cannot run on this image.
        """

    def follow(self, image: Volume, earlier: Volume, earlier_mask: Mask) -> Mask:
        """The same lesion in a later image, label 1; empty where it is gone, several parts where it split.

        Parameters
        ----------
        image
            The later image, or the part of it around the lesion.
        earlier, earlier_mask
            The earlier image and the lesion's mask in it, brought onto the grid of ``image`` by registration.

        Raises
        ------
        GeometryError
            If the three lie on different grids.
        ModelError
            As for `segment`.
        """


class ProbabilisticSegmenter(Segmenter, Protocol):
    """A segmenter that also says how sure it is of every voxel."""

    def probabilities(self, image: Volume, prompt: Prompt) -> Volume:
        """The chance, 0 to 1 as float32, that a voxel belongs to the lesion that the prompt points at.

        The answer lies on a grid of its own around the lesion, with the axes of the image; `segment` is the part at or
        above one half that the prompt touches, brought onto the image's grid. The same input gives the same digits.

        Raises
        ------
        GeometryError
            If the prompt lies outside of the image.
        ModelError
            As for `segment`.
        """

    def experience(self, prompt: Prompt) -> Experience | None:
        """How answers to this kind of prompt compared with the truth on lesions not learnt from; None: not known."""


class ExplainableSegmenter(Segmenter, Protocol):
    """A segmenter that also shows what in the image its lesion rests on."""

    def explanation(self, image: Volume, prompt: Prompt, *, method: str) -> Volume:
        """How much each place bears the lesion up, by ``occlusion`` or ``gradient``, on a grid of its own around it.

        Raises
        ------
        ModelError
            As for `segment`, and if there is no lesion to explain, or the method cannot be used with this model.
        """


class FeatureExtractor(Protocol):
    """Radiomic features of one region."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def parameters(self) -> Mapping[str, object]:
        """Every setting in force, defaults included."""

    def extract(self, image: Volume, mask: Mask, label: int) -> Mapping[str, float]:
        """Feature name to value; a feature that is undefined for this region is left out, never 0.

        Raises
        ------
        GeometryError
            If image and mask lie on different grids, or the label is not in the mask.
        """


class BlobStore(Protocol):
    """Bytes under a key, written whole or not at all."""

    def get(self, key: str) -> bytes | None:
        """The bytes, or None if the key is not there.

        Raises
        ------
        IntegrityError
            If the stored bytes are not those that were put.
        """

    def put(self, key: str, data: bytes) -> None:
        """Keep the bytes; a key that is there already keeps what it has."""


class KeptBlobs(BlobStore, Protocol):
    """Images and masks under the digest of what they are."""

    def every_key(self) -> Iterator[str]:
        """Every key, in order."""

    def replace(self, key: str, data: bytes) -> None:
        """Keep these bytes instead of those that are there."""

    def remove(self, key: str) -> None:
        """Forget the bytes; a key that is not there is no fault."""


class Transaction(Protocol):
    """The records as they are now, and as they will be when the transaction ends."""

    def current(self, kind: str, key: str) -> RecordVersion | None:
        """The latest version of a record, or None if there is no such record."""

    def version(self, kind: str, key: str, number: int) -> RecordVersion | None:
        """One version of a record, or None if there is no such version."""

    def versions(self, kind: str, key: str) -> Sequence[RecordVersion]:
        """Every version of a record, oldest first."""

    def find(self, kind: str, place: Place, *, after: str = "", limit: int | None = None) -> Iterator[RecordVersion]:
        """Latest versions of the records of a kind at a place, in order of id, beginning behind ``after``."""

    def count(self, kind: str, place: Place) -> int:
        """How many records `find` would give."""

    def size(self) -> int:
        """How many entries the ledger has."""

    def last(self, trial: str) -> Entry | None:
        """The latest entry of a trial, or of the installation where ``trial`` is empty."""

    def entries(self, asked: EntryQuery) -> Iterator[Entry]:
        """Entries of the ledger in their sequence."""

    def detail(self, sequence: int) -> Sealed | Redacted | None:
        """What an entry's ``detail`` commits to, ``{"reason": ...}``; None where it gives no reason."""

    def node(self, level: int, index: int) -> bytes:
        """A kept node of the Merkle tree; level 0 holds the leaves."""

    def lines(self, name: str) -> Iterator[Line]:
        """What a bundle's file of entries, records, details or checkpoints holds, as it is kept; nothing is judged."""

    def disagreements(self) -> Iterator[Finding]:
        """Where things that are kept twice, to be found faster, do not say the same: the tree, the latest versions."""

    def append(
        self, entry: Entry, *, detail: Sealed | None, nodes: Sequence[Node], version: RecordVersion | None
    ) -> None:
        """Keep an entry, what its ``detail`` commits to, the nodes that it adds to the tree, the version it made."""

    def tombstone(self, sequence: int, *, detail: Redacted | None, content: Redacted | None) -> None:
        """Put tombstones where the reason, or the record version, of an entry stood.

        Raises
        ------
        IntegrityError
            If the entry that a tombstone names does not justify it.
        """

    def checkpoints(self) -> Sequence[str]:
        """Every signed checkpoint in its JSON form, oldest first."""

    def keep_checkpoint(self, checkpoint: str) -> None: ...

    def secret(self, name: str) -> bytes | None:
        """Something that is never exported (a password's hash, a seed of codes); only its digest is a record."""

    def keep_secret(self, name: str, value: bytes | None) -> None:
        """Keep it instead of what was there; None forgets it."""


class Store(Protocol):
    """Where records are kept; what one transaction did is kept whole or not at all."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """The records at one moment. Nothing that is written in it is kept."""

    def changing(self) -> AbstractContextManager[Transaction]:
        """The records, while nobody else changes them; kept when the block ends, forgotten when it raises."""


class DurableStore(Store, Protocol):
    """Records that can be carried to another place."""

    @property
    def address(self) -> str:
        """Where they are, without a password."""

    def snapshot(self, target: Path) -> None:
        """Write all records of one moment into a new file."""

    def restore(self, snapshot: Path) -> None:
        """Take the records of a snapshot, whole or not at all.

        Raises
        ------
        TrialimgError
            If there are records already.
        """


class KeyRing(Protocol):
    """The private halves of the keys that sign checkpoints."""

    def make(self) -> KeyPair:
        """A new pair, which is kept."""

    def pair(self, key: str) -> KeyPair:
        """The pair with this id.

        Raises
        ------
        TrialimgError
            If it is not here.
        """


class Executor(Protocol):
    """Runs independent work, in this process or in others."""

    def map(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
        """Answers in the order of the items, as they come."""


class Exporter(Protocol):
    """Writes a trial's results in one form."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Changes whenever the same results may be written in another way."""

    def export(self, result: TrialResult, out: Path) -> tuple[Path, ...]:
        """Write into an existing folder; the files written. Same result, same bytes."""


class ScanWriter(Protocol):
    """Writes the images of a synthetic trial. Same scan, same bytes."""

    def write_scan(self, scan: CtScan, folder: Path) -> None:
        """Write one file per kept slice into a folder, which is made."""

    def write_drawing(self, drawing: Drawing, path: Path) -> None:
        """Write a reader's regions as one file."""


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Aware, in UTC."""


class Identity(Protocol):
    """What people prove themselves by: made and checked here, kept by others."""

    def password_hash(self, password: str) -> bytes:
        """What is kept instead of the password; another one each time."""

    def is_password(self, password: str, kept: bytes | None) -> bool:
        """True if the hash is that of the password; as slow where there is no hash as where there is one."""

    def is_outdated(self, kept: bytes) -> bool:
        """True if the hash was made with weaker parameters than those in force."""

    def new_seed(self) -> bytes:
        """What a person's one-time codes are computed from."""

    def enrolment(self, seed: bytes, user: str) -> str:
        """The ``otpauth`` address by which an authenticator takes the seed over."""

    def code_step(self, code: str, seed: bytes | None, at: datetime) -> int | None:
        """Number of the period that the code belongs to; None if it is no code of this time or its neighbours."""

    def new_token(self) -> str:
        """256 random bits as text that fits into an address."""


class IdentityProvider(Protocol):
    """A sign-in server that says who somebody is, never what they may do."""

    @property
    def issuer(self) -> str: ...

    def subject(self, id_token: str, *, nonce: str, at: datetime) -> str:
        """Whom the token speaks of, by the issuer's own identifier.

        Raises
        ------
        AccessError
            If the token is not signed by the issuer, is not for us or for this sign-in, or is not of this time.
        """
