"""Invoices in the records: derived from the ledger, numbered without a gap, never changed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.fakes.billed import PLAN, TRIAL, BilledTrial
from trialimg.core.access import Action, Role
from trialimg.core.errors import AccessError, BillingError
from trialimg.services.billing import CreditOrder, Receipt, credit, find_bill, issue, pay, preview
from trialimg.services.billing_statement import Days, payee_statement, payee_totals, payer_statement
from trialimg.services.records import EntryQuery, Place

JANUARY, FEBRUARY = dt.date(2026, 1, 31), dt.date(2026, 2, 28)
EVER = Days(dt.date(2026, 1, 1), dt.date(2026, 12, 31))


@pytest.fixture
def trial() -> BilledTrial:
    """Two finished cases, one of them adjudicated, and it is February."""
    made = BilledTrial()
    made.finished(1)
    made.finished(2, adjudicated=True)
    made.at("2026-02-01")
    return made


def entries(trial: BilledTrial, **asked: str) -> list:
    with trial.records.store.reading() as transaction:
        return list(transaction.entries(EntryQuery(trial=TRIAL, **asked)))


def versions(trial: BilledTrial, kind: str, key: str) -> list:
    with trial.records.store.reading() as transaction:
        return list(transaction.versions(kind, key))


def issued(trial: BilledTrial, last_day: dt.date = JANUARY):
    return issue(trial.records, trial.admin, TRIAL, last_day).invoices[0]


def test_a_preview_is_for_whoever_sees_invoices_and_keeps_nothing(trial):
    before = len(entries(trial))
    found = preview(trial.records, trial.sponsor, TRIAL, JANUARY)
    assert [(line.key, str(line.amount)) for line in found.drafts[0].bill.lines] == [
        ("T-1/C0001/case", "2000.00"),
        ("T-1/C0002/adjudication", "300.00"),
        ("T-1/C0002/case", "2000.00"),
    ]
    assert found.drafts[0].bill.number == ""
    assert {usage.unit.value for usage in found.unpriced} == {"read", "timepoint"}
    assert len(entries(trial)) == before
    with pytest.raises(AccessError):
        preview(trial.records, trial.readers[0], TRIAL, JANUARY)


def test_an_invoice_takes_the_next_number_and_one_entry(trial):
    bill = issued(trial)
    assert (bill.number, bill.issued_on, bill.due_on) == ("CRO1/2026/000001", "2026-02-01", "2026-03-03")
    assert (str(bill.net), str(bill.tax), str(bill.total)) == ("4300.00", "258.00", "4558.00")
    (made,) = entries(trial, action="issue_invoice")
    (kept,) = versions(trial, "invoice", bill.number)
    assert made.new == kept.digest
    assert kept.place == Place(TRIAL, person="sponsor", state="issued")
    assert find_bill(trial.records, trial.sponsor, TRIAL, bill.number) == bill


def test_usage_is_recorded_once_and_linked_to_the_entry_that_was_signed(trial):
    issued(trial)
    trial.finished(3)
    trial.at("2026-03-01")
    issued(trial, FEBRUARY)
    recorded = entries(trial, action="record_usage")
    assert len(recorded) == len({entry.object_id for entry in recorded}) == 16
    (kept,) = versions(trial, "usage", "T-1/C0001/case")
    (final,) = (entry for entry in entries(trial, action="finalise_case") if entry.object_id == "T-1/C0001")
    assert (kept.body["entry"], kept.body["at"], kept.body["subject"]) == (final.sequence, final.at, "S001")


def test_what_was_invoiced_is_not_invoiced_again(trial):
    issued(trial)
    with pytest.raises(BillingError, match="nothing is owed"):
        issued(trial)
    trial.finished(3)
    trial.at("2026-03-01")
    later = issued(trial, FEBRUARY)
    assert [line.key for line in later.lines] == ["T-1/C0003/case"]
    assert (later.number, later.first_day, later.last_day) == ("CRO1/2026/000002", "2026-02-01", "2026-02-28")


def test_a_failed_issue_takes_no_number_and_keeps_nothing(trial):
    trial.put_in_force(PLAN.replace("  tax: {category: S, rate_pct: 6}\n", ""))
    trial.at("2026-03-02")
    trial.finished(3)
    before = len(entries(trial))
    trial.at("2026-04-01")
    with pytest.raises(BillingError, match=r"no tax is stated for case: price_plan\.tax"):
        issued(trial, dt.date(2026, 3, 31))
    assert len(entries(trial)) == before


def test_a_day_that_lies_ahead_is_refused(trial):
    with pytest.raises(BillingError, match="2026-02-28 lies ahead"):
        issued(trial, FEBRUARY)


def test_only_those_who_may_issue_invoices_do(trial):
    with pytest.raises(AccessError):
        issue(trial.records, trial.sponsor, TRIAL, JANUARY)
    bill = issued(trial)
    with pytest.raises(AccessError):
        credit(trial.records, trial.sponsor, CreditOrder(TRIAL, bill.number, "no"))
    with pytest.raises(AccessError):
        pay(trial.records, trial.sponsor, Receipt(TRIAL, bill.number, Decimal(1), JANUARY))
    assert len(entries(trial, action="refuse_access")) == 3


def test_credit_and_payment_change_the_state_and_never_what_the_invoice_says(trial):
    bill = issued(trial)
    part = credit(
        trial.records, trial.admin, CreditOrder(TRIAL, bill.number, "goodwill", {"T-1/C0001/case": Decimal(500)})
    )
    assert (part.number, part.corrects, str(part.total)) == ("CRO1/2026/000002", bill.number, "-530.00")
    pay(trial.records, trial.admin, Receipt(TRIAL, bill.number, Decimal("4000.00"), FEBRUARY, "bank 7"))
    pay(trial.records, trial.admin, Receipt(TRIAL, bill.number, Decimal("28.00"), FEBRUARY))
    with pytest.raises(BillingError, match=r"0\.00 is open"):
        pay(trial.records, trial.admin, Receipt(TRIAL, bill.number, Decimal("0.01"), FEBRUARY))
    credit(trial.records, trial.admin, CreditOrder(TRIAL, bill.number, "void"))
    kept = versions(trial, "invoice", bill.number)
    assert [version.place.state for version in kept] == ["issued", "paid", "credited"]
    assert len({str(version.body) for version in kept}) == 1
    assert find_bill(trial.records, trial.admin, TRIAL, bill.number) == bill
    with pytest.raises(BillingError, match="nothing is left"):
        credit(trial.records, trial.admin, CreditOrder(TRIAL, bill.number, "again"))


def test_what_is_credited_is_given_up_unless_it_is_to_be_charged_again(trial):
    bill = issued(trial)
    credit(trial.records, trial.admin, CreditOrder(TRIAL, bill.number, "goodwill", {"T-1/C0001/case": None}))
    with pytest.raises(BillingError, match="nothing is owed"):
        issued(trial)
    order = CreditOrder(TRIAL, bill.number, "wrong payer", {"T-1/C0002/case": None}, charge_again=True)
    credit(trial.records, trial.admin, order)
    assert [line.key for line in issued(trial).lines] == ["T-1/C0002/case"]


@pytest.mark.parametrize(("number", "reason"), [("CRO1/2026/000009", "why"), ("CRO1/2026/000001", " ")])
def test_a_credit_needs_an_invoice_and_a_reason(trial, number, reason):
    issued(trial)
    with pytest.raises(BillingError):
        credit(trial.records, trial.admin, CreditOrder(TRIAL, number, reason))


def test_a_new_plan_rates_from_the_first_month_that_begins_under_it(trial):
    trial.put_in_force(PLAN.replace("price: 2000", "price: 2500").replace('version: "3"', 'version: "4"'))
    trial.finished(3)
    trial.at("2026-03-05")
    trial.finished(4)
    trial.at("2026-04-01")
    found = issued(trial, dt.date(2026, 3, 31))
    prices = {line.key: str(line.amount) for line in found.lines}
    assert prices["T-1/C0001/case"] == "2000.00"
    assert prices["T-1/C0003/case"] == "2000.00"  # final in February, the month in which the plan was amended
    assert prices["T-1/C0004/case"] == "2500.00"


def test_a_payer_to_whom_something_is_owed_gets_no_invoice_but_keeps_it():
    plan = PLAN.replace("payment_days: 30", "payment_days: 30\n  withdrawn: not_charged")
    trial = BilledTrial(plan)
    trial.finished(1)
    trial.at("2026-02-01")
    issued(trial)
    trial.step("T-1/C0001", "withdraw_consent")
    with pytest.raises(BillingError, match="nothing is owed"):
        issued(trial, dt.date(2026, 2, 1))
    trial.finished(2)
    trial.finished(3)
    assert [(line.key, str(line.amount)) for line in issued(trial, dt.date(2026, 2, 1)).lines] == [
        ("T-1/C0001/case", "-2000.00"),
        ("T-1/C0002/case", "2000.00"),
        ("T-1/C0003/case", "2000.00"),
    ]


def test_a_read_that_says_it_was_signed_and_was_not_stops_all_billing(trial):
    case = trial.case(7)
    with trial.records.change(trial.readers[0], Action.READ, trial=TRIAL) as journal:
        journal.write("read", f"{case}/first", {}, action="sign_read", place=Place(TRIAL, case, "rita", "signed"))
    with pytest.raises(BillingError, match="T-1/C0007/first was signed, but no signature is under it"):
        preview(trial.records, trial.admin, TRIAL, JANUARY)


def test_a_trial_without_a_price_plan_or_no_trial_at_all_is_refused(trial):
    with pytest.raises(BillingError, match="no trial 'T-2'"):
        preview(trial.records, trial.admin, "T-2", JANUARY)
    with pytest.raises(BillingError, match="no price_plan"):
        preview(*(lambda made: (made.records, made.admin))(BilledTrial("price_plan: null\n")), TRIAL, JANUARY)


def test_statements_agree_with_the_bills_to_the_last_cent(trial):
    bill = issued(trial)
    note = credit(
        trial.records, trial.admin, CreditOrder(TRIAL, bill.number, "x", {"T-1/C0002/case": Decimal("33.33")})
    )
    pay(trial.records, trial.admin, Receipt(TRIAL, bill.number, Decimal(1000), FEBRUARY))
    found = payer_statement(trial.records, trial.sponsor, TRIAL, "sponsor", days=EVER)
    assert [(row.number, row.kind, str(row.total), row.state) for row in found.rows] == [
        (bill.number, "invoice", "4558.00", "issued"),
        (note.number, "credit_note", "-35.33", "issued"),
    ]
    assert (found.billed, found.paid, found.balance) == (Decimal("4522.67"), 1000, Decimal("3522.67"))
    totals = payee_totals(trial.records, trial.admin, TRIAL, EVER)
    assert sum(totals.values()) == bill.net + note.net
    for payee, amount in totals.items():
        one = payee_statement(trial.records, trial.admin, TRIAL, payee, days=EVER)
        assert one.total == amount == sum(row.amount for row in one.rows)
    assert set(totals) == {"reader/ada", "reader/raul", "reader/rita", "site/01", "model_owner/modelworks",
                           "platform/trialimg"}  # fmt: skip


def test_a_readers_statement_does_not_tell_that_a_case_was_adjudicated(trial):
    issued(trial)
    rows = payee_statement(trial.records, trial.admin, TRIAL, "reader/rita", days=EVER).rows
    assert [(row.item, row.subject, str(row.amount)) for row in rows] == [
        ("case", "S001", "400.00"),
        ("case", "S002", "400.00"),  # adjudicated, and paid as the other
    ]


def test_who_gets_which_part_is_not_the_sponsors_to_see(trial):
    issued(trial)
    with pytest.raises(AccessError):
        payee_totals(trial.records, trial.sponsor, TRIAL, EVER)
    with pytest.raises(BillingError, match="no payer 'rita'; its payers are sponsor"):
        payer_statement(trial.records, trial.sponsor, TRIAL, "rita", days=EVER)
    with pytest.raises(BillingError, match="'reader/bob' has no part"):
        payee_statement(trial.records, trial.admin, TRIAL, "reader/bob", days=EVER)


def test_each_payer_gets_an_invoice_of_the_same_series():
    halves = """\
  payers:
    - {id: a, share_pct: 60, party: {name: A Ltd, country: CN, tax_id: CN1234}}
    - {id: b, share_pct: 40, party: {name: B Ltd, country: DE, tax_id: DE1234},
       tax: {category: AE, reason: Reverse charge}}
  shares:"""
    start, _, end = PLAN.partition("  payers:")
    trial = BilledTrial(start + halves + end.partition("  shares:")[2])
    trial.finished(1)
    trial.at("2026-02-01")
    made = issue(trial.records, trial.admin, TRIAL, JANUARY).invoices
    assert [(bill.number, bill.payer.id, str(bill.net), str(bill.tax)) for bill in made] == [
        ("CRO1/2026/000001", "a", "1200.00", "72.00"),
        ("CRO1/2026/000002", "b", "800.00", "0.00"),
    ]


def test_an_inspector_sees_invoices_and_issues_none(trial):
    from tests.fakes.records import granted

    inspector = granted(trial.records, "iris", Role.INSPECTOR, trial=TRIAL)
    assert preview(trial.records, inspector, TRIAL, JANUARY).drafts[0].bill.net == 4300
    with pytest.raises(AccessError):
        issue(trial.records, inspector, TRIAL, JANUARY)
