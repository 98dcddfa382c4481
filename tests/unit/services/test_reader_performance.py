"""The figures of readers who read a small trial: worked out by hand from what they were told to say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.central_review import TRIAL, Trial, double
from tests.fakes.people import at_desk
from tests.fakes.records import granted
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, InvalidValueError, ReadingError
from trialimg.protocol.analysis import Statistics
from trialimg.review.performance import Count, DoubleRead, ReaderCounts
from trialimg.review.performance_limits import ReaderLimits
from trialimg.review.qualification import QualificationSet
from trialimg.services import reading_assignment
from trialimg.services.cases import withdraw_consent
from trialimg.services.reader_performance import ReadPair, ReadsOfTrial, crossed_limits, reader_report, report_of
from trialimg.services.reader_training import (
    Attempt,
    close_retraining,
    open_retraining,
    open_retrainings,
    qualify,
)
from trialimg.stats.kappa import cohen_kappa, cross_table
from trialimg.stats.rates import rate

PR, SD, PD = ({"BL": "30.0", "W06": size} for size in ("20.0", "30.0", "40.0"))
SAID = {  # case: first seat's words, second seat's, whose was chosen
    "C1": (PR, PR, ""),
    "C2": (PR, SD, "rita"),
    "C3": (SD, PR, "rita"),
    "C4": (PD, SD, "rolf"),
    "C5": (SD, SD, ""),
}
LIMITS = """\
oversight:
  reader_limits: {min_cases: 5, max_disagreement_index_pct: 30, max_adjudication_rate_pct: 100, min_repeats: 1}
