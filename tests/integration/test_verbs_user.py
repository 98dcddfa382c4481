"""People by command: the first administrator, a reader, their passwords, codes and sessions, and the access review."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click
import pyotp
import pytest

from tests.integration.verbs import Answer, require_refusal, run
from trialimg import bootstrap
from trialimg.adapters.identity.clock import SystemClock
from trialimg.adapters.identity.local import LocalIdentity
from trialimg.cli.sign_in import asked_secret
from trialimg.cli.user import user as user_group

ADD = ("--printed-name", "Rita Reader", "--identity-proof", "passport seen by root on 2026-01-05")


class Installation:
    """A home, a clock, and what each person knows and holds."""

    def __init__(self, capsys, monkeypatch, home):
        self.capsys, self.monkeypatch, self.home = capsys, monkeypatch, home
        self.moment = datetime(2026, 3, 1, 9, tzinfo=UTC)
        self.passwords = {"root": "quiet tulip harbour", "rita": "green ladder umbrella"}
        self.authenticators = {}
        self.sessions = {}
        monkeypatch.setattr(SystemClock, "now", lambda _: self.moment)
        monkeypatch.setattr("sys.stdin.isatty", lambda: False)
        monkeypatch.setattr(bootstrap, "identity", lambda: LocalIdentity(time_cost=1, memory_kib=8, lanes=1))

    def run(self, *arguments, **variables) -> Answer:
        """One command, a minute after the one before."""
        self.moment += timedelta(minutes=1)
        with self.monkeypatch.context() as environment:
            for name in ("PASSWORD", "CODE", "NEW_PASSWORD", "SESSION", "DATABASE_URL"):
                environment.delenv(f"TRIALIMG_{name}", raising=False)
            environment.setenv("TRIALIMG_HOME", str(self.home))
            for name, value in variables.items():
                environment.setenv(f"TRIALIMG_{name}", value)
            return run(self.capsys, "user", *arguments)

    def done(self, *arguments, **variables) -> Answer:
        answer = self.run(*arguments, **variables)
        assert answer.code == 0, answer.err
        return answer

    def told(self, *arguments, **variables):
        """What a command prints as JSON."""
        return json.loads(self.done(*arguments, "--json", **variables).out)

    def knows(self, name):
        """What somebody types who signs in with the next command."""
        code = self.authenticators[name].at(self.moment + timedelta(minutes=1))
        return {"PASSWORD": self.passwords[name], "CODE": code}

    def as_root(self, *arguments):
        return self.run(*arguments, SESSION=self.sessions["root"])

    def settle(self, name, one_time):
        """Replace the one-time password, enrol the authenticator, accept the policy, sign in."""
        words = {"PASSWORD": one_time, "NEW_PASSWORD": self.passwords[name]}
        address = self.told("password", "--as", name, **words)["authenticator"]
        self.authenticators[name] = pyotp.parse_uri(address)
        opened = self.told("sign-in", "--as", name, "--accept", "1", **self.knows(name))
        self.sessions[name] = opened["session"]


@pytest.fixture
def house(capsys, monkeypatch, tmp_path):
    made = Installation(capsys, monkeypatch, tmp_path / "home")
    first = made.told("add", "root", "--printed-name", "Root", "--identity-proof", "passport seen by the sponsor")
    assert first["is_administrator"]
    made.settle("root", first["one_time_password"])
    return made


@pytest.fixture
def rita(house):
    one_time = json.loads(house.as_root("add", "rita", *ADD, "--json").out)["one_time_password"]
    house.as_root("grant", "rita", "radiologist", "--trial", "T1", "--reason", "reads T1")
    house.settle("rita", one_time)
    return house


def test_a_person_is_added_granted_a_role_and_works_in_it(rita):
    listed = rita.told("list", SESSION=rita.sessions["root"])["users"]
    assert [(user["name"], user["state"], user["credential"]) for user in listed] == [
        ("rita", "active", "valid"),
        ("root", "active", "valid"),
    ]
    require_refusal(rita.run("list", SESSION=rita.sessions["rita"]), "radiologist may not view audit")
    changes = rita.told("history", "rita", SESSION=rita.sessions["root"])["changes"]
    assert [change["action"] for change in changes] == [
        "add_user", "reset_password", "grant", "set_password", "test_code",
    ]  # fmt: skip


@pytest.mark.requirement("A11-09")
def test_the_history_tells_the_rights_of_any_day(rita):
    rita.moment += timedelta(days=40) - timedelta(hours=1)
    rita.sessions["root"] = rita.told("sign-in", "--as", "root", **rita.knows("root"))["session"]
    gone = rita.as_root("revoke", "rita", "radiologist", "--trial", "T1", "--reason", "trial over")
    assert "no more" in gone.out
    told = {
        day: [right["user"] for right in rita.told("history", "--at", day, SESSION=rita.sessions["root"])["rights"]]
        for day in ("2026-02-28", "2026-03-02", "2026-04-11")
    }
    assert told == {"2026-02-28": [], "2026-03-02": ["rita", "root"], "2026-04-11": ["root"]}
    require_refusal(rita.as_root("history", "--at", "yesterday"), "'yesterday' is not a date")
    require_refusal(rita.as_root("history"), "name somebody, or a moment")


@pytest.mark.requirement("E6-12")
@pytest.mark.requirement("P11-14")
def test_an_orphan_makes_the_review_fail_and_the_signed_review_shows_its_signature(rita):
    clean = rita.run("review", "--as", "root", "--sign", **rita.knows("root"))
    assert clean.code == 0, clean.err
    assert "Signed by: Root (root)" in clean.out
    assert "Meaning: I have reviewed who has access" in clean.out
    assert "+00:00" in next(line for line in clean.out.splitlines() if line.startswith("Date and time: "))
    rita.as_root("add", "idle", "--printed-name", "Idle", "--identity-proof", "passport seen")
    found = rita.run("review", "--json", SESSION=rita.sessions["root"])
    assert found.code == 1
    assert [orphan["code"] for orphan in json.loads(found.out)["orphans"]] == ["user_without_grant"]


def test_disabling_ends_everything_and_keeps_the_name(rita):
    assert rita.as_root("disable", "rita", "--reason", "left").code == 0
    require_refusal(rita.run("list", SESSION=rita.sessions["rita"]), "session has ended")
    require_refusal(rita.run("sign-in", "--as", "rita", **rita.knows("rita")), "do not match")
    require_refusal(rita.as_root("add", "rita", *ADD), "rita cannot be added")


@pytest.mark.requirement("P11-19")
def test_five_wrong_passwords_lock_until_unlocked(rita):
    for _ in range(5):
        wrong = {**rita.knows("rita"), "PASSWORD": "not it at all"}
        require_refusal(rita.run("sign-in", "--as", "rita", **wrong), "do not match")
    require_refusal(rita.run("sign-in", "--as", "rita", **rita.knows("rita")), "do not match")
    assert rita.as_root("unlock", "rita", "--reason", "identity checked by phone").code == 0
    rita.done("sign-in", "--as", "rita", **rita.knows("rita"))


def test_a_lost_authenticator_is_replaced_by_a_reset(rita):
    answer = rita.as_root("reset", "rita", "--reason", "phone lost", "--json")
    require_refusal(rita.run("sign-in", "--as", "rita", **rita.knows("rita")), "do not match")
    rita.passwords["rita"] = "brown ladder umbrella"
    rita.settle("rita", json.loads(answer.out)["one_time_password"])


def test_signing_out_ends_the_session(rita):
    rita.done("sign-out", SESSION=rita.sessions["root"])
    require_refusal(rita.as_root("list"), "session has ended")


def test_training_is_recorded_by_command(rita):
    words = ("--trial", "T1", "--charter-version", "2", "--what", "Charter 2, passed on 2026-02-01")
    assert "trained for version 2" in rita.as_root("train", "rita", *words).out
    require_refusal(rita.as_root("train", "root", *words), "their own training")


def test_an_identity_is_bound_by_command(rita):
    words = ("--issuer", "https://id.example.org", "--subject", "s-1", "--reason", "HR list")
    assert "is rita" in rita.as_root("bind", "rita", *words).out
    require_refusal(rita.as_root("bind", "root", *words), "is rita")


def test_who_is_at_the_desk_has_to_be_said_once(rita):
    require_refusal(rita.run("list"), "--as USER", "TRIALIMG_SESSION")
    require_refusal(rita.run("list", "--as", "rita", SESSION=rita.sessions["root"]), "session of root as administrator")
    require_refusal(rita.run("list", "--as", "root"), "password of root is needed", "TRIALIMG_PASSWORD")
    require_refusal(rita.run("list", "--as", "root", PASSWORD=rita.passwords["root"]), "TRIALIMG_CODE")


def test_everything_wrong_with_a_new_user_is_said_at_once(house):
    answer = house.as_root("add", "Rita!", "--printed-name", " ", "--identity-proof", " ")
    assert answer.code == 2
    assert [line.partition(":")[0] for line in answer.err.splitlines()] == [
        "name", "printed_name", "identity_proof", "trialimg",
    ]  # fmt: skip


def test_a_weak_password_is_refused_and_the_old_one_stays(house):
    one_time = json.loads(house.as_root("add", "rita", *ADD, "--json").out)["one_time_password"]
    for weak in ("short", "ritareader2026", "qwertyuiopasdf"):
        answer = house.run("password", "--as", "rita", PASSWORD=one_time, NEW_PASSWORD=weak)
        require_refusal(answer, "this password is not taken")
        assert weak not in answer.err
    house.done("password", "--as", "rita", PASSWORD=one_time, NEW_PASSWORD=house.passwords["rita"])


def test_the_policy_is_shown_to_whoever_has_proved_who_they_are_and_signed_by_accepting_it(house, monkeypatch):
    one_time = json.loads(house.as_root("add", "rita", *ADD, "--json").out)["one_time_password"]
    house.as_root("grant", "rita", "radiologist", "--trial", "T1", "--reason", "reads T1")
    words = {"PASSWORD": one_time, "NEW_PASSWORD": house.passwords["rita"]}
    house.authenticators["rita"] = pyotp.parse_uri(house.told("password", "--as", "rita", **words)["authenticator"])
    require_refusal(house.run("sign-in", "--as", "rita", **house.knows("rita")), "accountability policy", "--accept 1")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    wrong = house.run("sign-in", "--as", "rita", **{**house.knows("rita"), "PASSWORD": "not it at all"})
    assert "My electronic signature" not in wrong.err
    monkeypatch.setattr(click, "confirm", lambda *_words, **_how: False)
    require_refusal(house.run("sign-in", "--as", "rita", **house.knows("rita")), "accountability policy")
    monkeypatch.setattr(click, "confirm", lambda *_words, **_how: True)
    shown = house.done("sign-in", "--as", "rita", **house.knows("rita"))
    assert "My electronic signature binds me" in shown.err
    assert shown.out.startswith("export TRIALIMG_SESSION=")


def test_no_secret_is_an_option_or_an_argument():
    names = {
        parameter.name
        for command in user_group.commands.values()
        for parameter in command.params
        if not isinstance(parameter, click.Option) or not parameter.is_flag
    }
    assert names & {"password", "code", "token", "session", "secret", "new_password", "one_time_password"} == set()
    assert "name" in names


def test_secrets_are_typed_unseen(monkeypatch):
    asked = []
    monkeypatch.delenv("TRIALIMG_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(click, "prompt", lambda text, **how: asked.append((text, how)) or "typed")
    assert asked_secret("TRIALIMG_PASSWORD", "Password of rita") == "typed"
    ((text, how),) = asked
    assert text == "Password of rita"
    assert how["hide_input"]
    assert how["err"]


def test_no_password_code_or_token_lies_in_the_home(rita):
    kept = b"".join(file.read_bytes() for file in rita.home.rglob("*") if file.is_file())
    assert b"rita" in kept
    for secret in (*rita.passwords.values(), *(token.partition(".")[2] for token in rita.sessions.values())):
        assert secret.encode() not in kept
