"""Two readers and an adjudicator take a small trial from received cases to its results by `trialimg review`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.fakes.central_review import TRIAL, double
from tests.fakes.people import ALWAYS, PASSWORD, FakeIdentity
from tests.fakes.records import granted
from tests.integration.verbs import Answer, require_refusal, run
from trialimg import bootstrap
from trialimg.core.access import Actor, Role
from trialimg.services.journal import Journal
from trialimg.services.people_credentials import renew
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.training import record_training, write_acknowledgement

STAFF = {"ana": Role.ANALYST, "rita": Role.RADIOLOGIST, "ron": Role.RADIOLOGIST, "judy": Role.ADJUDICATOR}
VISITS = (("BL", "2026-01-05"), ("W06", "2026-02-16"), ("W12", "2026-03-30"))
SIZES = {
    "C0001": {"rita": ("50", "30", "30"), "ron": ("52", "33", "31")},  # both PR
    "C0002": {"rita": ("40", "25", "24"), "ron": ("40", "30", "29")},  # PR against SD
    "C0003": {"rita": ("30", "38", ""), "ron": ("30", "38", "")},  # both PD
}
COLUMNS = ("subject", "timepoint", "date", "lesion", "role", "kind", "organ", "seen", "diameter_mm", "reason")


class Office:
    """An installation with its people signed in, and the command run by one of them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys, self.environment = folder, capsys, monkeypatch
        (folder / "home").mkdir()
        self.records = bootstrap.records(folder / "home")
        self.identity = FakeIdentity()
        monkeypatch.setattr(bootstrap, "identity", lambda: self.identity)
        for name, value in (("HOME", folder / "home"), ("PASSWORD", PASSWORD), ("CODE", ALWAYS), ("TRIAL", TRIAL)):
            monkeypatch.setenv(f"TRIALIMG_{name}", str(value))
        self.actors: dict[str, Actor] = {}
        self.tokens = {name: self._token(name, role) for name, role in STAFF.items()}

    def _token(self, name: str, role: Role) -> str:
        granted(self.records, name, role, trial=TRIAL)
        token = session_token(f"{name} {role.value}", self.identity.new_token())
        self.actors[name] = Actor(name, role, session_key(token))
        with self.records.store.changing() as transaction:
            journal = Journal(transaction, self.actors[name], self.records)
            renew(journal, name, self.identity, PASSWORD)
            open_session(journal, token, step=None, is_command=False)
            write_acknowledgement(journal, ("password", "code"))
        return token

    def run(self, name: str, *arguments: object, verb: str = "review") -> Answer:
        self.environment.setenv("TRIALIMG_SESSION", self.tokens[name])
        return run(self.capsys, verb, *arguments)

    def done(self, name: str, *arguments: object, verb: str = "review") -> str:
        answer = self.run(name, *arguments, verb=verb)
        assert answer.code == 0, answer.err
        return answer.out

    def told(self, name: str, *arguments: object) -> dict:
        return json.loads(self.done(name, *arguments, "--json"))

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def aliases(self, name: str) -> dict[str, str]:
        """Code of each case to what one person calls it."""
        cases = self.told("ana", "status")["cases"]
        return {one["case"]: read["alias"] for one in cases for read in one["reads"] if read["reader"] == name}


