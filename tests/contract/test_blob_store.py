"""What every blob store promises."""

from __future__ import annotations

import pytest

from tests.fakes.store import MemoryBlobStore
from trialimg.adapters.store.blobs import DirectoryBlobStore
from trialimg.core.digest import digest_of
from trialimg.core.errors import IntegrityError

KEY = digest_of(b"key")


@pytest.fixture(params=["memory", "directory"])
def store(request, tmp_path):
    return MemoryBlobStore() if request.param == "memory" else DirectoryBlobStore(tmp_path)


def test_a_key_that_was_never_put_is_none(store):
    assert store.get(KEY) is None


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 1000])
def test_bytes_come_back_whole(store, data):
    store.put(KEY, data)
    assert store.get(KEY) == data


def test_a_key_keeps_what_it_has(store):
    store.put(KEY, b"first")
    store.put(KEY, b"second")
    assert store.get(KEY) == b"first"


def test_an_altered_file_is_named_not_used(tmp_path):
    store = DirectoryBlobStore(tmp_path)
    store.put(KEY, b"true")
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.write_bytes(path.read_bytes().replace(b"true", b"fake"))
    with pytest.raises(IntegrityError, match=path.name):
        store.get(KEY)


def test_what_a_killed_process_left_is_never_read_and_is_swept_up(tmp_path):
    store = DirectoryBlobStore(tmp_path)
    store.put(KEY, b"whole")
    (whole,) = (p for p in tmp_path.rglob("*") if p.is_file())
    half = whole.with_name(".partial-abc")
    half.write_bytes(b"half")
    assert store.sweep() == 1
    assert not half.exists()
    assert store.get(KEY) == b"whole"


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "sha256:", "a/b"])
def test_a_key_cannot_leave_the_folder(tmp_path, key):
    with pytest.raises(IntegrityError):
        DirectoryBlobStore(tmp_path).get(key)
