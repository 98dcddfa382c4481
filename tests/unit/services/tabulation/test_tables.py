"""Summary tables as data: their numbers are those of the analyses, and what is missing is said in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.fakes.results import trial_result
from trialimg.core.errors import ReadingError
from trialimg.services.figures.courses import NO_IMPRINT, RECIST, Outcome, TrialCourses, courses_of_result
from trialimg.services.figures.courses_table import courses_of_table
from trialimg.services.tabulation.concordance import PairedReading, Readings, concordance_table, readings_of_table
from trialimg.services.tabulation.response import disposition_table, response_table
from trialimg.services.tabulation.table import SummaryTable
from trialimg.services.tabulation.times import duration_table, progression_free_table


@pytest.fixture(scope="module")
def trial() -> TrialCourses:
    return courses_of_result(trial_result(key_images=False))


def cells(table: SummaryTable, label: str) -> tuple[str, ...]:
    return next(row.cells for row in table.rows if row.label.startswith(label))


class TestResponse:
    def test_rates_are_those_of_the_cohort(self, trial: TrialCourses) -> None:
        result = trial_result(key_images=False)
        numbers = response_table(trial).numbers["objective_response"]
        for arm, estimate in result.cohort.objective_response:
            told = numbers[arm]["clopper_pearson"]
            assert (told["estimate"], told["lower"], told["upper"]) == (estimate.value, estimate.lower, estimate.upper)

    def test_cells_print_the_counts_and_the_limits(self, trial: TrialCourses) -> None:
        table = response_table(trial)
        assert table.columns == ("Arm A\n(n = 6)", "Arm B\n(n = 6)", "All subjects\n(n = 12)")
        assert cells(table, "Subjects") == ("4 (66.7 %)", "1 (16.7 %)", "5 (41.7 %)")
        # R 4.2.2: binom.test(4, 6), binom.test(1, 6), binom.test(5, 12)
        assert cells(table, "95 % CI (Clopper-Pearson)") == ("22.3 to 95.7", "0.4 to 64.1", "15.2 to 72.3")
        # R 4.2.2: prop.test(4, 6, correct = FALSE)
        assert cells(table, "95 % CI (Wilson)")[0] == "30.0 to 90.3"
        assert cells(table, "p, Fisher")[-1] == "0.2424"  # fisher.test(matrix(c(4, 2, 1, 5), 2))

    def test_words_add_up_to_the_arm(self, trial: TrialCourses) -> None:
        table = response_table(trial)
        best = next(rows for name, rows in table.groups if name == "Best overall response")
        assert [sum(int(row.cells[i].split()[0]) for row in best) for i in range(3)] == [6, 6, 12]
        assert best[-1].label == "No assessment"

    def test_a_trial_of_one_arm_has_one_column_and_no_difference(self, trial: TrialCourses) -> None:
        alone = replace(trial, courses=trial.of_arm("A"), arms=("A",), compared=("A",))
        table = response_table(alone)
        assert table.columns == ("All subjects\n(n = 6)",)
        assert not any(row.label.startswith("Difference") for row in table.rows)

    def test_an_arm_without_subjects_has_words_and_no_number(self, trial: TrialCourses) -> None:
        empty = replace(trial, courses=trial.of_arm("A"))
        table = response_table(empty)
        assert cells(table, "95 % CI (Clopper-Pearson)")[1] == "no subjects"
        assert cells(table, "Difference")[-1] == "not compared"


class TestTimes:
    def test_medians_and_test_are_those_of_the_cohort(self, trial: TrialCourses) -> None:
        result = trial_result(key_images=False)
        table = progression_free_table(trial)
        curves = dict(result.cohort.progression_free)
        assert [row["median"] for row in table.numbers["groups"]] == [
            curves[a].median_days.value for a in ("A", "B", "all")
        ]
        assert result.cohort.log_rank is not None
        assert table.numbers["comparison"]["log_rank"]["p"] == pytest.approx(result.cohort.log_rank.p, rel=1e-12)
        assert cells(table, "Median")[:2] == ("not reached", "3.7")

    def test_nothing_that_is_missing_becomes_a_number(self, trial: TrialCourses) -> None:
        table = duration_table(replace(trial, courses=trial.of_arm("B")))
        assert cells(table, "Median")[0] == "no subjects"
        assert cells(table, "Shortest")[0] == "no subjects"
        assert cells(table, "Censored")[0] == "0 (no subjects)"

    def test_a_censored_end_has_a_plus(self, trial: TrialCourses) -> None:
        first, second, *_ = trial.of_arm("A")
        pair = (
            replace(first, response_duration=Outcome(61, is_event=True)),
            replace(second, response_duration=Outcome(122, is_event=False)),
        )
        table = duration_table(replace(trial, courses=pair, arms=("A",)))
        assert cells(table, "Shortest") == ("2.0 to 4.0+",)

    def test_responders_are_not_compared(self, trial: TrialCourses) -> None:
        assert "comparison" not in duration_table(trial).numbers


def test_disposition_counts_every_subject(trial: TrialCourses) -> None:
    table = disposition_table(trial)
    assert table.numbers["n"] == [6, 6, 12]
    assert cells(table, "With a usable baseline") == ("6 (100.0 %)", "5 (83.3 %)", "11 (91.7 %)")
    assert cells(table, "Death")[-1] == f"{sum(c.death_day is not None for c in trial.courses)} (33.3 %)"


class TestConcordance:
    DAY = dt.date(2026, 3, 1)
    PAIRS = (
        PairedReading("1", ("PR", "PR"), (None, None)),
        PairedReading("2", ("SD", "PR"), (DAY, DAY + dt.timedelta(3))),
        PairedReading("3", ("PD", "PD"), (DAY, DAY)),
        PairedReading("4", ("SD", "SD"), (None, DAY)),
    )

    def test_counts_rates_and_cross_table(self) -> None:
        table = concordance_table(Readings(self.PAIRS), imprint=NO_IMPRINT)
        assert table.numbers["progression"] == {
            "same": 1, "later": 1, "earlier": 0, "investigator_only": 1, "central_only": 0, "neither": 1,
        }  # fmt: skip
        assert table.numbers["early_discrepancy_rate"] == pytest.approx(1 / 3)
        assert table.numbers["late_discrepancy_rate"] == pytest.approx(1 / 2)
        assert table.numbers["Agreement, %"]["estimate"] == 0.75
        assert cells(table, "central SD") == ("1", "1", "0", "2")

    def test_a_tolerance_makes_near_dates_one(self) -> None:
        table = concordance_table(Readings(self.PAIRS), tolerance_days=3, imprint=NO_IMPRINT)
        assert table.numbers["progression"]["same"] == 2

    def test_nobody_is_said_and_not_counted_as_nought(self) -> None:
        table = concordance_table(Readings(()), imprint=NO_IMPRINT)
        assert cells(table, "Agreement")[-1] == "not estimable"
        assert cells(table, "Early discrepancy")[-1] == "no progression to compare"

    def test_a_table_of_readings_is_read_strictly(self) -> None:
        head = "subject,first_best,second_best,first_progression,second_progression\n"
        readings = readings_of_table(f"{head}1,PR,SD,,2026-03-01\n", "r.csv", first_name="a", second_name="b")
        assert readings.pairs[0].progression == (None, self.DAY)
        with pytest.raises(ReadingError) as refused:
            readings_of_table(f"{head}1,,SD,1.3.2026,\n", "r.csv", first_name="a", second_name="b")
        assert len(refused.value.faults) == 2


class TestCoursesOfTables:
    def test_a_row_a_visit_says_the_subject_once(self) -> None:
        head = "subject,arm,best_response,best_change_pct,day,change_pct,response"
        text = f"{head}\nS1,A,PR,-40,56,-40,PR\nS1,,,,112,-10,PD\n"
        (course,) = courses_of_table(text, "t.csv", thresholds=RECIST, programme="p").courses
        assert (course.arm, course.best_response, course.best_change_pct) == ("A", "PR", -40)
        assert [point.day for point in course.points] == [56, 112]
        assert course.progression_day == 112
        assert course.is_responder is True

    def test_what_is_not_said_is_not_known(self) -> None:
        (course,) = courses_of_table("subject\nS1\n", "t.csv", thresholds=RECIST, programme="p").courses
        assert course.best_change_pct is course.progression_free is course.is_responder is None

    def test_every_fault_comes_out_at_once(self) -> None:
        text = "subject,arm,best_change_pct,pfs_days,pfs_event\nS1,A,x,10,1\nS1,B,,,\nS2,A,-1,,1\nS3,A,1,5,maybe\n"
        with pytest.raises(ReadingError) as refused:
            courses_of_table(text, "t.csv", thresholds=RECIST, programme="p")
        codes = sorted(fault.code for fault in refused.value.faults)
        assert codes == ["bad_value", "bad_value", "contradiction", "half_an_endpoint", "half_an_endpoint"]
