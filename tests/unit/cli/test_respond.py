"""`trialimg respond`: what the verbs print, write and refuse."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.transport import transport_file
from trialimg.cli import main

LESIONS = """\
subject,timepoint,date,lesion,role,kind,organ,seen,diameter_mm,status
S1,BL,2024-01-01,T1,target,non_nodal,liver,measured,40.0,
S1,BL,2024-01-01,N1,target,nodal,neck,measured,18,
S1,BL,2024-01-01,NT1,non_target,non_nodal,bone,measured,,present
S1,W06,2024-02-12,T1,target,non_nodal,liver,absent,,
S1,W06,2024-02-12,N1,target,nodal,neck,measured,9,
S1,W06,2024-02-12,NT1,non_target,non_nodal,bone,measured,,present
S1,W12,2024-03-25,T1,target,non_nodal,liver,measured,6.2,
S1,W12,2024-03-25,N1,target,nodal,neck,measured,9,
S1,W12,2024-03-25,NT1,non_target,non_nodal,bone,measured,,present
"""


class Trialimg:
    """The command in a folder of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capture = folder, capture

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """What it prints on stdout and stderr; the exit code must be the one given."""
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["respond", *arguments])
        printed = self.capture.readouterr()
        assert ended.value.code == code, printed.err
        return printed.out, printed.err

    def rows(self, *arguments: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self(*arguments)[0])))

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json")[0])


@pytest.fixture
def trialimg(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Trialimg:
    return Trialimg(tmp_path, capsys)


class TestTimepoint:
    def test_one_line_per_follow_up(self, trialimg: Trialimg) -> None:
        first, second = trialimg.rows("timepoint", trialimg.file("lesions.csv", LESIONS))
        assert list(first) == [
            "subject", "timepoint", "date", "target", "non_target", "new_lesion", "overall", "sum_mm",
            "baseline_sum_mm", "nadir_mm", "change_from_baseline_pct", "change_from_nadir_pct",
            "change_from_nadir_mm", "rule",
        ]  # fmt: skip
        assert (first["target"], first["overall"], first["sum_mm"]) == ("CR", "PR", "9")
        assert (second["target"], second["overall"], second["sum_mm"]) == ("PD", "PD", "15.2")
        assert second["rule"].split() == ["R-1.1/T1", "R-1.1/NT3", "R-1.1/R16", "R-1.1/O1"]
        assert (second["change_from_nadir_mm"], second["change_from_nadir_pct"]) == ("6.2", "68.89")

    def test_json_is_one_document_with_the_settings(self, trialimg: Trialimg) -> None:
        document = trialimg.json("timepoint", trialimg.file("lesions.csv", LESIONS), "--set", "pr_hold=hold_after_pr")
        assert document["criterion"] == "recist11"
        assert document["settings"]["pr_hold"] == "hold_after_pr"
        assert [(row["overall"], row["sum_mm"]) for row in document["timepoints"]] == [("PR", 9.0), ("PD", 15.2)]

    def test_the_other_criterion_gives_its_own_answer(self, trialimg: Trialimg) -> None:
        lesions = trialimg.file("lesions.csv", LESIONS)
        assert [row["target"] for row in trialimg.rows("timepoint", lesions, "--criterion", "recist10")] == ["PR", "PD"]

    def test_facts_of_timepoints_come_from_their_own_table(self, trialimg: Trialimg) -> None:
        lesions = trialimg.file("lesions.csv", LESIONS)
        facts = trialimg.file("facts.csv", "subject,timepoint,pet\nS1,BL,negative\nS1,W06,positive\n")
        rows = trialimg.rows("timepoint", lesions, "--assessments", facts)
        assert [row["overall"] for row in rows] == ["PD", "PD"]

    def test_a_file_gets_the_table_and_stdout_nothing(self, trialimg: Trialimg) -> None:
        lesions, out = trialimg.file("lesions.csv", LESIONS), trialimg.folder / "out.csv"
        assert trialimg("timepoint", lesions, "--out", str(out))[0] == ""
        assert out.read_text() == trialimg("timepoint", lesions)[0]
        assert sorted(path.name for path in trialimg.folder.iterdir()) == ["lesions.csv", "out.csv"]

    def test_a_bad_table_is_refused_whole_and_nothing_is_written(self, trialimg: Trialimg) -> None:
        wrong = LESIONS.replace(",40.0,", ",-40.0,").replace("absent", "vanished")
        lesions, out = trialimg.file("lesions.csv", wrong), trialimg.folder / "out.csv"
        printed, complaint = trialimg("timepoint", lesions, "--out", str(out), "--json", code=2)
        assert printed == ""
        assert not out.exists()
        *faults, last = complaint.splitlines()
        assert [fault.partition(": ")[0] for fault in faults] == [f"{lesions}:2", f"{lesions}:5"]
        assert last == f"trialimg: error: {lesions}: 2 fault(s), nothing was judged"

    def test_what_was_wrong_with_the_targets_is_noted_on_stderr(self, trialimg: Trialimg) -> None:
        small = LESIONS.replace("measured,18,", "measured,14,")
        noted = trialimg("timepoint", trialimg.file("lesions.csv", small))[1]
        assert "S1 BL N1: node short axis 14 mm < 15 mm (R3) [target_node_too_small]" in noted

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["--set", "colour=red"], "there is no setting 'colour'"),
            (["--set", "pr_hold"], "is not KEY=VALUE"),
            (["--set", "strict=1", "--set", "strict=0"], "stands twice"),
            (["--criterion", "recist12"], "there is no criterion 'recist12'"),
            (["--assessments", "nowhere.csv"], "nowhere.csv: No such file"),
            (["--out", "/nowhere/at/all.csv"], "cannot be written"),
        ],
    )
    def test_bad_options_are_refused(self, trialimg: Trialimg, arguments: list[str], complaint: str) -> None:
        assert complaint in trialimg("timepoint", trialimg.file("lesions.csv", LESIONS), *arguments, code=2)[1]

    def test_a_file_that_is_no_text_is_refused(self, trialimg: Trialimg) -> None:
        path = trialimg.folder / "lesions.xlsx"
        path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
        assert "not a UTF-8 text file" in trialimg("timepoint", str(path), code=2)[1]