"""
SET = QualificationSet("lung", "2", {f"Q{n}": {"best_response": "PR"} for n in range(5)})


def read_trial() -> Trial:
    """Five cases read by two; three differ and are settled; one case is read twice by one of them."""
    trial = Trial(text=double() + LIMITS)
    trial.trained("rita", "rolf")
    trial.trained("judge", role=Role.ADJUDICATOR)
    trial.receive(*SAID)
    for code, (first, second, chosen) in SAID.items():
        for seat, (name, sizes) in zip(("first", "second"), (("rita", first), ("rolf", second)), strict=True):
            reading_assignment.assign(
                trial.records, trial.actor("ana"), TRIAL, code, seat=reading_assignment.Seat(seat), reader=name
            )
            trial.read(name, trial.alias(code, name), sizes)
        if chosen:
            settle(trial, code, chosen)
    return trial


def settle(trial: Trial, code: str, chosen: str) -> None:
    seat = reading_assignment.Seat.ADJUDICATOR
    reading_assignment.assign(trial.records, trial.actor("ana"), TRIAL, code, seat=seat, reader="judge")
    with trial.records.store.reading() as transaction:
        display = transaction.current("assignment", f"{TRIAL}/{code}/adjudicator").body["display"]
    wanted = "first" if chosen == "rita" else "second"
    letter = next(letter for letter, seat in display.items() if seat == wanted)
    trial.choose("judge", trial.alias(code, "judge"), letter)


@pytest.fixture(scope="module")
def trial():
    return read_trial()


@pytest.fixture(scope="module")
def report(trial):
    return reader_report(trial.records, trial.actor("ana"), TRIAL)


@pytest.mark.requirement("FDA-08")
def test_each_reader_has_rates_with_intervals(report):
    assert report.cases == 5
    assert report.adjudication_rate == rate(3, 5, method="clopper_pearson")
    assert dict(report.by_variable) == {"best_response": rate(3, 5)}
    found = {one.reader: one for one in report.readers}
    assert found["rita"].endorsement_rate == rate(2, 3)
    assert found["rolf"].endorsement_rate == rate(1, 3)
    assert found["rita"].disagreement_index == rate(1, 5)
    assert found["rolf"].disagreement_index == rate(2, 5)
    assert [point.count for point in found["rolf"].months] == [Count(2, 5)]


def test_kappa_and_icc_are_those_of_the_words_and_sums_that_were_read(report):
    first = ["PR", "PR", "SD", "PD", "SD"]
    second = ["PR", "SD", "PR", "SD", "SD"]
    assert report.kappa == cohen_kappa(cross_table(first, second))
    (pair,) = report.pairs
    assert (pair.readers, pair.cases, pair.endorsed, pair.kappa) == (("rita", "rolf"), 5, (2, 1), report.kappa)
    assert report.icc_baseline_sum is None  # every sum is 30.0 mm: nothing varies
    assert report.icc_best_change.n == 5
    assert -1 <= report.icc_best_change.value <= 1


@pytest.mark.requirement("FDA-08")
def test_a_crossed_limit_opens_one_retraining_task_and_training_ends_it(trial):
    ana = trial.actor("ana")
    (task,) = open_retraining(trial.records, ana, TRIAL)
    assert task.id == f"{TRIAL}/rolf/1"
    assert task.body["crossed"] == [["max_disagreement_index_pct", "30 %", "2 of 5"]]
    assert open_retraining(trial.records, ana, TRIAL) == ()
    with pytest.raises(ReadingError):
        close_retraining(trial.records, ana, task.id, what=" ")
    done = close_retraining(trial.records, ana, task.id, what="target selection, 5 cases read together")
    assert (done.place.state, done.body["trainer"]) == ("done", "ana")
    with trial.records.store.reading() as transaction:
        assert open_retrainings(transaction, TRIAL) == ()
    assert open_retraining(trial.records, ana, TRIAL)[0].id == f"{TRIAL}/rolf/2"  # the figures have not changed
    with pytest.raises(ReadingError, match="no open"):
        close_retraining(trial.records, ana, task.id, what="again")


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ADJUDICATOR, Role.SPONSOR, Role.SITE])
def test_no_reader_and_no_sponsor_sees_the_figures(trial, role):
    with pytest.raises(AccessError):
        reader_report(trial.records, granted(trial.records, f"x-{role.value}", role), TRIAL)


def test_a_withdrawn_case_counts_no_more():
    trial = read_trial()
    withdraw_consent(trial.records, trial.actor("ana"), TRIAL, "S-C2", reason="the subject asked for it")
    assert reader_report(trial.records, trial.actor("ana"), TRIAL).cases == 4


def test_a_trial_without_reads_has_no_figure_at_all():
    trial = Trial(text=double())
    report = reader_report(trial.records, trial.actor("ana"), TRIAL)
    assert (report.cases, report.kappa, report.readers, report.adjudication_rate.value) == (0, None, (), None)


def test_cases_that_do_not_vary_have_no_share_of_variance():
    """One reader says -50 % of every case, the other 0 %."""
    said = [("-50", "0"), ("0", "-50"), ("-50", "0")]
    pairs = tuple(
        ReadPair(
            DoubleRead(f"C{number}", "rita", "rolf", "2026-01", ("best_response",)),
            ("PR", "SD"),
            (Decimal(30 + number), Decimal(30 + number)),
            (Decimal(first), Decimal(second)),
        )
        for number, (first, second) in enumerate(said)
    )
    report = report_of(TRIAL, ReadsOfTrial(pairs, ()), ReaderLimits(), Statistics())
    assert report.icc_best_change is None
    assert report.icc_baseline_sum.value == 1


@pytest.mark.requirement("FDA-08")
def test_a_repeated_case_measures_the_reader_against_themselves():
    trial = Trial(text=double(repeat_pct="100") + LIMITS)
    trial.trained("rita", "rolf")
    trial.receive("C1", "C2")
    trial.assign()
    for code in ("C1", "C2"):
        for name in ("rita", "rolf"):
            trial.read(name, trial.alias(code, name), PR)
            is_changed = (code, name) == ("C2", "rolf")
            trial.read(name, trial.alias(code, name, repeat=True), SD if is_changed else PR)
    found = {one.reader: one for one in reader_report(trial.records, trial.actor("ana"), TRIAL).readers}
    assert found["rita"].repeat_agreement == rate(2, 2)
    assert found["rolf"].repeat_agreement == rate(1, 2)
    assert found["rolf"].repeat_kappa == cohen_kappa(cross_table(["PR", "PR"], ["PR", "SD"]))
    assert found["rita"].repeat_kappa.value is None  # one category throughout
    assert [one.limit for one in found["rolf"].crossed] == ["min_repeat_agreement_pct"]
    assert found["rita"].crossed == ()


COUNTS = ReaderCounts(cases=10, adjudicated=7, decided=7, endorsed=3)


@pytest.mark.parametrize(
    ("counts", "repeats", "limits", "crossed"),
    [
        (COUNTS, Count(0, 0), ReaderLimits(min_cases=11), []),
        (COUNTS, Count(0, 0), ReaderLimits(10, 40, 70), []),
        (COUNTS, Count(0, 0), ReaderLimits(10, 39, 70), ["max_disagreement_index_pct"]),
        (COUNTS, Count(0, 0), ReaderLimits(10, 40, 69), ["max_adjudication_rate_pct"]),
        (COUNTS, Count(3, 5), ReaderLimits(20, min_repeats=6), []),
        (COUNTS, Count(3, 5), ReaderLimits(20, min_repeats=5, min_repeat_agreement_pct=60), []),
        (COUNTS, Count(3, 5), ReaderLimits(20, min_repeat_agreement_pct=61), ["min_repeat_agreement_pct"]),
        (COUNTS, Count(5, 5), ReaderLimits(20, min_repeat_kappa=Decimal("0.5")), ["min_repeat_kappa"]),
        (COUNTS, Count(5, 5), ReaderLimits(20, min_repeat_kappa=Decimal("0.2")), []),
    ],
)
def test_a_limit_is_crossed_beyond_it_and_with_enough_cases_only(counts, repeats, limits, crossed):
    kappa = cohen_kappa(cross_table(["PR", "PR", "SD", "PD", "PD"], ["PR", "SD", "SD", "PR", "PD"]))
    assert 0.2 < kappa.value < 0.5  # 3 of 5 agree, 8 of 25 would by chance
    assert [one.limit for one in crossed_limits(counts, repeats, kappa, limits)] == crossed


class TestQualification:
    def answers(self, right: int) -> dict[str, dict[str, str]]:
        return {f"Q{n}": {"best_response": "PR" if n < right else "SD"} for n in range(5)}

    def trial(self, min_cases: int = 5) -> Trial:
        text = double() + f"oversight:\n  qualification: {{min_cases: {min_cases}, pass_pct: 80}}\n"
        trial = Trial(text=text)
        trial.people["rita"] = at_desk(trial.records, "rita", Role.RADIOLOGIST, trial=TRIAL)
        return trial

    @pytest.mark.requirement("FDA-08")
    def test_who_passes_is_trained_for_the_charter_and_gets_cases_and_who_fails_does_not(self):
        trial = self.trial()
        trial.receive("C1")
        seat = reading_assignment.Seat.FIRST
        failed, result = qualify(trial.records, trial.actor("ana"), Attempt(TRIAL, "rita", SET, self.answers(3)))
        assert (failed.place.state, result.right) == ("failed", 3)
        with pytest.raises(AccessError, match="training"):
            reading_assignment.assign(trial.records, trial.actor("ana"), TRIAL, "C1", seat=seat, reader="rita")
        passed, _ = qualify(trial.records, trial.actor("ana"), Attempt(TRIAL, "rita", SET, self.answers(4)))
        assert (passed.version, passed.place.state) == (2, "passed")
        reading_assignment.assign(trial.records, trial.actor("ana"), TRIAL, "C1", seat=seat, reader="rita")
        with trial.records.store.reading() as transaction:
            training = transaction.current("training", f"rita/{TRIAL}/1.0")
        assert training.body["what"] == "qualification set lung 2: 4 of 5 answers right"

    def test_a_set_that_is_too_small_examines_nobody(self):
        trial = self.trial(min_cases=6)
        with pytest.raises(InvalidValueError, match="asks for 6"):
            qualify(trial.records, trial.actor("ana"), Attempt(TRIAL, "rita", SET, self.answers(5)))

    @pytest.mark.parametrize("reader", ["ana", "nobody"])
    def test_nobody_examines_themselves_or_a_stranger(self, reader):
        trial = self.trial()
        with pytest.raises(AccessError):
            qualify(trial.records, trial.actor("ana"), Attempt(TRIAL, reader, SET, self.answers(5)))
