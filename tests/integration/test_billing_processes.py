"""Eight processes issue and credit at once: numbers have no gap, nothing is charged twice."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os

import pytest

from tests.fakes.billed import TRIAL, BilledTrial
from tests.fakes.records import SetClock, memory_records
from trialimg.adapters.identity.clock import SystemClock
from trialimg.adapters.store.sql import SqlStore
from trialimg.core.access import Actor, Role
from trialimg.core.errors import BillingError
from trialimg.services.billing import CreditOrder, credit, issue
from trialimg.services.billing_account import bill_of
from trialimg.services.journal import Records
from trialimg.services.records import Place
from trialimg.services.store_verification import verify_store

FORK = multiprocessing.get_context("fork")
ADMIN = Actor("adam", Role.ADMINISTRATOR, "test session")
PROCESSES, CASES = 8, 3


def work(where, number):
    """Finish cases, and after each try to issue and give back: whoever comes first gets the invoice."""
    records = Records(SqlStore(where), SystemClock(), lambda: os.urandom(32).hex(), "trialimg test")
    trial = BilledTrial.__new__(BilledTrial)
    trial.records, trial.analyst = records, Actor("ana", Role.ANALYST, "test session")
    trial.readers = [Actor(name, Role.RADIOLOGIST, "test session") for name in ("rita", "raul")]
    trial.adjudicator = Actor("ada", Role.ADJUDICATOR, "test session")
    for case in range(CASES):
        trial.finished(100 * number + case)
        try:
            made = issue(records, ADMIN, TRIAL, dt.datetime.now(dt.UTC).date()).invoices
        except BillingError:
            continue  # another process has invoiced this case already
        if case == 0:
            credit(records, ADMIN, CreditOrder(TRIAL, made[0].number, "test", charge_again=True))
    os._exit(0)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path):
    address = tmp_path / "records.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    store = SqlStore(address)
    clock = SetClock(dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
    BilledTrial(clock=clock, records=memory_records(store, clock))
    store.close()
    return address


def test_numbers_have_no_gap_and_every_case_is_charged_once(where):
    workers = [FORK.Process(target=work, args=(where, number)) for number in range(1, PROCESSES + 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(180)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    records = Records(SqlStore(where), SystemClock(), lambda: os.urandom(32).hex(), "trialimg test")
    try:
        issue(records, ADMIN, TRIAL, dt.datetime.now(dt.UTC).date())  # what was credited last is charged again
    except BillingError as nothing_left:
        assert "nothing is owed" in str(nothing_left)
    with records.store.reading() as transaction:
        bills = [bill_of(one) for kind in ("invoice", "credit_note") for one in transaction.find(kind, Place())]
    numbers = sorted(int(bill.number.rpartition("/")[2]) for bill in bills)
    assert numbers == list(range(1, len(bills) + 1))
    charged = {}
    for line in (line for bill in bills for line in bill.lines):
        charged[line.key] = charged.get(line.key, 0) + line.amount
    expected = {f"T-1/C{100 * p + c:04d}/case": 2000 for p in range(1, PROCESSES + 1) for c in range(CASES)}
    assert charged == expected
    assert verify_store(records.store).findings == ()
    records.store.close()