def table(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def reads_of(office: Office, name: str) -> list[dict[str, str]]:
    """One reader's table: one liver lesion per case."""
    lesion = {"lesion": "T01", "role": "target", "kind": "non_nodal", "organ": "liver"}
    return [
        {**lesion, "subject": alias, "timepoint": visit, "date": day, "diameter_mm": size,
         "seen": "measured" if size else "not_evaluable", "reason": "" if size else "no contrast given"}
        for code, alias in office.aliases(name).items()
        for (visit, day), size in zip(VISITS, SIZES[code][name], strict=True)
    ]  # fmt: skip


@pytest.fixture
def office(tmp_path, capsys, monkeypatch):
    made = Office(tmp_path, capsys, monkeypatch)
    protocol = made.file("protocol.yaml", double())
    made.done("ana", "open", protocol, "--reason", "the charter is approved", verb="trial")
    for name in ("rita", "ron", "judy"):
        record_training(made.records, made.actors["ana"], name, trial=TRIAL, charter_version="1.0", what="course")
    lines = [f"{code},S-{code},{visit},{day}" for code in SIZES for visit, day in VISITS]
    cases = made.file("cases.csv", "\n".join(["case,subject,timepoint,date", *lines]) + "\n")
    assert made.told("ana", "receive", cases)["received"] == list(SIZES)
    made.done("ana", "assign")
    return made


def read_through(office: Office, name: str) -> None:
    path = office.file(f"{name}.csv", table(reads_of(office, name)))
    imported = office.told(name, "import", path)["imported"]
    assert {(tuple(one["locked"]), tuple(one["drafted"])) for one in imported} == {(("BL", "W06"), ("W12",))}
    assert len(office.told(name, "lock", "--all")["locked"]) == len(SIZES)
    assert len(office.told(name, "sign", "--all")["signed"]) == len(SIZES)


def test_a_trial_is_read_by_two_settled_by_a_third_and_its_results_say_how(office):
    for name in ("rita", "ron"):
        assert [row["visit"] for row in office.told(name, "worklist")["worklist"]] == ["BL"] * 3
        read_through(office, name)
        assert "nothing waits for you" in office.done(name, "worklist")
    states = {one["case"]: one["state"] for one in office.told("ana", "status")["cases"]}
    assert states == {"C0001": "final", "C0002": "adjudication", "C0003": "final"}
    assert office.told("ana", "discordances", "C0002")["discordances"][0]["variable"] == "best_response"
    assert office.done("ana", "discordances", "C0001") == "the reads agree\n"

    (given,) = office.told("ana", "assign")["assignments"]
    assert (given["seat"], given["reader"]) == ("adjudicator", "judy")
    (row,) = office.told("judy", "worklist")["worklist"]
    shown = json.loads(office.done("judy", "adjudicate", row["alias"]))
    assert "rita" not in str(shown) and "ron" not in str(shown)
    letter = next(at for at, read in shown["reads"].items() if read["answer"]["best_response"] == "PR")
    require_refusal(office.run("judy", "adjudicate", row["alias"], "--choose", letter), "--code and --because")
    reason = ("--code", "measurement", "--because", "the other read stops short of the edge")
    assert "chosen and signed" in office.done("judy", "adjudicate", row["alias"], "--choose", letter, *reason)

    results = {one["case"]: one for one in office.told("ana", "result")["results"]}
    assert {code: (one["answer"]["compared"]["best_response"], one["by"]) for code, one in results.items()} == {
        "C0001": ("PR", "agreement"),
        "C0002": ("PR", "verdict"),
        "C0003": ("PD", "agreement"),
    }
    by_reader = {read["seat"]: read["reader"] for read in _status(office, "C0002")["reads"]}
    assert by_reader[results["C0002"]["read"]["seat"]] == "rita"
    assert run(office.capsys, "verify").code == 0


def test_the_flow_and_the_concordance_of_a_review_are_made_of_its_records(office):
    read_through(office, "rita")
    read_through(office, "ron")
    out = office.folder / "flow.svg"
    flow = json.loads(office.done("ana", "adjudication-flow", "--trial", TRIAL, "--out", out, "--json", verb="figure"))
    counts = flow["numbers"]
    assert (counts["cases"], counts["both_reads"], counts["concordant"], counts["discordant"]) == (3, 3, 2, 1)
    assert counts["awaiting_adjudication"] == 1
    assert "signed reads of T-1" in json.dumps(flow["specification"]["footnotes"])
    page = office.folder / "c.html"
    table = json.loads(office.done("ana", "concordance", "--trial", TRIAL, "--out", page, "--json", verb="table"))
    assert table["numbers"]["n"] == 3
    assert table["specification"]["title"] == "Concordance of radiologist 1 and radiologist 2"
    assert not any(name in page.read_text() for name in ("rita", "ron,"))
    neither = office.run("ana", "adjudication-flow", "--out", out, verb="figure")
    require_refusal(neither, "give a table, or the trial of a central review with --trial")
    refused = office.run("rita", "concordance", "--trial", TRIAL, "--out", page, "--role", "radiologist", verb="table")
    assert refused.code == 2


def _status(office: Office, code: str) -> dict:
    return next(one for one in office.told("ana", "status")["cases"] if one["case"] == code)


def test_a_table_with_faults_names_them_all_and_writes_nothing(office):
    rows = reads_of(office, "rita")
    rows[0]["diameter_mm"] = "large"
    rows[2]["date"] = "2026-03-31"
    rows[3]["subject"] = "R-UNKNOWN"
    rows[5]["role"] = "nontarget"
    before = len(list(_entries(office)))
    answer = office.run("rita", "import", office.file("wrong.csv", table(rows)))
    require_refusal(answer, "4 fault(s), nothing was imported")
    assert [line.rpartition(" ")[2] for line in answer.err.splitlines()[:-1]] == [
        "[bad_value]", "[other_date]", "[not_yours]", "[bad_value]",
    ]  # fmt: skip
    assert [entry.action for entry in list(_entries(office))[before:]] == ["refuse_access"]
    assert {read["state"] for one in office.told("ana", "status")["cases"] for read in one["reads"]} == {"assigned"}


def _entries(office: Office):
    from trialimg.services.records import EntryQuery

    with office.records.store.reading() as transaction:
        yield from transaction.entries(EntryQuery(trial=TRIAL))


def test_a_blank_that_would_have_to_be_locked_stops_the_whole_table(office):
    rows = reads_of(office, "rita")
    rows[3]["diameter_mm"], rows[3]["seen"] = "", "not_evaluable"  # a baseline that must be locked, without a reason
    passed_over = rows.pop(1)
    answer = office.run("rita", "import", office.file("gap.csv", table(rows)))
    require_refusal(answer, "2 fault(s), nothing was imported")
    assert f"{passed_over['subject']} W06: nothing is said of it, but later timepoints are written" in answer.err
    assert f"{rows[2]['subject']} BL T01: reason is blank [blank]" in answer.err
    assert {row["state"] for row in office.told("rita", "worklist")["worklist"]} == {"assigned"}


def test_a_read_is_corrected_only_after_a_signed_request(office):
    read_through(office, "rita")
    alias = office.aliases("rita")["C0001"]
    require_refusal(office.run("rita", "correct", alias, "--reason", "wrong nodule"), "nobody reopened")
    office.done("rita", "correct", alias, "--ask", "--reason", "wrong nodule")
    seat = next(read["seat"] for read in _status(office, "C0001")["reads"] if read["reader"] == "rita")
    office.done("ana", "reopen", "C0001", "--seat", seat, "--timepoint", "W12", "--reason", "asked by the reader")
    office.done("rita", "correct", alias, "--reason", "wrong nodule")
    fixed = [{**row, "diameter_mm": "26"} for row in reads_of(office, "rita") if row["subject"] == alias][-1:]
    office.done("rita", "import", office.file("fixed.csv", table(fixed)))
    office.done("rita", "lock", alias)
    office.done("rita", "sign", alias)
    assert "corrected" not in office.done("rita", "worklist")


def test_what_people_may_not_do_is_refused_in_one_line(office):
    require_refusal(office.run("rita", "status"), "radiologist may not view readers")
    require_refusal(office.run("rita", "assign"), "radiologist may not assign reads")
    require_refusal(office.run("ana", "worklist"), "may not read")
    require_refusal(office.run("rita", "open", office.aliases("ron")["C0001"]), "rita has no case")
    require_refusal(office.run("ana", "result", "C0001"), "no result that may be given out")
    require_refusal(office.run("ana", "receive"), "either a table of CASES, or --from-run")
    require_refusal(office.run("rita", "lock"), "name your cases, or give --all")


def test_a_late_visit_is_read_behind_what_is_locked(office):
    read_through(office, "rita")
    late = office.file("late.csv", "case,subject,timepoint,date\nC0001,S-C0001,W18,2026-05-11\n")
    assert office.done("ana", "extend", late) == "C0001: W18 received later\n"
    require_refusal(office.run("ana", "extend", late), "nothing was received")
    (row,) = office.told("rita", "worklist")["worklist"]
    assert (row["alias"], row["visit"]) == (office.aliases("rita")["C0001"], "W18")


def test_a_subject_who_withdraws_is_used_no_more(office):
    read_through(office, "rita")
    office.done("ana", "withdraw", "S-C0001", "--reason", "letter of 2026-04-01")
    assert _status(office, "C0001")["state"] == "withdrawn"
    require_refusal(office.run("rita", "open", office.aliases("rita")["C0001"]), "withdrew consent")
