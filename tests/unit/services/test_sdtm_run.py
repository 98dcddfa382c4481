"""A run on tables that others made: whose records count, what is derived, what is taken, and what is named."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.sdtm_tables import DM, RS, TR, delivery, reader
from trialimg.core.errors import ReadingError
from trialimg.core.responses import BestOverallResponse
from trialimg.protocol.load import load_protocol, read_protocol
from trialimg.protocol.model import Protocol
from trialimg.services.outputs import Outputs
from trialimg.services.results import SubjectResult, TrialResult
from trialimg.services.sdtm_run import SdtmRun, require_tables

PROTOCOL = load_protocol(Path(__file__).resolve().parents[3] / "protocols" / "nsclc_recist11.yaml")
NO_OUTPUTS = Outputs(None, (), {})  # type: ignore[arg-type]


def with_tables(**settings: str) -> Protocol:
    return PROTOCOL.model_copy(update={"tables": PROTOCOL.tables.model_copy(update=settings)})


def run(protocol: Protocol = PROTOCOL, *, arms: dict[str, str] | None = None, **texts: str) -> TrialResult:
    return SdtmRun(protocol, delivery(**texts), NO_OUTPUTS, arms).result()


def words(subject: SubjectResult) -> list[tuple[str, str]]:
    return [(t.timepoint.id, str(t.assessment.overall.value)) for t in subject.timepoints if t.assessment]


def named(result: TrialResult, code: str) -> list[tuple[str, str]]:
    return [(f.where, f.message) for f in result.findings if f.code == code]


def test_lesions_are_judged_by_the_criterion_and_a_subject_without_them_keeps_what_rs_says() -> None:
    result = run()
    first, second = result.subjects
    assert words(first) == [("W06", "PR")]
    assert first.timepoints[1].assessment.sums.sum_mm == Decimal(40)  # type: ignore[union-attr]
    assert [s.lesion.kind.value for s in (o.observation for o in first.timepoints[0].lesions)] == ["non_nodal", "nodal"]
    assert words(second) == [("W06", "SD"), ("W12", "PD")]
    assert second.endpoints is not None
    assert second.endpoints.best.response is BestOverallResponse.SD
    assert second.endpoints.progression_free_survival.days == 83  # type: ignore[union-attr]
    assert [where for where, _ in named(result, "response_as_given")] == ["T-01-002 RADIOLOGIST 1"]
    assert [s.subject.arm for s in result.subjects] == ["A", "B"]


def test_a_response_that_the_lesions_do_not_bear_out_is_named_with_its_row_and_rule() -> None:
    result = run(rs=RS.replace("OVRLRESP,RECIST 1.1,PR", "OVRLRESP,RECIST 1.1,CR"))
    assert result.given is not None
    assert (result.given.compared, result.given.equal, result.given.alone) == (1, 0, 2)
    (difference,) = result.given.differences
    assert (difference.given, difference.derived, difference.rule) == ("CR", "PR", "R-1.1/O1")
    ((where, message),) = named(result, "response_differs")
    assert where == "rs.csv row 1"
    assert "gave CR, the criterion derives PR" in message
    assert words(result.subjects[0]) == [("W06", "PR")]


def test_given_responses_count_where_the_protocol_says_so_with_the_sums_of_their_lesions() -> None:
    text = RS.replace("OVRLRESP,RECIST 1.1,PR", "OVRLRESP,RECIST 1.1,CR")
    subject = run(with_tables(response="given"), rs=text).subjects[0]
    assert words(subject) == [("W06", "CR")]
    assessment = subject.timepoints[1].assessment
    assert assessment is not None
    assert assessment.sums.sum_mm == Decimal(40)
    assert assessment.rule[0].sentence == "CR, as RADIOLOGIST 1 gave it (rs.csv row 1)"


def test_a_recorded_sum_that_is_not_that_of_the_lesions_is_named_and_counts_only_if_the_protocol_says_so() -> None:
    unseen = TR.replace("R1-T01,LDIAM,20,mm,,2", "R1-T01,LDIAM,,,NOT DONE,2").replace("SUMDIAM,40", "SUMDIAM,0")
    base = "T-01-001,,SUMDIAM,60,mm,,1,SCREENING,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,2024-01-08\n"
    own = run(with_tables(response="given"), tr=unseen + base)
    taken = run(with_tables(response="given", sums="given"), tr=unseen + base)
    assert own.subjects[0].timepoints[1].assessment.sums.sum_mm is None  # type: ignore[union-attr]
    sums = taken.subjects[0].timepoints[1].assessment.sums  # type: ignore[union-attr]
    assert (sums.sum_mm, sums.baseline_mm, sums.nadir_mm) == (Decimal(0), Decimal(60), Decimal(60))
    for result in (own, taken):
        ((where, message),) = named(result, "sum_differs")
        assert where == "tr.csv row 5"
        assert message == "TR gives a sum of 0 mm, the lesions come to no sum: not every target was measured"


def test_a_word_or_date_that_cannot_be_used_leaves_its_row_out_and_is_named() -> None:
    odd = RS.replace("RECIST 1.1,SD,", "RECIST 1.1,CHECK,").replace("3,W12,2024-04-03", "3,W12,2024-04")
    result = run(rs=odd)
    assert named(result, "unknown_word")[0][0] == "rs.csv row 3"
    assert "'CHECK' is no word of the criterion" in named(result, "unknown_word")[0][1]
    assert named(result, "partial_date")[0] == (
        "rs.csv row 4",
        "RSDTC '2024-04' is not a full date; the response PD is left out",
    )
    assert words(result.subjects[1]) == []


def test_two_different_responses_on_one_date_are_both_left_out_and_two_equal_ones_are_one() -> None:
    again = "T-01-002,OVRLRESP,RECIST 1.1,{},,INDEPENDENT ASSESSOR,RADIOLOGIST 1,Y,3.1,UNSCHEDULED 3.1,2024-04-03\n"
    differing, equal = run(rs=RS + again.format("SD")), run(rs=RS + again.format("PD"))
    assert words(differing.subjects[1]) == [("W06", "SD")]
    assert [where for where, _ in named(differing, "two_results")] == ["rs.csv row 4", "rs.csv row 5"]
    assert words(equal.subjects[1]) == [("W06", "SD"), ("W12", "PD")]
    assert named(equal, "double_row") == [("rs.csv row 5", "PD: the same response on 2024-04-03 as rs.csv row 4")]


def test_0_mm_is_a_lesion_that_is_gone_and_is_named() -> None:
    result = run(tr=TR.replace("R1-T01,LDIAM,20", "R1-T01,LDIAM,0"))
    assert named(result, "zero_size") == [("tr.csv row 3", "LDIAM of R1-T01 is 0 mm; the lesion is taken to be gone")]


def test_a_visit_at_which_nothing_could_be_done_is_dated_by_its_response() -> None:
    unseen = TR.replace("20,mm,,2,W06", ",,NOT DONE,2,W06").replace("2024-02-21", "")
    result = run(rs=RS.replace("OVRLRESP,RECIST 1.1,PR", "OVRLRESP,RECIST 1.1,NE"), tr=unseen)
    assert words(result.subjects[0]) == [("W06", "NE")]
    assert result.subjects[0].timepoints[1].timepoint.date == dt.date(2024, 2, 21)


def test_the_accepted_records_count_and_the_others_are_kept_beside_them() -> None:
    rs = RS + reader(RS, "RADIOLOGIST 2").replace("RECIST 1.1,PR", "RECIST 1.1,SD")
    rs += reader(RS, "", evaluator="INVESTIGATOR").replace("RECIST 1.1,PR", "RECIST 1.1,PD")
    result = run(with_tables(response="given"), rs=rs)
    assert words(result.subjects[0]) == [("W06", "PR")]
    assert result.subjects[0].assessor.name == "RADIOLOGIST 1"  # type: ignore[union-attr]
    others = {(s.subject.id, s.assessor.name): words(s) for s in result.further_reads}  # type: ignore[union-attr]
    assert others["T-01-001", "RADIOLOGIST 2"] == [("W06", "SD")]
    assert others["T-01-001", "INVESTIGATOR"] == [("W06", "PD")]


def test_the_protocol_may_name_whose_records_count() -> None:
    rs = RS + reader(RS, "", evaluator="INVESTIGATOR").replace("RECIST 1.1,PR", "RECIST 1.1,PD")
    protocol = with_tables(response="given", evaluator="INVESTIGATOR")
    assert words(run(protocol, rs=rs).subjects[0]) == [("W06", "PD")]


def test_where_nobody_says_whose_records_count_none_does() -> None:
    rs = reader(RS, "RADIOLOGIST 1") + reader(RS, "RADIOLOGIST 2")
    result = run(with_tables(response="given"), rs=RS.splitlines(keepends=True)[0] + rs, tu="", tr="")
    assert [s.endpoints for s in result.subjects] == [None, None]
    assert named(result, "no_accepted_read")[0][0] == "T-01-001"


def test_arms_get_their_blinded_labels_and_one_without_a_label_has_none() -> None:
    result = run(arms={"A": "B"})
    assert [s.subject.arm for s in result.subjects] == ["B", ""]
    assert named(result, "unknown_arm") == [("dm.csv row 2", "arm 'B' has no label in the table of arms")]


def test_screen_failures_are_not_analysed_and_strangers_are_left_out() -> None:
    dm = DM.replace(",B,,", ",Scrnfail,SCREEN FAILURE,")
    result = run(dm=dm, rs=RS + RS.splitlines(keepends=True)[1].replace("T-01-001", "T-01-009"))
    assert [s.subject.id for s in result.subjects] == ["T-01-001"]
    assert named(result, "not_in_population") == [("dm.csv row 2", "not analysed: ARMCD is Scrnfail")]
    assert [where for where, _ in named(result, "unknown_subject")] == ["T-01-009"]


def test_a_partial_date_of_death_is_taken_for_not_known_and_named() -> None:
    result = run(dm=DM.replace("2024-05-01", "2024-05"))
    assert result.subjects[1].subject.death_date is None
    assert named(result, "partial_date") == [
        ("dm.csv row 2", "DTHDTC '2024-05' is not a full date; it is taken for not known")
    ]


def test_a_subject_of_whom_nothing_is_recorded_is_in_the_trial() -> None:
    result = run(rs="".join(RS.splitlines(keepends=True)[:3]))
    assert [s.endpoints is None for s in result.subjects] == [False, True]
    assert dict(result.cohort.objective_response)["all"].n == 2


@pytest.mark.parametrize(
    ("wanted", "tables", "expected", "source"),
    [
        ("randomisation", {}, "2024-01-10", "DM.RFSTDTC"),
        ("randomisation", {"ds": "USUBJID,DSDECOD,DSSTDTC\nT-01-001,RANDOMIZED,2024-01-05\n"}, "2024-01-05", ""),
        ("randomisation", {"adsl": "USUBJID,RANDDT\nT-01-001,2024-01-04\n"}, "2024-01-04", ""),
        ("first_dose", {}, "2024-01-10", ""),
        (
            "first_dose",
            {"dm": DM.replace("RFXSTDTC", "X"), "ex": "USUBJID,EXSTDTC\nT-01-001,2024-01-11\n"},
            "2024-01-11",
            "",
        ),
    ],
)
def test_day_1_comes_from_the_table_that_knows_it_best(
    wanted: str, tables: dict[str, str], expected: str, source: str
) -> None:
    protocol = PROTOCOL.model_copy(update={"schedule": PROTOCOL.schedule.model_copy(update={"reference": wanted})})
    result = run(protocol, **tables)
    assert str(result.subjects[0].subject.reference_date) == expected
    stood_in = [where for where, _ in named(result, "reference_date_stands_in")]
    assert (source in stood_in) is bool(source)


def test_baseline_characteristics_become_categories() -> None:
    assert run().covariates["T-01-001"] == {"Sex": "F", "Age": "65 years or over"}


def test_visits_are_called_as_the_protocol_calls_them() -> None:
    tr = TR.replace("2,W06", "2,w 06") + TR.splitlines(keepends=True)[3].replace(
        "2,W06", "2.1,UNSCHEDULED 2.1"
    ).replace("2024-02-21", "2024-03-01")
    names = [t.timepoint.id for t in run(tr=tr, rs="").subjects[0].timepoints]
    assert names == ["BL", "W06", "UNS-2024-03-01"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"tu": "", "rs": ""}, "there is nothing to judge: neither RS, nor both TU and TR"),
        ({"rs": RS.replace("RSDTC", "DATE")}, "not the SDTM tables"),
    ],
)
def test_tables_that_cannot_be_judged_are_refused(texts: dict[str, str], message: str) -> None:
    with pytest.raises(ReadingError, match=message):
        require_tables(delivery(**texts))


def test_a_derived_response_with_a_given_sum_is_no_protocol() -> None:
    text = (Path(__file__).resolve().parents[3] / "protocols" / "nsclc_recist11.yaml").read_text()
    with pytest.raises(Exception, match="1 fault") as refused:
        read_protocol(text + "\ntables: {sums: given}\n")
    faults: Any = getattr(refused.value, "faults", ())
    assert [fault.where.rpartition(" ")[2] for fault in faults] == ["tables.sums"]