class TestSdtm:
    TU = "USUBJID,VISIT,VISITNUM,TULOC,TUTESTCD,TUSTRESC,TULNKID\nS1,BL,1,LYMPH NODE,TUMIDENT,TARGET,T01\n"
    TR = """\
USUBJID,TRLNKID,TRTESTCD,TRSTRESC,TRSTRESU,VISITNUM,VISIT,TRDTC
S1,T01,LDIAM,30,mm,1,BL,2024-01-01
S1,T01,LPERP,20,mm,1,BL,2024-01-01
S1,T01,LDIAM,20,mm,2,W06,2024-02-12
S1,T01,LPERP,9,mm,2,W06,2024-02-12
S1,T01,LPERP,9,mm,3,W12,2024
"""

    def test_tables_are_read_straight_and_what_is_unusable_is_named(self, trialimg: Trialimg) -> None:
        tu, tr = trialimg.file("tu.csv", self.TU), trialimg.file("tr.csv", self.TR)
        (row,) = trialimg.rows("timepoint", "--sdtm", tu, tr)
        assert (row["target"], row["sum_mm"]) == ("PR", "20")
        nodes = trialimg.file("nodes.csv", "subject,lesion\nS1,T01\n")
        (row,) = trialimg.rows("timepoint", "--sdtm", tu, tr, "--nodes", nodes)
        assert (row["target"], row["sum_mm"]) == ("CR", "9")
        assert "partial_date" in trialimg("timepoint", "--sdtm", tu, tr)[1]
        assert "CR" in trialimg("explain", "--sdtm", tu, tr, "--nodes", nodes)[0]

    def test_where_nothing_can_be_used_nothing_is_judged(self, trialimg: Trialimg) -> None:
        tu = trialimg.file("tu.csv", self.TU.replace(",1,", ",first,"))
        refused = trialimg("timepoint", "--sdtm", tu, trialimg.file("tr.csv", self.TR), code=2)
        assert "nothing that can be judged" in refused[1]
        assert "tu.csv:2" in refused[1]

    def test_a_transport_file_is_read_as_its_table(self, trialimg: Trialimg) -> None:
        lines = [line.split(",") for line in self.TR.splitlines()]
        columns = {name: [line[n] for line in lines[1:]] for n, name in enumerate(lines[0])}
        path = trialimg.folder / "tr.xpt"
        path.write_bytes(transport_file(columns))
        tu, tr = trialimg.file("tu.csv", self.TU), trialimg.file("tr.csv", self.TR)
        assert trialimg.rows("timepoint", "--sdtm", tu, str(path)) == trialimg.rows("timepoint", "--sdtm", tu, tr)

    def test_one_source_at_a_time(self, trialimg: Trialimg) -> None:
        lesions = trialimg.file("lesions.csv", LESIONS)
        assert "either" in trialimg("timepoint", code=2)[1]
        assert "either" in trialimg("timepoint", lesions, "--sdtm", lesions, lesions, code=2)[1]
        assert "--nodes" in trialimg("timepoint", lesions, "--nodes", lesions, code=2)[1]
        assert "--baseline" in trialimg("timepoint", "--sdtm", lesions, lesions, "--baseline", "BL", code=2)[1]


