"""What the records say of a whole review: its flow, both reads side by side, its readers, and how long it took."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.fakes.central_review import DATES, TRIAL, Trial, double, single
from tests.unit.services.test_review_report import AGREED, DIFFERED, run_of, trial
from trialimg.adapters.exporters.report.page import html_of
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.services.cases import withdraw_consent
from trialimg.services.figures.adjudication import adjudication_flow
from trialimg.services.reading_results import review_status
from trialimg.services.review_record import ReviewRecord, review_record
from trialimg.services.review_report import review_result
from trialimg.services.trials_data_cut import CutOrder, cut_data

__all__ = ["trial"]


@pytest.fixture(scope="module")
def record(trial: Trial) -> ReviewRecord:
    return review_record(trial.records, trial.actor("ana"), TRIAL)


def test_every_case_is_counted_where_the_review_left_it(record: ReviewRecord) -> None:
    found = {one.case: (one.is_read_twice, one.differs, one.because) for one in record.cases}
    assert found == {
        AGREED: (True, (), ""),
        DIFFERED: (True, ("best_response",), "measurement"),
        "C0003": (False, None, ""),
    }
    numbers = adjudication_flow(record.cases).numbers
    assert (numbers["concordant"], numbers["discordant"], numbers["awaiting_reads"]) == (1, 1, 1)
    assert numbers["first_chosen"] + numbers["second_chosen"] == 1
    assert numbers["chosen_because"] == {"measurement": 1}


def test_both_reads_stand_side_by_side_by_seat(record: ReviewRecord) -> None:
    pairs = {one.subject: sorted(one.best) for one in record.readings.pairs}
    assert pairs == {"S-C0001": ["PR", "PR"], "S-C0002": ["PR", "SD"]}
    assert all(one.progression == (None, None) for one in record.readings.pairs)


def test_readers_stand_as_letters_and_have_their_figures(record: ReviewRecord) -> None:
    assert [one.reader for one in record.performance.readers] == ["Reader A", "Reader B"]
    assert record.performance.adjudication_rate.events == 1
    assert record.performance.cases == 2
    assert not any(name in repr(record) for name in ("rita", "raul"))


def test_turnaround_is_counted_from_receipt_and_from_assignment(record: ReviewRecord) -> None:
    spans = {one.what: one for one in record.turnarounds}
    assert {what: one.n for what, one in spans.items()} == {
        "Receipt of a case to its final result": 2,
        "Adjudicator: assignment to signature": 1,
        "Reader A: assignment to signature": 2,
        "Reader B: assignment to signature": 2,
    }
    whole = spans["Receipt of a case to its final result"]
    assert 0 < whole.least_days <= whole.median_days <= whole.most_days


def test_the_report_has_flow_concordance_and_readers(trial: Trial, record: ReviewRecord) -> None:
    people = ("S-C0001", "S-C0002", "S-C0003")
    found = review_result(run_of(*people), trial.records, trial.actor("ana"), TRIAL)
    html = html_of(found, record)
    readers = html.split('id="readers"')[1].split("</section>")[0]
    assert "From cases to final results" in readers
    assert "1 of 2, 50.0 %" in readers
    assert "Adjudications by reason" in readers
    assert "Reader A" in readers
    concordance = html.split('id="concordance"')[1].split("</section>")[0]
    assert "Concordance of radiologist 1 and radiologist 2" in concordance
    assert "reads that count" not in concordance
    assert not any(name in html for name in ("rita", "raul"))


def test_a_cut_has_its_own_cases_and_its_name_below_the_figures() -> None:
    trial = Trial(text=double(repeat_pct="0"))
    trial.trained("rita", "raul")
    trial.receive("C0001", "C0002")
    trial.assign()
    for name in ("rita", "raul"):
        trial.read(name, trial.alias("C0001", name), {"BL": "40", "W06": "20"})
    cut_data(trial.records, trial.actor("ana"), trial.proof("ana"), CutOrder(TRIAL, "IA1", "first look"))
    record = review_record(trial.records, trial.actor("ana"), TRIAL, cut="IA1")
    assert [one.case for one in record.cases] == ["C0001"]
    found = review_result(run_of("S-C0001"), trial.records, trial.actor("ana"), TRIAL, cut="IA1")
    assert "Data cut: IA1." in html_of(found, record).split('id="readers"')[1]
    with pytest.raises(ReadingError, match="no data cut"):
        review_record(trial.records, trial.actor("ana"), TRIAL, cut="IA2")


def test_a_withdrawn_case_is_counted_and_says_nothing_else() -> None:
    trial = Trial(text=double(repeat_pct="0"))
    trial.trained("rita", "raul")
    trial.receive("C0001")
    trial.assign()
    for name in ("rita", "raul"):
        trial.read(name, trial.alias("C0001", name), {"BL": "40", "W06": "20"})
    withdraw_consent(trial.records, trial.actor("ana"), TRIAL, "S-C0001", reason="asked for by the subject")
    record = review_record(trial.records, trial.actor("ana"), TRIAL)
    assert [one.is_withdrawn for one in record.cases] == [True]
    assert record.readings.pairs == ()
    assert record.performance.cases == 0


def test_one_reader_a_case_has_nothing_to_compare() -> None:
    trial = Trial(text=single())
    trial.trained("rita")
    trial.receive("C0001")
    trial.assign()
    trial.read("rita", trial.alias("C0001", "rita"), {"BL": "40", "W06": "20"})
    record = review_record(trial.records, trial.actor("ana"), TRIAL)
    html = html_of(review_result(run_of("S-C0001"), trial.records, trial.actor("ana"), TRIAL), record)
    readers = html.split('id="readers"')[1].split("</section>")[0]
    assert "one reader reads each case" in readers
    assert "Reader A: assignment to signature" in readers
    assert "<svg" not in readers


def test_who_reads_sees_nothing_of_it(trial: Trial) -> None:
    with pytest.raises(AccessError):
        review_record(trial.records, trial.actor("rita"), TRIAL)


def test_a_sponsor_sees_how_far_all_readers_agree_and_nothing_of_a_single_person(
    trial: Trial, record: ReviewRecord
) -> None:
    """Agreement is a property of the results that a sponsor answers for; how one person reads is none of theirs."""
    trial.trained("sam", role=Role.SPONSOR)
    shown = review_record(trial.records, trial.actor("sam"), TRIAL)
    assert shown.cases == record.cases
    assert shown.performance == replace(record.performance, readers=(), pairs=())
    assert shown.performance.adjudication_rate.events == 1
    assert [one.what for one in shown.turnarounds] == ["Receipt of a case to its final result"]
    assert not any(word in repr(shown) for word in ("Reader A", "Reader B", "rita", "raul", "judge"))


def test_a_sponsor_sees_how_long_adjudication_takes_once_several_people_adjudicate() -> None:
    trial = Trial(text=double(repeat_pct="0"))
    trial.trained("rita", "raul")
    trial.trained("judge", "joan", role=Role.ADJUDICATOR)
    trial.trained("sam", role=Role.SPONSOR)
    trial.receive("C0001", "C0002")
    trial.assign()
    for code in ("C0001", "C0002"):
        for name, size in (("rita", "20"), ("raul", "40")):
            trial.read(name, trial.alias(code, name), {"BL": "40", "W06": size})
    trial.assign()
    for code in ("C0001", "C0002"):
        (name,) = (name for name in ("judge", "joan") if holds(trial, code, name))
        trial.choose(name, trial.alias(code, name), "A")
    found = {one.what: one.people for one in review_record(trial.records, trial.actor("sam"), TRIAL).turnarounds}
    assert found == {"Receipt of a case to its final result": 0, "Adjudicator: assignment to signature": 2}


def holds(trial: Trial, code: str, name: str) -> bool:
    status = review_status(trial.records, trial.actor("ana"), TRIAL)
    return any(one["case"] == code and read["reader"] == name for one in status for read in one["reads"])


def test_dates_of_progression_are_those_of_the_reads() -> None:
    trial = Trial(text=double(repeat_pct="0"))
    trial.trained("rita", "raul")
    trial.receive("C0001", timepoints=("BL", "W06", "W12"))
    trial.assign()
    trial.read("rita", trial.alias("C0001", "rita"), {"BL": "40", "W06": "60", "W12": "70"})
    trial.read("raul", trial.alias("C0001", "raul"), {"BL": "40", "W06": "41", "W12": "70"})
    (pair,) = review_record(trial.records, trial.actor("ana"), TRIAL).readings.pairs
    assert set(pair.progression) == {DATES["W06"], DATES["W12"]} == {dt.date(2026, 2, 16), dt.date(2026, 3, 30)}
