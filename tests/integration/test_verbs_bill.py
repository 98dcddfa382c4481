"""`trialimg bill` on an installation's records, signed in as those who may and those who may not."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from tests.fakes.billed import PLAN, TRIAL, BilledTrial
from tests.fakes.records import SetClock, memory_records
from tests.integration.verbs import require_refusal, run
from trialimg import bootstrap
from trialimg.core.access import Actor, Role
from trialimg.services.journal import Journal
from trialimg.services.people_sessions import open_session, session_key, session_token

DAYS = ("--from", "2026-01-01", "--to", "2026-01-01")
TIERS = "tiers: [{above: 1, price: 1800}], description: Central review of one subject}"


@pytest.fixture
def today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


@pytest.fixture
def sign_in(tmp_path, monkeypatch):
    """An installation with two finished cases; call it to be somebody."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("TRIALIMG_HOME", str(home))
    monkeypatch.delenv("TRIALIMG_DATABASE_URL", raising=False)
    records = bootstrap.records(home)
    clock = SetClock(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10))
    plan = PLAN.replace("description: Central review of one subject}", TIERS)
    trial = BilledTrial(plan, clock=clock, records=memory_records(records.store, clock))
    trial.finished(1)
    trial.finished(2, adjudicated=True)

    def be(user: str, role: Role) -> None:
        token = session_token(user, f"secret of {user}")
        with records.store.changing() as transaction:
            journal = Journal(transaction, Actor(user, role, session_key(token)), records)
            open_session(journal, token, step=None, is_command=False)
        monkeypatch.setenv("TRIALIMG_SESSION", token)

    return be


def test_the_sponsor_sees_what_would_be_invoiced_and_why(capsys, sign_in, today):
    sign_in("susan", Role.SPONSOR)
    answer = run(capsys, "bill", "preview", TRIAL, "--until", today)
    assert answer.code == 0, answer.err
    assert "draft: Example Pharma Ltd" in answer.out
    assert "2,000.00  Central review of one subject: S001 (case, number 1 of the trial: tier 1 of 2 at 2000.00)" in (
        answer.out
    )
    assert "1,800.00  Central review of one subject: S002 (case, number 2 of the trial: tier 2 of 2 at 1800.00)" in (
        answer.out
    )
    assert "4,346.00  CNY in all" in answer.out
    document = json.loads(run(capsys, "bill", "preview", TRIAL, "--until", today, "--json").out)
    (draft,) = document["drafts"]
    assert (draft["bill"]["net"], draft["bill"]["tax"], draft["bill"]["number"]) == ("4100.00", "246.00", "")
    assert [one["key"] for one in draft["dues"]] == ["T-1/C0001/case", "T-1/C0002/adjudication", "T-1/C0002/case"]
    assert all(isinstance(one["entry"], int) for one in draft["dues"])
    refused = run(capsys, "bill", "issue", TRIAL, "--until", today)
    require_refusal(refused, "sponsor may not issue invoices")


def test_an_invoice_from_preview_to_paid(capsys, sign_in, today, tmp_path):
    sign_in("adam", Role.ADMINISTRATOR)
    out = tmp_path / "out"
    issued = run(capsys, "bill", "issue", TRIAL, "--until", today, "--out", out, "--json")
    assert issued.code == 0, issued.err
    document = json.loads(issued.out)
    (bill,) = document["bills"]
    number = bill["number"]
    year = today[:4]
    assert (number, bill["total"], document["carried"]) == (f"CRO1/{year}/000001", "4346.00", [])
    assert sorted(path.name for path in out.iterdir()) == [
        f"CRO1-{year}-000001{ending}" for ending in (".csv", ".json", ".pdf", ".xml")
    ]
    printed = {path.name: path.read_bytes() for path in out.iterdir()}
    again = run(capsys, "bill", "print", TRIAL, number, "--out", tmp_path / "again")
    assert again.code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == printed
    part = run(capsys, "bill", "credit", TRIAL, number, "--reason", "goodwill", "--line", "T-1/C0002/case=300")
    assert part.code == 0, part.err
    assert f"CRO1/{year}/000002" in part.out
    paid = run(capsys, "bill", "pay", TRIAL, number, "--amount", "4028.00", "--on", today, "--json")
    assert json.loads(paid.out) == {"invoice": number, "amount": "4028.00", "state": "paid"}
    statement = ("bill", "statement", TRIAL, "--from", today, "--to", today)
    payer = json.loads(run(capsys, *statement, "--payer", "sponsor", "--json").out)
    assert (payer["billed"], payer["paid"], payer["balance"]) == ("4028.00", "4028.00", "0.00")
    totals = json.loads(run(capsys, *statement).out)["payees"]
    assert sum(map(Decimal, totals.values())) == Decimal("4100.00") - 300
    payee = run(capsys, *statement, "--payee", "reader/rita", "--out", out)
    assert payee.code == 0
    assert f"total: {totals['reader/rita']}" in payee.out
    assert any(path.name.startswith("statement-T-1-reader-rita") for path in out.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("preview", TRIAL, "--until", "soon"), ("'soon' is not a date",)),
        (("preview", "T-9", "--until", "2026-01-01"), ("no trial 'T-9'",)),
        (("issue", TRIAL, "--until", "2999-01-01"), ("lies ahead",)),
        (("issue", TRIAL, "--until", "2020-01-01"), ("nothing is owed",)),
        (("credit", TRIAL, "X/1", "--reason", "no"), ("no invoice 'X/1'",)),
        (("credit", TRIAL, "X/1", "--reason", "no", "--line", "a=much"), ("'much' is not an amount",)),
        (("credit", TRIAL, "X/1", "--reason", "no", "--line", "a", "--line", "a"), ("named twice",)),
        (("pay", TRIAL, "X/1", "--amount", "NaN", "--on", "2026-01-01"), ("'NaN' is not an amount",)),
        (("print", TRIAL, "X/1"), ("no bill 'X/1'",)),
        (("statement", TRIAL, "--payer", "a", "--payee", "b", *DAYS), ("not for both",)),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(capsys, sign_in, arguments, words):
    sign_in("adam", Role.ADMINISTRATOR)
    require_refusal(run(capsys, "bill", *arguments), *words)


def test_a_folder_that_cannot_be_made_stops_the_invoice_before_it_is_issued(capsys, sign_in, today, tmp_path):
    sign_in("adam", Role.ADMINISTRATOR)
    (tmp_path / "file").write_text("here")
    refused = run(capsys, "bill", "issue", TRIAL, "--until", today, "--out", tmp_path / "file")
    require_refusal(refused, "cannot make this folder")
    issued = run(capsys, "bill", "issue", TRIAL, "--until", today, "--json")
    assert json.loads(issued.out)["bills"][0]["number"].endswith("/000001")
