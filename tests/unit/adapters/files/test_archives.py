"""An archive is taken apart within limits, and no path of its own is followed."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from trialimg.adapters.files.archives import ArchiveLimits, unpacked
from trialimg.core.errors import IntakeError


@pytest.fixture
def into(tmp_path) -> Path:
    return tmp_path / "apart"


def archive(tmp_path: Path, *files: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files:
            made.writestr(name, data)
    return path


def codes(found) -> list[str]:
    return [one.fault.code if one.fault else "" for one in found]


def test_files_are_put_under_numbers_with_what_they_hold(tmp_path, into):
    found = list(unpacked(archive(tmp_path, ("a/b.dcm", b"one"), ("c.dcm", b"two")), into))
    assert [(one.name, one.path.name, one.path.read_bytes()) for one in found] == [
        ("a/b.dcm", "0", b"one"), ("c.dcm", "1", b"two"),
    ]  # fmt: skip


def test_a_file_that_is_no_archive_gives_nothing(tmp_path, into):
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(200))
    assert list(unpacked(path, into)) == []


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "..\\x", "C:\\x", "\\\\host\\x"])
def test_a_name_that_leads_out_of_the_archive_is_refused_and_nothing_is_written_there(tmp_path, into, name):
    found = list(unpacked(archive(tmp_path, (name, b"x"), ("fine", b"y")), into))
    assert codes(found) == ["outside_the_archive", ""]
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {"a.zip", "apart", "apart/1"}


def test_a_link_is_refused(tmp_path, into):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert codes(unpacked(archive(tmp_path, (info, b"/etc/passwd")), into)) == ["link"]


def test_a_bomb_is_refused_by_what_comes_out_and_leaves_nothing(tmp_path, into):
    path = archive(tmp_path, ("bomb", bytes(64 << 20)), ("fine", b"y"))
    found = list(unpacked(path, into))
    assert codes(found) == ["archive_bomb", ""]
    assert [one.name for one in into.iterdir()] == ["1"]


def test_a_size_that_the_archive_lies_about_does_not_help_it(tmp_path, into):
    path = archive(tmp_path, ("bomb", bytes(8 << 20)))
    data = path.read_bytes()
    path.write_bytes(data.replace((8 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert codes(unpacked(path, into))[0] in ("archive_bomb", "bad_member")
    assert [*into.iterdir()] == []


def test_a_file_that_is_larger_than_agreed_is_refused(tmp_path, into):
    import os

    path = archive(tmp_path, ("large", os.urandom(3000)))
    limits = ArchiveLimits(file_bytes=2000)
    assert codes(unpacked(path, into, limits)) == ["archive_bomb"]


@pytest.mark.parametrize(
    ("limits", "code"),
    [(ArchiveLimits(files=2), "too_many_files"), (ArchiveLimits(all_bytes=5), "too_large")],
)
def test_an_archive_that_holds_too_much_is_refused(tmp_path, into, limits, code):
    path = archive(tmp_path, *((str(number), b"xyz") for number in range(3)))
    with pytest.raises(IntakeError) as refused:
        list(unpacked(path, into, limits))
    assert refused.value.faults[0].code == code


def test_an_archive_that_was_cut_off_is_refused(tmp_path, into):
    path = archive(tmp_path, ("a", b"x" * 100))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(IntakeError, match="not a whole archive"):
        list(unpacked(path, into))


def test_an_archive_within_an_archive_is_a_file_like_any_other(tmp_path, into):
    inner = archive(tmp_path, ("a", b"x")).read_bytes()
    (found,) = unpacked(archive(tmp_path, ("inner.zip", inner)), into)
    assert found.path.read_bytes() == inner