class TestGrowth:
    def test_one_line_per_subject_with_rates_and_standard_errors(self, trialimg: Trialimg) -> None:
        head = "subject,timepoint,date,lesion,role,kind,organ,seen,diameter_mm\n"
        sums = {
            "BL": ("2024-01-01", 80),
            "W06": ("2024-02-12", 64),
            "W12": ("2024-03-25", 51),
            "W18": ("2024-05-06", 41),
        }
        rows = [f"S1,{visit},{day},T1,target,non_nodal,liver,measured,{mm}" for visit, (day, mm) in sums.items()]
        lesions = trialimg.file("lesions.csv", head + "\n".join([*rows, rows[0].replace("S1", "S2")]) + "\n")
        first, second = trialimg.rows("growth", lesions)
        assert (first["model"], first["measurements"], first["g_per_day"]) == ("dx", "4", "")
        assert float(first["d_per_day"]) == pytest.approx(0.0053, abs=1e-4)
        assert 0 < float(first["d_se"]) < 1e-4
        assert (second["subject"], second["model"]) == ("S2", "")


class TestExplain:
    def test_sentences_give_the_numbers(self, trialimg: Trialimg) -> None:
        text = trialimg("explain", trialimg.file("lesions.csv", LESIONS), "--timepoint", "W12")[0]
        assert "S1, W12, 2024-03-25: PD" in text
        assert "sum 15.2 mm >= 1.20 x nadir 9 mm = 10.80 mm and +6.2 mm >= 5 mm: PD" in text
        assert "W06," not in text
        assert "pr_hold=recompute" in text

    def test_json_carries_the_compared_numbers(self, trialimg: Trialimg) -> None:
        document = trialimg.json("explain", trialimg.file("lesions.csv", LESIONS), "--subject", "S1")
        rule = document["timepoints"][1]["rules"][0]
        assert rule["rule"] == "R-1.1/T1"
        assert rule["numbers"] == {"sum_mm": "15.2", "nadir_mm": "9", "limit_mm": "10.80", "growth_mm": "6.2"}

    def test_there_must_be_something_to_explain(self, trialimg: Trialimg) -> None:
        lesions = trialimg.file("lesions.csv", LESIONS)
        assert "no response to explain for BL" in trialimg("explain", lesions, "--timepoint", "BL", code=2)[1]

    def test_the_reasons_of_other_criteria_are_sentences_too(self, trialimg: Trialimg) -> None:
        rows = "S1,BL,2024-01-01,,10,\nS1,W08,2024-02-26,PD,10,0\n"
        table = trialimg.file("scans.csv", f"subject,timepoint,date,soft_tissue,bone_lesions,bone_new\n{rows}")
        told = trialimg("explain", "--criterion", "pcwg3", "--assessments", table, "--set", "pcwg2_soft_confirm=true")[
            0
        ]
        assert "S1, W08, 2024-02-26: PDu" in told
        assert "PCWG3/B6     soft tissue PD at W08, the first assessment, waits 42 days: PDu" in told
        assert "pcwg2_soft_confirm=true" in told
        pet = trialimg.file("pet.csv", "subject,timepoint,lesion_suv,mediastinum_suv,liver_suv\nS1,W06,2,1.5,3\n")
        lesions = trialimg.file("lesions.csv", LESIONS)
        told = trialimg("explain", lesions, "--criterion", "lugano2014", "--assessments", pet, "--timepoint", "W06")[0]
        assert "SUVmax 2 beside mediastinum 1.5, liver 3 (5: 2 x liver): score 3" in told


