"""Usage derives from signed steps of the ledger: each thing once, linked to its entry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialimg.billing.prices import PriceUnit
from trialimg.billing.usage import Step, usage_of
from trialimg.core.errors import BillingError
from trialimg.core.reading import CaseKind

CASE = {"subject": "S001", "kind": "efficacy", "site": "01"}
TWO = [{"id": "BL"}, {"id": "W06"}]


def step(entry, action, record="T-1/C1", *, who="rita", case=CASE, **body):
    return Step(entry, f"2026-01-{entry + 1:02d}T08:00:00.000000+00:00", action, who, record, body, case)


DOUBLE = (
    step(1, "sign_read", "T-1/C1/first", who="rita"),
    step(2, "sign_read", "T-1/C1/second", who="raul"),
    step(3, "sign_verdict", who="ada"),
    step(4, "finalise_case", timepoints=TWO),
)


def keys(steps):
    return [usage.key.removeprefix("T-1/C1/") for usage in usage_of(steps)]


def test_an_adjudicated_case_gives_its_reads_its_verdict_its_case_and_its_timepoints():
    found = usage_of(DOUBLE)
    assert [(usage.key, usage.entry, usage.people) for usage in found] == [
        ("T-1/C1/read/first", 1, ("rita",)),
        ("T-1/C1/read/second", 2, ("raul",)),
        ("T-1/C1/adjudication", 3, ("ada",)),
        ("T-1/C1/case", 4, ("raul", "rita")),
        ("T-1/C1/timepoint/BL", 4, ("raul", "rita")),
        ("T-1/C1/timepoint/W06", 4, ("raul", "rita")),
    ]
    assert {(usage.subject, usage.site, usage.kind, usage.case) for usage in found} == {
        ("S001", "01", CaseKind.EFFICACY, "T-1/C1")
    }
    assert found[3].at == "2026-01-05T08:00:00.000000+00:00"


@given(st.lists(st.sampled_from(DOUBLE)).map(lambda more: [*DOUBLE, *more]), st.randoms(use_true_random=False))
def test_order_and_repetition_of_the_steps_make_no_difference(steps, chance):
    chance.shuffle(steps)
    assert usage_of(steps) == usage_of(DOUBLE)


def test_a_correction_is_a_reread_with_the_code_that_its_reason_begins_with():
    because = "quality_failure: the viewer had shown another series"
    corrected = (
        *DOUBLE,
        step(5, "sign_read", "T-1/C1/first/2", reason=because),
        step(6, "sign_verdict", who="ada"),
        step(7, "finalise_case", timepoints=TWO),
    )
    further = usage_of(corrected)[6:]
    assert [(usage.key, usage.unit, usage.because) for usage in further] == [
        ("T-1/C1/reread/first/2", PriceUnit.REREAD, "quality_failure"),
        ("T-1/C1/readjudication/2", PriceUnit.READJUDICATION, "quality_failure"),
    ]


@pytest.mark.parametrize("reason", ["I measured another node", "See: page 3", "", None])
def test_a_reason_without_a_code_has_none(reason):
    found = usage_of((*DOUBLE, step(5, "sign_read", "T-1/C1/first/2", reason=reason)))
    assert found[-1].because == ""


def test_a_case_that_is_final_again_charges_only_what_came_late():
    late = [*TWO, {"id": "W12"}]
    again = (*DOUBLE, step(5, "finalise_case", timepoints=late), step(6, "finalise_case", timepoints=late))
    assert keys(again)[6:] == ["late_timepoint/W12"]


def test_a_consensus_of_two_readers_is_one_adjudication():
    both = (
        *DOUBLE[:2],
        step(3, "sign_verdict", "T-1/C1/first", who="rita"),
        step(4, "sign_verdict", "T-1/C1/second", who="raul"),
        step(5, "finalise_case", timepoints=TWO),
    )
    assert keys(both) == ["read/first", "read/second", "adjudication", "case", "timepoint/BL", "timepoint/W06"]


def test_repeats_and_qualification_reads_are_things_of_their_own():
    repeat = step(5, "sign_read", "T-1/C1/first/repeat")
    exam = {"subject": "Q1", "kind": "qualification"}
    qualification = [
        step(6, "sign_read", "T-1/Q1/first", case=exam),
        step(7, "finalise_case", "T-1/Q1", case=exam, timepoints=TWO),
    ]
    found = usage_of((*DOUBLE, repeat, *qualification))[6:]
    assert [(usage.key, usage.unit) for usage in found] == [
        ("T-1/C1/repeat_read/first", PriceUnit.REPEAT_READ),
        ("T-1/Q1/qualification_read/first", PriceUnit.QUALIFICATION_READ),
    ]


def test_a_withdrawn_case_keeps_what_was_signed_and_says_that_it_was_withdrawn():
    assert keys((*DOUBLE[:1], step(2, "withdraw_consent"))) == ["read/first", "withdrawal"]


def test_a_case_made_final_that_nobody_read_is_not_charged_but_reported():
    with pytest.raises(BillingError, match="entry 4 made case T-1/C1 final, but no signed read"):
        usage_of(DOUBLE[2:])


def test_no_other_step_costs_anything():
    assert usage_of([step(1, "open_images"), step(2, "save_draft"), step(3, "lock_read")]) == ()
