"""Each check sees the fault that it is there for, where it is; datasets that are as they should be pass them all."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.cdisc import worked_example
from tests.fakes.cdisc_faults import FAULTS, Fault
from tests.fakes.results import trial_result
from trialimg.adapters.exporters.cdisc.files import FORMATS, read_delivery, write_delivery
from trialimg.services.cdisc.conformance import RULES, conformance
from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.datasets import datasets
from trialimg.services.cdisc.delivery import Delivery
from trialimg.services.cdisc.from_results import study_of_results
from trialimg.services.document import document

CREATED = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def delivered(study: Study, folder: Path) -> Delivery:
    write_delivery(study, datasets(study), folder, formats=FORMATS, created=CREATED)
    return read_delivery(folder)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    return delivered(worked_example(), tmp_path_factory.mktemp("sound"))


def test_two_readers_with_a_split_lesion_and_a_verdict_pass(sound: Delivery) -> None:
    assert conformance(sound) == ()


def test_a_whole_run_passes(tmp_path: Path) -> None:
    study = study_of_results(document(trial_result(key_images=False)))
    delivery = delivered(study, tmp_path)
    assert len(delivery.tables["ADSL"].rows) == 12
    assert conformance(delivery) == ()


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{fault.rule} {fault.what}" for fault in FAULTS])
def test_a_planted_fault_is_found_where_it_is(sound: Delivery, fault: Fault) -> None:
    spoilt = fault.change(sound)
    if fault.rule != "TI-C063":
        spoilt = replace(spoilt, twins=())
    found = {(finding.rule, finding.dataset) for finding in conformance(spoilt)}
    assert (fault.rule, fault.dataset) in found


def test_there_is_a_planted_fault_for_every_check() -> None:
    assert {fault.rule for fault in FAULTS} == {rule.id for rule in RULES}


def test_every_finding_names_record_variable_and_value(sound: Delivery) -> None:
    fault = next(fault for fault in FAULTS if fault.what == "42 mm as 24")
    found = [f for f in conformance(replace(fault.change(sound), twins=())) if f.rule == "TI-C019"]
    (finding,) = found
    record = sound.tables["TR"].rows[(finding.record or 0) - 1]
    assert (record["TRLNKID"], finding.variable, finding.value) == ("R1-T01", "TRSTRESN", "24")


@pytest.mark.parametrize(("name", "data"), [("tr.xpt", b"HEADER"), ("tr.json", b"{}"), ("define-sdtm.xml", b"<a")])
def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path, name: str, data: bytes) -> None:
    delivered(worked_example(), tmp_path)
    (tmp_path / name).write_bytes(data)
    found = [f for f in conformance(read_delivery(tmp_path)) if f.rule == "TI-C063"]
    assert any(f.dataset == name and "cannot be read" in f.message for f in found)
    assert any(f.dataset == name and "manifest" in f.message for f in found)


def test_a_file_changed_after_it_was_written_is_a_finding(tmp_path: Path) -> None:
    delivered(worked_example(), tmp_path)
    changed = (tmp_path / "tr.csv").read_text().replace(",42,", ",41,")
    (tmp_path / "tr.csv").write_text(changed)
    messages = [f.message for f in conformance(read_delivery(tmp_path)) if f.rule == "TI-C063"]
    assert "is not what the manifest says" in messages
    assert any("other format" in message for message in messages)
