"""The inspection copy: complete, readable by people and machines, and the same when it is read back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

from tests.fakes.records import granted, memory_records
from tests.fakes.trials import TRIAL, case_id, kept_case, opened
from trialimg.adapters.exporters.inspection import inspection_html, inspection_pdf
from trialimg.core.access import Action, Role
from trialimg.core.errors import AccessError, InvalidValueError, ReadingError
from trialimg.ledger.bundle import Item, Withheld
from trialimg.services.archive import Scope, bundle_items, copy_of, electronic, read_copy
from trialimg.services.records import EntryQuery, Place
from trialimg.services.signatures import sign
from trialimg.services.trials_data_cut import CutOrder, cut_data, unlock_data


@pytest.fixture
def records():
    """Two cases; a read of the first was signed, then changed; a data cut was locked and opened."""
    records = memory_records()
    analyst, proof = opened(records)
    for code in ("C1", "C2"):
        kept_case(records, analyst, code, subject=f"S-{code}")
    with records.change(analyst, Action.RECEIVE_CASES, trial=TRIAL) as journal:
        place = Place(TRIAL, case_id("C1"), state="signed")
        body = {"lesions": [{"id": "T01", "long_axis_mm": "20.9"}, {"id": "T02"}], "comment": "<i>motion</i>"}
        first = journal.write("read", f"{case_id('C1')}/repeat", body, action="sign_read", place=place)
        sign(journal, proof, first, "I read this case")
    with records.change(analyst, Action.RECEIVE_CASES, trial=TRIAL) as journal:
        body = {"lesions": [{"id": "T01", "long_axis_mm": "21.3"}], "comment": "<i>motion</i>"}
        key = f"{case_id('C1')}/repeat"
        journal.write("read", key, body, action="supersede_read", place=place, reason="edge was blurred")
        journal.note("open_images", kind="case", key=case_id("C1"), trial=TRIAL)
    cut_data(records, analyst, proof, CutOrder(TRIAL, "IA1", "first interim analysis"))
    unlock_data(records, analyst, proof, f"{TRIAL}/IA1", reason="better images came")
    return records


@pytest.fixture
def inspector(records):
    return granted(records, "ines", Role.INSPECTOR)


def shown(html: str) -> str:
    return unescape(re.sub(r"<wbr>|<style>.*?</style>", "", html, flags=re.DOTALL))


def leaves_of(value: object) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves_of(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves_of(item)]
    return [value] if isinstance(value, str) and value else []


@pytest.mark.requirement("P11-02")
@pytest.mark.parametrize("scope", [Scope(TRIAL), Scope(TRIAL, case_id("C1"))], ids=["trial", "case"])
def test_every_field_audit_line_and_signature_is_in_both_forms_and_reads_back_the_same(records, inspector, scope):
    copy = copy_of(records, inspector, scope)
    assert read_copy(electronic(copy)) == copy
    page = shown(inspection_html(copy))
    with records.store.reading() as transaction:
        within = [
            entry
            for entry in transaction.entries(EntryQuery(trial=TRIAL))
            if not scope.case or scope.case in entry.object_id
        ]
        assert copy.lines == len(within) > 8
        for entry in within:
            assert entry.hash in page
            assert entry.at in page
            if (detail := transaction.detail(entry.sequence)) is not None:
                assert detail.value()["reason"] in page
            if entry.makes_version:
                version = transaction.versions(entry.object_kind, entry.object_id)[entry.object_version - 1]
                assert version.digest in page
                assert all(leaf in page for leaf in leaves_of(version.body)), version.id
        signatures = [entry for entry in within if entry.action == "sign"]
    assert len(signatures) == (1 if scope.case else 3)
    assert page.count("Signed by") == len(signatures)


@pytest.mark.requirement("P11-02")
def test_read_back_it_equals_what_the_store_holds(records, inspector):
    copy = read_copy(electronic(copy_of(records, inspector, Scope(TRIAL))))
    with records.store.reading() as transaction:
        for record in copy.records:
            kept = transaction.versions(record.kind, record.id)
            assert [one.body for one in record.versions] == [one.body for one in kept]
            assert [one.digest for one in record.versions] == [one.digest for one in kept]
        entries = {entry.sequence: entry for entry in transaction.entries(EntryQuery(trial=TRIAL))}
    copied = [version.entry for record in copy.records for version in record.versions]
    copied += [line.entry for line in copy.notes]
    assert {entry.sequence: entry for entry in copied} == entries


@pytest.mark.requirement("A11-06")
def test_values_that_changed_since_they_were_entered_are_marked(records, inspector):
    copy = copy_of(records, inspector, Scope(TRIAL, case_id("C1")))
    record = next(one for one in copy.records if one.id.endswith("/repeat"))
    assert record.changed_since_entry == {"lesions[0].long_axis_mm", "lesions[1].id"}
    page = inspection_html(copy)
    marked = re.findall(r'<th scope="row">([^/]*?)</th><td><span class="changed">changed</span>', page)
    assert marked == ["lesions[0].long_<wbr>axis_<wbr>mm", "lesions[1].id"]
    assert "<del>20.9</del> &rarr; <ins>21.3</ins>" in page
    assert "edge was blurred" in page


@pytest.mark.requirement("P11-14")
def test_a_signature_shows_name_time_meaning_and_that_it_is_void(records, inspector):
    page = inspection_html(copy_of(records, inspector, Scope(TRIAL, case_id("C1"))))
    block = re.search(r'<dl class="signature void">(.*?)</dl>', page, re.DOTALL).group(1)
    assert "Ana (ana)" in block
    assert "I read this case" in block
    assert re.search(r"Date and time</dt><dd>2026-01-01T[\d:.]+\+00:00</dd>", block)
    assert "VOID: ana changed the record" in block


@pytest.mark.requirement("P11-14")
def test_the_pdf_shows_name_time_and_meaning_too(records, inspector, tmp_path):
    program = shutil.which("pdftotext") or pytest.skip("pdftotext (poppler-utils) is not installed")
    (tmp_path / "copy.pdf").write_bytes(inspection_pdf(copy_of(records, inspector, Scope(TRIAL, case_id("C1")))))
    command = [program, "-layout", tmp_path / "copy.pdf", "-"]
    text = " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert "Signed by Ana (ana)" in text
    assert "Meaning I read this case" in text
    assert re.search(r"Date and time 2026-01-01T[\d:.]+\+00:00", text)


def test_text_of_a_record_stays_text(records, inspector):
    assert "<i>motion</i>" not in inspection_html(copy_of(records, inspector, Scope(TRIAL, case_id("C1"))))


def test_a_copy_of_a_case_holds_nothing_of_another(records, inspector):
    copy = copy_of(records, inspector, Scope(TRIAL, case_id("C1")))
    assert "S-C2" not in electronic(copy).decode()
    assert {record.case for record in copy.records} == {case_id("C1")}


def test_making_a_copy_is_in_the_ledger_and_in_the_copy(records, inspector):
    copy = copy_of(records, inspector, Scope(TRIAL))
    assert copy.notes[-1].entry.action == "copy_for_inspection"
    assert copy.notes[-1].entry.who == "ines"


def test_a_bundle_holds_its_trial_and_of_all_else_only_the_hashes(records, inspector):
    copy = copy_of(records, inspector, Scope(TRIAL))
    with records.store.reading() as transaction:
        items = list(bundle_items(transaction, TRIAL, transaction.size()))
        entries = list(transaction.entries(EntryQuery()))
        assert len(list(bundle_items(transaction, TRIAL, 5))) == 5
    assert sum(isinstance(item, Item) for item in items) == copy.lines < len(entries)
    for item, entry in zip(items, entries, strict=True):
        if isinstance(item, Withheld):
            assert (item.sequence, item.leaf) == (entry.sequence, entry.hash)
        else:
            assert (item.record is not None) == entry.makes_version


@pytest.mark.parametrize("scope", [Scope("T-9"), Scope(TRIAL, f"{TRIAL}/C9")])
def test_what_is_not_there_is_not_copied(records, inspector, scope):
    with pytest.raises(ReadingError, match="there is no"):
        copy_of(records, inspector, scope)


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.SPONSOR, Role.SITE])
def test_who_may_not_see_the_audit_trail_gets_no_copy(records, role):
    with pytest.raises(AccessError):
        copy_of(records, granted(records, "x", role), Scope(TRIAL))


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(schema="other"),
        lambda value: value.pop("notes"),
        lambda value: value["records"][0].pop("versions"),
        lambda value: value["records"][0]["versions"][0]["entry"].update(sequence=-1),
        lambda value: value["records"][0]["versions"][0].update(more=1),
    ],
)
def test_a_copy_that_is_not_one_is_refused(records, inspector, change):
    value = json.loads(electronic(copy_of(records, inspector, Scope(TRIAL, case_id("C1")))))
    change(value)
    with pytest.raises(InvalidValueError):
        read_copy(json.dumps(value).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff"])
def test_anything_else_is_refused(data):
    with pytest.raises(InvalidValueError):
        read_copy(data)
