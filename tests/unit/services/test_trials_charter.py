"""The charter says every setting of the protocol, and its whole history."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.records import memory_records
from tests.fakes.trials import PROTOCOL, TRIAL, kept_case, opened
from tests.unit.protocol.texts import VALID
from trialimg.adapters.exporters.charter import charter_html, charter_pdf
from trialimg.protocol.model import full
from trialimg.services.trials import Change, amend_protocol
from trialimg.services.trials_charter import charter_of, charter_of_text

NOT_OF_A_CHARTER = {"schema", "trial", "arms", "sites", "price_plan", "exports"}


@pytest.fixture(scope="module")
def amended():
    """The protocol's versions of a trial that was amended after its first read."""
    records = memory_records()
    desk = opened(records)
    kept_case(records, desk[0], "C1", state="reading")
    text = VALID.replace('version: "1.0"', 'version: "1.1"').replace("pr_decrease: 0.30", "pr_decrease: 0.35")
    amend_protocol(records, desk[0], text, Change("<b>agreed</b> with the sponsor", dt.date(2026, 1, 1)))
    with records.store.reading() as transaction:
        return transaction.versions("protocol", TRIAL)


@pytest.mark.requirement("FDA-01")
@pytest.mark.requirement("FDA-03")
def test_every_setting_about_images_and_reads_is_in_the_charter():
    charter = charter_of_text(VALID)
    written = full(PROTOCOL)
    assert len(charter.sections) == len(set(written) - NOT_OF_A_CHARTER)
    said = sum(len(section.settings) for section in charter.sections)
    assert said > 100
    reading = next(section for section in charter.sections if section.title.startswith("Blinded reading"))
    values = {setting.key: setting.value for setting in reading.settings}
    assert values["readers"] == "2"
    assert values["adjudication[0].variable"] == "best_response"
    assert {key.partition("[")[0] for key in values} == set(written["reading"])
    assert all(setting.meaning for setting in reading.settings)


def test_no_price_and_no_arm_of_treatment_is_in_the_charter():
    html = charter_html(charter_of_text(VALID))
    assert "price" not in html
    assert "CNY" not in html


@pytest.mark.requirement("FDA-01")
def test_the_history_flags_what_came_after_the_first_read(amended):
    charter = charter_of(amended)
    assert [(one.version, one.author, one.after_first_read) for one in charter.history] == [
        ("1.0", "ana", False),
        ("1.1", "ana", True),
    ]
    html = charter_html(charter)
    assert html.count("after the first read") == 1
    assert "&lt;b&gt;agreed&lt;/b&gt; with the sponsor" in html
    assert "<del>0.3</del> &rarr; <ins>0.35</ins>" in html


@pytest.mark.requirement("FDA-01")
def test_the_charter_is_a_pdf_with_the_same_bytes_each_time(amended):
    charter = charter_of(amended)
    data = charter_pdf(charter)
    assert data.startswith(b"%PDF-")
    assert data == charter_pdf(charter)


def test_a_protocol_that_is_not_in_force_makes_a_draft():
    assert "the charter is a draft" in charter_html(charter_of_text(VALID))
