"""The verbs of `trialimg trial` on a real installation in SQLite, from opening a trial to its inspection copy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.people import ALWAYS, PASSWORD, FakeIdentity
from tests.fakes.records import granted
from tests.fakes.trials import TRIAL, case_id, kept_case
from tests.integration.verbs import Answer, run
from tests.unit.protocol.texts import VALID
from trialimg import bootstrap
from trialimg.core.access import Actor, Role
from trialimg.protocol.load import load_protocol
from trialimg.services.archive import read_copy
from trialimg.services.journal import Journal
from trialimg.services.people_credentials import renew
from trialimg.services.people_sessions import open_session, session_key, session_token
from trialimg.services.records import EntryQuery
from trialimg.services.signatures import signature_of
from trialimg.services.training import write_acknowledgement

WHY = ("--reason", "it was agreed")


class Office:
    """An installation, and the command run by one of its people."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.capsys, self.environment = home, capsys, monkeypatch
        home.mkdir()
        self.records = bootstrap.records(home)
        self.identity = FakeIdentity()
        self.actors: dict[str, Actor] = {}
        monkeypatch.setattr(bootstrap, "identity", lambda: self.identity)
        monkeypatch.setenv("TRIALIMG_HOME", str(home))
        monkeypatch.setenv("TRIALIMG_PASSWORD", PASSWORD)
        monkeypatch.setenv("TRIALIMG_CODE", ALWAYS)
        monkeypatch.setenv("COLUMNS", "160")
        self.tokens = {role: self._token(role) for role in (Role.ANALYST, Role.INSPECTOR, Role.RADIOLOGIST)}

    def _token(self, role: Role) -> str:
        user = f"u-{role.value}"
        granted(self.records, user, role)
        token = session_token(f"{user} {role.value}", self.identity.new_token())
        actor = Actor(user, role, session_key(token))
        with self.records.store.changing() as transaction:
            journal = Journal(transaction, actor, self.records)
            renew(journal, user, self.identity, PASSWORD)
            open_session(journal, token, step=None, is_command=False)
            write_acknowledgement(journal, ("password", "code"))
        self.actors[user] = actor
        return token

    def verb(self, *arguments: object, role: Role = Role.ANALYST) -> Answer:
        self.environment.setenv("TRIALIMG_SESSION", self.tokens[role])
        return run(self.capsys, *arguments)

    def trial(self, *arguments: object, role: Role = Role.ANALYST) -> Answer:
        return self.verb("trial", *arguments, role=role)

    def said(self, *arguments: object, role: Role = Role.ANALYST) -> object:
        answer = self.trial(*arguments, "--json", role=role)
        assert answer.code == 0, answer.err
        return json.loads(answer.out)

    @property
    def analyst(self) -> Actor:
        return self.actors["u-analyst"]


@pytest.fixture
def office(tmp_path, capsys, monkeypatch):
    return Office(tmp_path / "home", capsys, monkeypatch)


@pytest.fixture
def protocol(tmp_path):
    path = tmp_path / "protocol.yaml"
    path.write_text(VALID)
    return path


@pytest.fixture
def opened(office, protocol):
    assert office.trial("open", protocol, *WHY).code == 0
    return office


def test_a_trial_is_opened_amended_compared_and_its_charter_printed(opened, protocol, tmp_path):
    protocol.write_text(
        VALID.replace('version: "1.0"', 'version: "1.1"').replace("pr_decrease: 0.30", "pr_decrease: 0.35")
    )
    amended = opened.said("amend", protocol, *WHY)
    assert (amended["number"], amended["version"], amended["after_first_read"]) == (2, "1.1", False)
    found = opened.said("diff", TRIAL, 1, 2)
    assert {"key": "response.rules.pr_decrease", "before": "0.3", "after": "0.35"} in found["differences"]
    assert "+    pr_decrease: 0.35" in opened.trial("diff", TRIAL, 1, 2).out
    assert opened.trial("charter", TRIAL, "--out", tmp_path / "charter").code == 0
    assert "pr_<wbr>decrease" in (tmp_path / "charter" / "charter.html").read_text()
    assert (tmp_path / "charter" / "charter.pdf").read_bytes().startswith(b"%PDF-")
    again = opened.trial("amend", protocol, *WHY)
    assert (again.code, again.out) == (2, "")
    assert "nothing differs" in again.err


