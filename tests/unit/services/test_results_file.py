"""The results of a run, read back as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.fakes.results import trial_result
from trialimg.core.digest import canonical_json
from trialimg.core.errors import IntegrityError
from trialimg.services.document import document
from trialimg.services.results_file import keep_pixels, read_result


class Kept:
    """Bytes by key."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self.data.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.data.setdefault(key, data)


def test_what_was_written_reads_back_as_the_same_document_with_its_pictures() -> None:
    result, kept = trial_result(), Kept()
    keep_pixels(result, kept)
    written = json.loads(canonical_json(document(result)))
    again = read_result(written, kept)
    assert canonical_json(document(again)) == canonical_json(document(result))
    pairs = [
        (a.key_image, b.key_image)
        for one, other in zip(result.subjects, again.subjects, strict=True)
        for at, then in zip(one.timepoints, other.timepoints, strict=True)
        for a, b in zip(at.lesions, then.lesions, strict=True)
        if a.key_image is not None
    ]
    assert len(pairs) > 10
    assert all(b is not None and np.array_equal(a.grey, b.grey) for a, b in pairs if a is not None)


def test_without_the_finished_work_there_are_no_pictures_and_all_else_is_there() -> None:
    written = json.loads(canonical_json(document(trial_result())))
    again = read_result(written)
    assert all(r.key_image is None for s in again.subjects for t in s.timepoints for r in t.lesions)
    assert len(again.subjects) == 12


@pytest.mark.parametrize(
    "spoilt", [{}, {"criterion": "recist11"}, {"criterion": "recist11", "subjects": [{"subject": 3}]}]
)
def test_a_document_of_something_else_is_refused(spoilt: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="no document of results"):
        read_result(spoilt)
