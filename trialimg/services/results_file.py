"""The results of a finished run, read back from its `results.json`."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from trialimg.core import responses
from trialimg.core.digest import digest_of
from trialimg.core.errors import IntegrityError
from trialimg.endpoints.vocabulary import CRITERIA
from trialimg.services.ports import BlobStore
from trialimg.services.results import KeyImage, TrialResult

__all__ = ["keep_pixels", "read_result"]

_PIXELS = "key image"
_FAMILIES = tuple(
    family
    for _, family in inspect.getmembers(responses, inspect.isclass)
    if issubclass(family, Enum) and family is not Enum
)
"""Everything that a response can be, where the criterion's own family does not have the word."""
Grey = npt.NDArray[np.uint8]


def read_result(document: Mapping[str, Any], pixels: BlobStore | None = None) -> TrialResult:
    """The results as they were before they were written.

    Parameters
    ----------
    document
        The content of `results.json`.
    pixels
        Where `keep_pixels` kept those of the key images; without them there are no key images.

    Raises
    ------
    IntegrityError
        If it is no document of results.
    """
    try:
        reader = _Reader(_words_of(document["criterion"]), lambda digest: _pixels(pixels, digest))
        answer: TrialResult = reader.read(TrialResult, document)
    except (KeyError, TypeError, ValueError) as fault:
        raise IntegrityError(f"results.json is no document of results of this release ({fault})") from fault
    return answer


def keep_pixels(result: TrialResult, store: BlobStore) -> None:
    """Keep the pixels of every key image by the digest that stands for them in `results.json`."""
    for image in _images(result):
        data = io.BytesIO()
        np.save(data, image.grey, allow_pickle=False)
        store.put(_key(digest_of(image.grey.tobytes())), data.getvalue())


def _images(result: TrialResult) -> Iterator[KeyImage]:
    for subject in result.subjects:
        for at in subject.timepoints:
            yield from (lesion.key_image for lesion in at.lesions if lesion.key_image is not None)


def _key(digest: str) -> str:
    return digest_of({"stage": _PIXELS, "pixels": digest})


def _pixels(store: BlobStore | None, digest: str) -> Grey | None:
    data = store.get(_key(digest)) if store is not None else None
    if data is None:
        return None
    grey: Grey = np.load(io.BytesIO(data), allow_pickle=False)
    return grey


def _words_of(criterion: str) -> Callable[[str], Enum]:
    """A word of a response where only the criterion says whose it is."""
    known = CRITERIA.get(criterion)
    families: list[type[Enum]] = [known.vocabulary.words] if known is not None else []
    families += _FAMILIES

    def word(said: str) -> Enum:
        for family in families:
            if said in {member.value for member in family}:
                return family(said)
        raise ValueError(f"{said!r} is no word of {criterion}")

    return word


class _Reader:
    """Builds values of a type from JSON."""

    def __init__(self, word: Callable[[str], Enum], pixels: Callable[[str], Grey | None]) -> None:
        self._word = word
        self._pixels = pixels

    def read(self, kind: Any, value: Any) -> Any:
        """A value of a type."""
        if value is None or kind is Any:
            return value
        if kind is KeyImage:
            return self._key_image(value)
        if is_dataclass(kind) and isinstance(kind, type):
            return self._record(kind, value)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._word(value) if kind is Enum else kind(value)
        if kind is Decimal:
            return Decimal(value)
        if kind in (dt.date, dt.datetime):
            return kind.fromisoformat(value)
        return self._collection(kind, value)

    def _collection(self, kind: Any, value: Any) -> Any:
        origin, parts = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return self._one_of([part for part in parts if part is not type(None)], value)
        if origin is tuple:
            if len(parts) == 2 and parts[1] is Ellipsis:
                return tuple(self.read(parts[0], item) for item in value)
            return tuple(self.read(part, item) for part, item in zip(parts, value, strict=True))
        if isinstance(value, Mapping):
            inner = parts[1] if len(parts) > 1 else Any
            return {key: self.read(inner, item) for key, item in value.items()}
        return value

    def _one_of(self, kinds: list[Any], value: Any) -> Any:
        """A value of the first of several types that it fits."""
        for kind in kinds[:-1]:
            try:
                return self.read(kind, value)
            except (TypeError, ValueError):
                continue
        return self.read(kinds[-1], value)

    def _record(self, kind: type, value: Mapping[str, Any]) -> Any:
        hints = _hints(kind)
        return kind(**{f.name: self.read(hints[f.name], value[f.name]) for f in fields(kind) if f.name in value})

    def _key_image(self, value: Mapping[str, Any]) -> KeyImage | None:
        grey = self._pixels(value["pixels"])
        if grey is None:
            return None
        hints = _hints(KeyImage)
        return KeyImage(grey=grey, **{k: self.read(hints[k], item) for k, item in value.items() if k != "pixels"})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