def test_a_site_is_activated_with_its_machines_and_the_key_is_nowhere_in_the_records(opened, monkeypatch):
    monkeypatch.setenv("TRIALIMG_SITE_KEY", "k-very-secret")
    today = datetime.now(UTC).date()
    site = ("site", TRIAL, "01", "active", "--from", today, "--ae-title", "HOSP_CT1", "--api-key", *WHY)
    assert opened.trial(*site).out == f"{TRIAL}/01: active, 2 source(s)\n"
    assert opened.said("status", TRIAL)["sites"] == {"active": 1}
    assert opened.trial("site", TRIAL, "99", "planned", *WHY).code == 2
    assert all(b"k-very-secret" not in path.read_bytes() for path in opened.home.rglob("*") if path.is_file())


def test_results_are_locked_named_and_opened_again(opened):
    kept_case(opened.records, opened.analyst, "C1")
    kept_case(opened.records, opened.analyst, "C2", state="adjudication")
    cut = opened.said("cut", TRIAL, "IA1", *WHY)
    assert [result["case"] for result in cut["cases"]] == [case_id("C1")]
    status = opened.said("status", TRIAL)
    assert (status["data_cuts"], status["moved_since_cut"]) == ({f"{TRIAL}/IA1": "locked"}, 0)
    assert opened.trial("unlock", f"{TRIAL}/IA1", *WHY).code == 0
    kept_case(opened.records, opened.analyst, "C3", software="trialimg 0")
    mixed = opened.trial("cut", TRIAL, "IA2", *WHY)
    assert mixed.code == 2
    assert "trialimg 0, trialimg 1" in mixed.err
    assert opened.trial("cut", TRIAL, "IA2", *WHY, "--mixed-because", "validated alike").code == 0


@pytest.mark.requirement("E6-01")
def test_an_unblinding_is_signed_and_shows_in_the_audit_trail(opened):
    granted(opened.records, "sam", Role.SPONSOR)
    step = ("unblind", TRIAL, "--subject", "S1", "--reveals", "arm", "--to", "sam", "--unplanned")
    assert opened.trial(*step, "--assessment", "none of the reads is open", *WHY).code == 0
    lines = opened.said("audit", TRIAL, "--action", "unblind", role=Role.INSPECTOR)
    assert [(line["who"], line["reason"]) for line in lines] == [("u-analyst", "it was agreed")]
    assert opened.trial("unblind", TRIAL, "--reveals", "arm", "--planned", *WHY).code == 2


def test_the_audit_trail_is_filtered_and_reviewed(opened):
    today = datetime.now(UTC).date()
    kept_case(opened.records, opened.analyst, "C1", subject="S-1")
    of_subject = opened.said("audit", TRIAL, "--subject", "S-1", role=Role.INSPECTOR)
    assert {line["case"] for line in of_subject} == {case_id("C1")}
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert opened.said("audit", TRIAL, "--since", later, role=Role.INSPECTOR) == []
    assert [one["state"] for one in opened.said("audit-review", "list", TRIAL)] == ["running"]
    early = opened.trial("audit-review", "open", TRIAL, today)
    assert (early.code, early.out) == (2, "")


def test_an_incident_is_logged_and_closed(opened):
    assert opened.trial("incident", "report", "incident", "the disk was full", "--critical").out == "_/1: open\n"
    assert opened.trial("incident", "close", "_/1", "--answer", "space").code == 2
    closed = opened.trial("incident", "close", "_/1", "--answer", "space", "--cause", "no alarm", "--measure", "alarm")
    assert closed.code == 0


def test_readers_are_examined_and_reported(opened, tmp_path):
    granted(opened.records, "rita", Role.RADIOLOGIST)
    (tmp_path / "set.json").write_text(json.dumps({"name": "lung", "version": "1", "answers": {"Q1": {"bor": "PR"}}}))
    (tmp_path / "right.json").write_text(json.dumps({"Q1": {"bor": "PR"}}))
    (tmp_path / "wrong.json").write_text(json.dumps({"Q1": {"bor": "SD"}}))
    (tmp_path / "odd.json").write_text("[]")
    examine = ("qualify", TRIAL, "rita", tmp_path / "set.json")
    assert opened.trial(*examine, tmp_path / "wrong.json").code == 1
    assert opened.trial(*examine, tmp_path / "odd.json").code == 2
    assert opened.said(*examine, tmp_path / "right.json")["state"] == "passed"
    assert opened.said("readers", TRIAL)["cases"] == 0
    assert "cannot be estimated" in opened.trial("readers", TRIAL).out
    assert opened.trial("retrain", TRIAL).code == 0


