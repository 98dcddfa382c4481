"""A table of one reader's reads: what it may say, and what becomes of it."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, entry, reading_section, single, target
from tests.unit.protocol.texts import broken
from trialimg.core.errors import ReadingError
from trialimg.services import cases
from trialimg.services.reading_import import ReadTable, import_reads

HEAD = "subject,timepoint,date,lesion,role,kind,organ,seen,diameter_mm"
BASELINE = "{0},BL,2026-01-05,T01,target,non_nodal,liver,measured,50"
LATER = "{0},W06,2026-02-16,T01,target,non_nodal,liver,measured,30"


def opened(text: str = "", **more) -> tuple[Trial, str]:
    trial = Trial(text=text or single())
    trial.trained("rita")
    trial.receive("C0001", **more)
    trial.assign()
    return trial, trial.alias("C0001", "rita")


def imported(trial: Trial, alias: str, *lines: str, head: str = HEAD, assessments: str = ""):
    text = "\n".join([head, *(line.format(alias) for line in lines)]) + "\n"
    beside = ReadTable(assessments.format(alias), "facts.csv") if assessments else None
    return import_reads(trial.records, trial.actor("rita"), TRIAL, ReadTable(text, "reads.csv"), assessments=beside)


def kept(trial: Trial) -> dict:
    with trial.records.store.reading() as transaction:
        return transaction.current("read", f"{TRIAL}/C0001/first").body["timepoints"]


def test_a_sequential_design_locks_each_timepoint_before_the_next_is_written():
    trial, alias = opened()
    (one,) = imported(trial, alias, LATER, BASELINE)
    assert (one.locked, one.drafted) == (("BL",), ("W06",))
    assert [kept(trial)[step]["state"] for step in ("BL", "W06")] == ["locked", "draft"]
    assert (kept(trial)["BL"]["image_quality"], kept(trial)["W06"]["new_lesions"]) == ("not_stated", "no")


def test_timepoints_that_are_shown_at_once_all_stay_drafts():
    trial, alias = opened(reading_section({"readers": "1", "disclosure": "all_at_once"}))
    (one,) = imported(trial, alias, BASELINE, LATER)
    assert (one.locked, one.drafted) == ((), ("BL", "W06"))


def test_assessments_say_what_stands_beside_the_lesions():
    text = broken("criterion: recist11\n  rules:\n    pr_decrease: 0.30", "criterion: rano2", single())
    trial, alias = opened(text)
    facts = "subject,timepoint,image_quality,steroid_mg,comment\n{0},BL,limited,4,motion\n"
    with pytest.raises(ReadingError) as refused:
        imported(trial, alias, BASELINE, assessments=facts)
    assert "unknown_column" in {fault.code for fault in refused.value.faults}
    imported(trial, alias, BASELINE, assessments=facts.replace("steroid_mg,", "").replace("4,", ""))
    assert (kept(trial)["BL"]["image_quality"], kept(trial)["BL"]["comment"]) == ("limited", "motion")


def test_points_must_agree_with_the_number_that_they_prove():
    trial, alias = opened()
    head = HEAD + ",long_axis_lps_mm"
    for points in ("0 0 0 30 39 0", "0 0 0 30 40", "0 0 0 30 40 far"):
        with pytest.raises(ReadingError) as refused:
            imported(trial, alias, BASELINE + f",{points}", LATER + ",", head=head)
        assert {fault.code for fault in refused.value.faults} <= {"diameter_disagrees", "bad_value"}
    imported(trial, alias, BASELINE + ",(0 0 0) (30 40 0)", LATER + ",", head=head)
    assert kept(trial)["BL"]["lesions"][0]["evidence"]["long_axis_lps_mm"] == [["0", "0", "0"], ["30", "40", "0"]]


def test_a_number_taken_from_a_proposal_is_the_machines():
    trial, alias = opened(proposal=cases.Proposal({"BL": {**entry("50"), "lesions": [target("50", "L1")]}}, {}))
    head = HEAD + ",proposal"
    with pytest.raises(ReadingError, match="unknown proposal"):
        imported(trial, alias, BASELINE + ",L9", head=head)
    imported(trial, alias, BASELINE + ",L1", head=head)
    assert kept(trial)["BL"]["lesions"][0]["attribution"] == {"diameter_mm": "machine"}


@pytest.mark.parametrize(
    ("lines", "head", "code"),
    [
        ((), HEAD, "empty"),
        ((BASELINE,), HEAD.replace("diameter_mm", "size"), "missing_column"),
        (("R-OTHER" + BASELINE[3:],), HEAD, "not_yours"),
        ((BASELINE + ",ron",), HEAD + ",reader", "other_reader"),
        ((BASELINE.replace("BL", "W99"),), HEAD, "unknown_timepoint"),
        ((LATER,), HEAD, "passed_over"),
        ((BASELINE, BASELINE), HEAD, "double_row"),
    ],
)
def test_a_table_that_cannot_be_right_changes_nothing(lines, head, code):
    trial, alias = opened()
    versions = len(trial.records.store.tables.versions)
    with pytest.raises(ReadingError) as refused:
        imported(trial, alias, *lines, head=head)
    assert code in {fault.code for fault in refused.value.faults}
    assert len(trial.records.store.tables.versions) == versions


def test_what_was_locked_before_is_not_written_again():
    trial, alias = opened()
    imported(trial, alias, BASELINE, LATER)
    with pytest.raises(ReadingError) as refused:
        imported(trial, alias, BASELINE.replace("50", "60"))
    assert [fault.code for fault in refused.value.faults] == ["locked"]
    imported(trial, alias, LATER.replace("30", "31"))
    assert kept(trial)["W06"]["lesions"][0]["diameter_mm"] == "31.0"