class TestOverall:
    def test_the_table_is_read_line_by_line(self, trialimg: Trialimg) -> None:
        triples = "target,non_target,new\nCR,NON-CR/NON-PD,no\nSD,NE,equivocal\nSD,CR,unequivocal\n,CR,\nNA,NA,no\n"
        rows = trialimg.rows("overall", trialimg.file("triples.csv", triples))
        assert [row["overall"] for row in rows] == ["PR", "SD", "PD", "CR", "NED"]
        assert [row["rule"] for row in rows] == ["R-1.1/O1"] * 3 + ["R-1.1/O2", "R-1.1/O3"]

    def test_words_that_are_not_known_are_refused(self, trialimg: Trialimg) -> None:
        triples = trialimg.file("triples.csv", "target,non_target,new\nCR,CR,Y\nOK,CR,no\n")
        complaint = trialimg("overall", triples, code=2)[1]
        assert f"{triples}:2" in complaint
        assert f"{triples}:3" in complaint


class TestSubject:
    RESPONSES = "subject,date,response\nS1,2024-02-12,PR\nS1,2024-03-25,PR\nS1,2024-08-01,PD\nS2,2024-01-20,SD\n"
    SUBJECTS = "subject,reference_date,death_date\nS1,2024-01-01,\nS2,2024-01-01,2024-02-01\nS3,2024-01-01,\n"
    SCHEDULE = "visit,day\nW06,43\nW12,85\nW18,127\nW24,169\n"

    def run(self, trialimg: Trialimg, *options: str) -> dict[str, dict[str, str]]:
        rows = trialimg.rows(
            "subject",
            trialimg.file("responses.csv", self.RESPONSES),
            "--subjects",
            trialimg.file("subjects.csv", self.SUBJECTS),
            *options,
        )
        return {row["subject"]: row for row in rows}

    def test_every_subject_has_a_line(self, trialimg: Trialimg) -> None:
        found = self.run(trialimg)
        assert [found[s]["bor"] for s in ("S1", "S2", "S3")] == ["PR", "NE", "MISSING"]
        assert (found["S1"]["confirmed_bor"], found["S1"]["confirmed_bor_date"]) == ("PR", "2024-02-12")
        assert (found["S1"]["pfs_days"], found["S1"]["pfs_event"]) == ("214", "Y")
        assert (found["S2"]["pfs_days"], found["S2"]["pfs_rule"]) == (
            "32",
            "E/PFS-E: event on day 32 (2024-02-01): death",
        )
        assert (found["S3"]["pfs_days"], found["S3"]["pfs_event"]) == ("1", "N")

    def test_a_schedule_makes_missed_assessments_visible(self, trialimg: Trialimg) -> None:
        schedule = trialimg.file("schedule.csv", self.SCHEDULE)
        assert self.run(trialimg, "--schedule", schedule)["S1"]["pfs_rule"].startswith("E/PFS-C4")
        assert self.run(trialimg, "--schedule", schedule, "--censoring", "ema")["S1"]["pfs_event"] == "Y"

    def test_options_change_the_answer(self, trialimg: Trialimg) -> None:
        assert self.run(trialimg, "--ref-start-window", "19")["S2"]["bor"] == "SD"
        assert self.run(trialimg, "--ref-confirm", "43")["S1"]["confirmed_bor"] == "SD"

    def test_json_prints_every_setting(self, trialimg: Trialimg) -> None:
        responses = trialimg.file("responses.csv", self.RESPONSES)
        subjects = trialimg.file("subjects.csv", self.SUBJECTS)
        options = ("--profile", "admiralonco", "--max-ne", "2", "--accept-sd")
        settings = trialimg.json("subject", responses, "--subjects", subjects, *options)["settings"]
        assert (settings["profile"], settings["max_ne"], settings["accept_sd"]) == ("admiralonco", "2", "true")

    def test_without_subjects_it_says_what_cannot_be_known(self, trialimg: Trialimg) -> None:
        responses = trialimg.file("responses.csv", self.RESPONSES)
        printed, noted = trialimg("subject", responses)
        assert "no reference date" in noted
        assert printed.splitlines()[1].startswith("S1,PR,2024-02-12,PR,")

    @pytest.mark.parametrize(
        ("name", "text", "complaint"),
        [
            ("responses.csv", "subject,date,response\nS1,2024-02-12,OK\nS1,yesterday,PR\n", "responses.csv:3"),
            ("responses.csv", "subject,date,response\nS9,2024-02-12,PR\n", "S9"),
            ("responses.csv", "subject,date,response\nS1,2024-02-12,PR\nS1,2024-02-12,SD\n", "double_row"),
            ("schedule.csv", "visit,day\nW12,85\nW06,43\n", "bad_schedule"),
            ("schedule.csv", "visit,day\nW06,soon\n", "not a whole number"),
        ],
    )
    def test_what_is_refused(self, trialimg: Trialimg, name: str, text: str, complaint: str) -> None:
        files = {"responses.csv": self.RESPONSES, "schedule.csv": self.SCHEDULE} | {name: text}
        paths = {key: trialimg.file(key, value) for key, value in files.items()}
        subjects = trialimg.file("subjects.csv", self.SUBJECTS)
        arguments = ("subject", paths["responses.csv"], "--subjects", subjects, "--schedule", paths["schedule.csv"])
        assert complaint in trialimg(*arguments, code=2)[1]

    def test_words_of_irecist_give_its_best_response_and_its_date_of_progression(self, trialimg: Trialimg) -> None:
        words = {"2024-02-12": "iUPD", "2024-03-25": "iPR", "2024-05-06": "iUPD", "2024-06-17": "iCPD"}
        lines = "".join(f"S1,{day},{word}\n" for day, word in words.items())
        responses = trialimg.file("responses.csv", "subject,date,response\n" + lines + "S2,2024-02-12,NE\n")
        subjects = trialimg.file("subjects.csv", self.SUBJECTS)
        first, second, third = trialimg.rows("subject", responses, "--subjects", subjects)
        assert (first["ibor"], first["ibor_date"], first["progression_date"]) == ("iPR", "2024-03-25", "2024-05-06")
        assert [row["ibor"] for row in (second, third)] == ["NE", ""]

    def test_words_of_two_families_are_refused(self, trialimg: Trialimg) -> None:
        responses = trialimg.file("responses.csv", "subject,date,response\nS1,2024-02-12,iPR\nS1,2024-03-25,SD\n")
        assert "responses.csv" in trialimg("subject", responses, code=2)[1]

    @pytest.mark.parametrize(
        ("dates", "code"),
        [
            ("2024-03-01,2024-01-01,,", "before_reference"),
            ("2024-03-01,,,2024-01-01", "before_reference"),
            ("2024-03-01,2024-06-01,2024-07-01,", "after_death"),
        ],
    )
    def test_dates_that_cannot_be_in_order_are_refused(self, trialimg: Trialimg, dates: str, code: str) -> None:
        header = "subject,reference_date,death_date,last_contact_date,new_therapy_date\n"
        subjects = trialimg.file("subjects.csv", f"{header}S1,{dates}\n")
        responses = trialimg.file("responses.csv", "subject,date,response\nS1,2024-04-12,PR\n")
        assert f"[{code}]" in trialimg("subject", responses, "--subjects", subjects, code=2)[1]

    def test_responses_before_the_reference_date_and_after_death_are_noted(self, trialimg: Trialimg) -> None:
        subjects = trialimg.file("subjects.csv", "subject,reference_date,death_date\nS1,2024-03-01,2024-06-01\n")
        lines = "S1,2024-02-12,SD\nS1,2024-04-12,PR\nS1,2024-07-12,PD\n"
        responses = trialimg.file("responses.csv", "subject,date,response\n" + lines)
        noted = trialimg("subject", responses, "--subjects", subjects)[1]
        assert [code for code in ("before_reference", "after_death") if f"[{code}]" in noted] == [
            "before_reference",
            "after_death",
        ]
        codes = [f["code"] for f in trialimg.json("subject", responses, "--subjects", subjects)["findings"]]
        assert codes == ["before_reference", "after_death"]

    def test_a_criterion_sets_what_its_paper_asks_for_and_names_its_own_best_response(self, trialimg: Trialimg) -> None:
        lines = "S1,2024-02-12,PR\nS1,2024-03-25,preliminary PD\n"
        responses = trialimg.file("responses.csv", "subject,date,response\n" + lines)
        subjects = trialimg.file("subjects.csv", self.SUBJECTS)
        found = trialimg.json("subject", responses, "--subjects", subjects, "--criterion", "rano2")
        assert (found["criterion"], found["settings"]["confirmation_required"]) == ("rano2", "true")
        first = found["subjects"][0]
        assert (first["bor"], first["confirmed_bor"], first["responder"]) == ("PR", "SD", False)
        assert (first["own_bor"], first["progression_date"]) == ("PR", "2024-03-25")
        changed = ("--criterion", "rano2", "--set", "confirmation_required=false")
        assert trialimg.rows("subject", responses, "--subjects", subjects, *changed)[0]["responder"] == "Y"

    def test_what_unresolved_pdu_counts_as_is_set_and_reported(self, trialimg: Trialimg) -> None:
        responses = trialimg.file("responses.csv", "subject,date,response\nS1,2024-02-12,PDu\n")
        arguments = ("subject", responses, "--criterion", "pcwg3", "--ref-start-window", "0")
        assert [row["bor"] for row in trialimg.rows(*arguments)] == ["SD"]
        found = trialimg.json(*arguments, "--set", "pdu_bor=pd")
        assert (found["subjects"][0]["bor"], found["settings"]["pdu_bor"]) == ("PD", "pd")

    @pytest.mark.parametrize(
        ("criterion", "word"), [("percist", "PR"), ("recist11", "CMR"), ("irecist", "NA"), ("lyric", "PDu")]
    )
    def test_words_that_do_not_belong_to_the_criterion_are_refused(
        self, trialimg: Trialimg, criterion: str, word: str
    ) -> None:
        responses = trialimg.file("responses.csv", f"subject,date,response\nS1,2024-02-12,{word}\n")
        complaint = trialimg("subject", responses, "--criterion", criterion, code=2)[1]
        assert f"responses.csv:2: response {word!r} is not one of" in complaint

    def test_an_unknown_criterion_is_refused(self, trialimg: Trialimg) -> None:
        responses = trialimg.file("responses.csv", self.RESPONSES)
        assert "there is no criterion 'recist'" in trialimg("subject", responses, "--criterion", "recist", code=2)[1]

    def test_an_unknown_profile_is_refused(self, trialimg: Trialimg) -> None:
        responses = trialimg.file("responses.csv", self.RESPONSES)
        assert "there is no profile 'who'" in trialimg("subject", responses, "--profile", "who", code=2)[1]