@pytest.mark.requirement("FDA-11")
@pytest.mark.requirement("A11-10")
@pytest.mark.requirement("P11-02")
def test_an_inspection_copy_opens_offline_with_its_verifier_which_names_what_was_altered(opened, tmp_path):
    kept_case(opened.records, opened.analyst, "C1", subject="S-1")
    kept_case(opened.records, opened.analyst, "C2", subject="S-2")
    out = tmp_path / "copy"
    said = opened.said("archive", case_id("C1"), "--out", out, role=Role.INSPECTOR)
    assert {path.name for path in out.iterdir()} >= {
        "copy.html",
        "copy.pdf",
        "copy.json",
        "charter.pdf",
        "verify_offline.py",
    }
    copy = read_copy((out / "copy.json").read_bytes())
    assert copy.lines == said["audit_lines"] == 6  # 2 of the case, 2 reads, 1 verdict, and that it was copied
    whole = verified(out)
    assert whole.returncode == 0, whole.stdout
    assert "S-2" not in "".join(path.read_text(errors="ignore") for path in out.glob("copy.*"))
    altered = (out / "records.jsonl").read_text().replace('\\"PR\\"', '\\"CR\\"', 1)
    (out / "records.jsonl").write_text(altered)
    found = verified(out)
    assert found.returncode == 1
    assert f"read {case_id('C1')}/first version 1" in found.stdout


@pytest.mark.requirement("P11-13")
def test_every_file_of_a_copy_is_under_a_detached_signature(opened, tmp_path):
    out = tmp_path / "copy"
    opened.said("archive", TRIAL, "--out", out, role=Role.INSPECTOR)
    pages = (out / "copy.pdf").read_bytes()
    (out / "copy.pdf").write_bytes(pages[:-1] + b"x")
    altered = verified(out)
    assert (altered.returncode, "copy.pdf" in altered.stdout) == (1, True)
    (out / "copy.pdf").write_bytes(pages)
    assert verified(out).returncode == 0
    listed = out / "files.json"
    listed.write_bytes(listed.read_bytes().replace(b'"copy.pdf"', b'"copy.pdg"'))
    assert verified(out).returncode == 1
    (out / "files.signatures.json").unlink()
    assert verified(out).returncode == 1


def verified(folder: Path) -> subprocess.CompletedProcess[str]:
    """By the one file that lies in the copy: isolated, without this package."""
    command = [sys.executable, "-I", str(folder / "verify_offline.py"), str(folder)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TRIALIMG", "PYTHON"))}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean, cwd=folder)


@pytest.mark.long
@pytest.mark.requirement("E6-10")
def test_a_protocol_is_run_on_a_synthetic_cohort_and_the_report_is_signed(office, protocol, root):
    shipped = root / "protocols" / "nsclc_recist11.yaml"
    small = ("--subjects", 1, "--timepoints", 2)
    answer = office.verb("protocol", "validate", shipped, *small, "--conclusion", "as it should be", "--json")
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    assert [check["passed"] for check in said["report"]["checks"]] == [True] * 4
    with office.records.store.reading() as transaction:
        kept = transaction.current("validation_report", "DEMO-NSCLC-01/1.0")
        signed = signature_of(transaction, kept)
    assert (signed.user, kept.body["conclusion"]) == ("u-analyst", "as it should be")
    assert kept.body["protocol_digest"] == load_protocol(shipped).digest


def test_a_reader_administers_nothing(opened, tmp_path):
    for arguments in (("status", TRIAL), ("readers", TRIAL), ("audit", TRIAL), ("cut", TRIAL, "X", *WHY)):
        answer = opened.trial(*arguments, role=Role.RADIOLOGIST)
        assert (answer.code, answer.out) == (2, "")
    assert opened.trial("archive", TRIAL, "--out", tmp_path / "x", role=Role.RADIOLOGIST).code == 2
    assert not (tmp_path / "x").exists()
    with opened.records.store.reading() as transaction:
        refused = list(transaction.entries(EntryQuery(action="refuse_access")))
    assert len(refused) == 5


def test_the_workload_is_planned_without_an_installation(protocol, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TRIALIMG_HOME", str(tmp_path / "nowhere"))
    minutes = ("--baseline-min", 30, "--followup-min", 10, "--adjudication-min", 15, "--replicates", 50)
    answer = run(capsys, "trial", "plan", protocol, "--cases", "5,10x2", *minutes, "--json")
    months = json.loads(answer.out)["months"]
    assert [month["month"] for month in months] == [0, 1, 2, 3, 4]
    assert months[0]["cases"]["lower"] <= 25 <= months[0]["cases"]["upper"]
    assert run(capsys, "trial", "plan", protocol, "--cases", "many", *minutes).code == 2
    assert run(capsys, "trial", "plan", protocol, "--cases", "5", *minutes, "--adjudication-rate", 2).code == 2
    assert not (tmp_path / "nowhere").exists()
