"""What every blob store promises."""

from __future__ import annotations

import uuid

import pytest

from tests.fakes.store import MemoryBlobStore
from trialimg.adapters.store.blobs import DirectoryBlobStore
from trialimg.adapters.store.remote_blobs import RemoteBlobStore
from trialimg.adapters.store.sealed_blobs import KeyEncryptionKeys, SealedBlobStore
from trialimg.core.digest import digest_of
from trialimg.core.errors import IntegrityError, TrialimgError

KEY = digest_of(b"key")
KEK, OTHER_KEK = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture(params=["memory", "directory", "encrypted", "remote", "encrypted remote"])
def store(request, tmp_path):
    kind = request.param.removeprefix("encrypted").strip()
    inner = {
        "memory": MemoryBlobStore,
        "directory": lambda: DirectoryBlobStore(tmp_path),
        "": lambda: DirectoryBlobStore(tmp_path),
        "remote": lambda: RemoteBlobStore(f"memory://{uuid.uuid4().hex}"),
    }[kind]()
    return SealedBlobStore(inner, KeyEncryptionKeys((KEK,))) if request.param.startswith("encrypted") else inner


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


def test_what_is_replaced_is_gone(store):
    store.put(KEY, b"first")
    store.replace(KEY, b"second")
    assert store.get(KEY) == b"second"


def test_what_is_removed_is_not_there_and_can_be_put_again(store):
    store.remove(KEY)
    store.put(KEY, b"first")
    store.remove(KEY)
    assert store.get(KEY) is None
    store.put(KEY, b"second")
    assert store.get(KEY) == b"second"


def test_every_key_is_listed_in_order(store):
    keys = [digest_of(str(number).encode()) for number in range(20)]
    assert list(store.every_key()) == []
    for key in keys:
        store.put(key, b"data")
    assert list(store.every_key()) == sorted(keys)


def test_an_altered_file_is_named_not_used(tmp_path):
    store = DirectoryBlobStore(tmp_path)
    store.put(KEY, b"true")
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file())
    path.write_bytes(path.read_bytes().replace(b"true", b"fake"))
    with pytest.raises(IntegrityError, match=path.name):
        store.get(KEY)


def test_an_altered_object_is_named_not_used():
    store = RemoteBlobStore(f"memory://{uuid.uuid4().hex}")
    store.put(KEY, b"true")
    path = store._path(KEY)
    store._files.pipe_file(path, store._files.cat_file(path).replace(b"true", b"fake"))
    with pytest.raises(IntegrityError, match=KEY[-10:]):
        store.get(KEY)


def test_what_a_killed_process_left_is_never_read_and_is_swept_up(tmp_path):
    store = DirectoryBlobStore(tmp_path)
    store.put(KEY, b"whole")
    (whole,) = (p for p in tmp_path.rglob("*") if p.is_file())
    half = whole.with_name(".partial-abc")
    half.write_bytes(b"half")
    assert list(store.every_key()) == [KEY]
    assert store.sweep() == 1
    assert not half.exists()
    assert store.get(KEY) == b"whole"


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "sha256:", "a/b"])
def test_a_key_cannot_leave_the_folder(tmp_path, key):
    for store in (DirectoryBlobStore(tmp_path), RemoteBlobStore("memory://here")):
        with pytest.raises(IntegrityError):
            store.get(key)


@pytest.fixture
def inner(tmp_path):
    return DirectoryBlobStore(tmp_path)


def sealed(inner, *keys: bytes) -> SealedBlobStore:
    return SealedBlobStore(inner, KeyEncryptionKeys(keys))


def test_nothing_of_a_sealed_blob_is_readable_and_no_two_are_alike(inner):
    one, two = digest_of(b"1"), digest_of(b"2")
    for key in (one, two):
        sealed(inner, KEK).put(key, b"a face in the image" * 10)
    assert b"a face" not in inner.get(one)
    assert inner.get(one) != inner.get(two)
    assert len(inner.get(one)) < len(b"a face in the image" * 10) + 120


def test_every_flipped_byte_of_a_sealed_blob_is_found(inner):
    sealed(inner, KEK).put(KEY, b"image")
    stored = inner.get(KEY)
    for place in range(len(stored)):
        inner.replace(KEY, stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :])
        with pytest.raises(IntegrityError):
            sealed(inner, KEK).get(KEY)
    for length in range(len(stored)):
        inner.replace(KEY, stored[:length])
        with pytest.raises(IntegrityError):
            sealed(inner, KEK).get(KEY)


def test_a_sealed_blob_under_another_name_is_refused(inner):
    sealed(inner, KEK).put(KEY, b"image")
    other = digest_of(b"other")
    inner.put(other, inner.get(KEY))
    with pytest.raises(IntegrityError):
        sealed(inner, KEK).get(other)


def test_a_wrong_key_is_refused(inner):
    sealed(inner, KEK).put(KEY, b"image")
    with pytest.raises(IntegrityError, match="none of the key-encryption keys"):
        sealed(inner, OTHER_KEK).get(KEY)


def test_rotation_wraps_the_keys_anew_and_leaves_the_sealed_bytes(inner):
    sealed(inner, KEK).put(KEY, b"image")
    before = inner.get(KEY)
    both = sealed(inner, KEK, OTHER_KEK)
    assert both.get(KEY) == b"image"
    assert both.wrap_anew() == 1
    assert both.wrap_anew() == 0
    assert sealed(inner, OTHER_KEK).get(KEY) == b"image"
    after = inner.get(KEY)
    assert after != before
    assert after[-20:] == before[-20:]
    with pytest.raises(IntegrityError):
        sealed(inner, KEK).get(KEY)


def test_keys_come_from_the_environment_or_a_file(tmp_path, monkeypatch):
    path = tmp_path / "blobs.keys"
    assert KeyEncryptionKeys.find(path) is None
    path.write_text(f"{KEK.hex()}\n{OTHER_KEK.hex()}\n")
    assert KeyEncryptionKeys.find(path).keys == (KEK, OTHER_KEK)
    monkeypatch.setenv("TRIALIMG_BLOB_KEYS", OTHER_KEK.hex())
    assert KeyEncryptionKeys.find(path).keys == (OTHER_KEK,)
    assert OTHER_KEK.hex() not in repr(KeyEncryptionKeys.find(path))
    monkeypatch.setenv("TRIALIMG_BLOB_KEYS", "too short")
    with pytest.raises(TrialimgError, match="TRIALIMG_BLOB_KEYS"):
        KeyEncryptionKeys.find(path)


def test_a_place_that_no_library_reaches_is_refused():
    with pytest.raises(TrialimgError, match="nowhere"):
        RemoteBlobStore("nowhere://bucket")


def test_what_was_kept_in_the_clear_can_be_sealed_where_it_lies(inner):
    inner.put(KEY, b"a face in the image")
    store = sealed(inner, KEK)
    with pytest.raises(IntegrityError, match="before encryption began"):
        store.get(KEY)
    assert store.seal_all() == 1
    assert store.seal_all() == 0
    assert store.get(KEY) == b"a face in the image"
    assert b"a face" not in inner.get(KEY)
