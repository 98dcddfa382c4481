"""The model's health by command: figures, exit code, one task, settings of the installation."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from itertools import count

import pytest

from tests.fakes.central_review import TRIAL
from tests.fakes.dashboard import furnished
from tests.integration.verbs import require_refusal, run
from trialimg.bootstrap import records
from trialimg.core.access import Role
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import open_session, session_key, session_token


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    begins = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=1)
    made = furnished(tmp_path_factory.mktemp("model health") / "home", begins=begins)
    made.actor("sponsor")  # signed in while the clock of the past still goes
    return made


numbers = count()


@pytest.fixture
def verb(house, capsys, monkeypatch):
    """A verb of the model, by somebody."""
    monkeypatch.setenv("TRIALIMG_HOME", str(house.home))

    def said(*arguments: str, role: Role = Role.ANALYST):
        actor = house.actor(role.value)
        token = session_token(f"session {next(numbers)}", "a secret of the test")
        own = replace(actor, session=session_key(token))
        kept = records(house.home)
        with kept.store.changing() as transaction:
            open_session(Journal(transaction, own, kept), token, step=None, is_command=False)
        monkeypatch.setenv("TRIALIMG_SESSION", token)
        return run(capsys, "model", *arguments)

    return said


def test_a_red_indicator_ends_in_exit_code_1_and_one_task_until_it_is_closed(verb, house):
    first = verb("health", TRIAL, "--json")
    found = json.loads(first.out)
    by_name = {one["name"]: one for one in found["indicators"]}
    assert first.code == 1
    assert (by_name["edited_pct"]["light"], by_name["edited_pct"]["figure"]["value"]) == ("A", 35.0)
    assert by_name["validated_days"]["light"] == "R"
    assert [one["id"] for one in found["tasks"]] == [f"{TRIAL}/validated_days/1"]
    again = verb("health", TRIAL)
    assert again.code == 1
    assert again.out.count("open task") == 1
    assert "not recorded" in again.out
    require_refusal(verb("close-task", TRIAL, "dice", "--reason", "x"), "no open task")
    assert "closed" in verb("close-task", TRIAL, "validated_days", "--reason", "validated on Monday").out
    assert "open task" not in verb("health", TRIAL).out


def test_an_installation_sets_its_own_limits_and_says_what_it_knows_of_subjects(verb, house):
    settings, people = house.home / "model-health.yaml", house.home / "people.csv"
    people.write_text("subject,sex\n" + "".join(f"S-C000{n},{'FM'[n % 2]}\n" for n in range(1, 8)))
    settings.write_text("limits: {edited_amber_pct: 40, min_group: 5}\nsubjects: people.csv\n")
    by_name = {one["name"]: one for one in json.loads(verb("health", TRIAL, "--json").out)["indicators"]}
    assert by_name["edited_pct"]["light"] == "G"
    assert {one["group"] for one in by_name["gap_sex"]["groups"]} == {"F", "M"}
    for text, word in (
        ("limits: {edited_red_pct: 10}", "worse side of amber"),
        ("limits: {edit: 10}", "no setting 'edit'"),
        ("thresholds: {}", "limits, subjects and nothing else"),
        ("subjects: nowhere.csv", "cannot be read"),
        ("limits: [", "cannot be read"),
    ):
        settings.write_text(text)
        answer = verb("health", TRIAL)
        assert (answer.code, answer.out) == (2, "")
        assert word in answer.err
    people.write_text("subject,name\nS-C0001,x\n")
    settings.write_text("subjects: people.csv\n")
    assert "not name" in verb("health", TRIAL).err
    people.unlink()
    settings.unlink()


def test_a_sponsor_does_not_see_it(verb):
    require_refusal(verb("health", TRIAL, role=Role.SPONSOR), "sponsor may not view model")
