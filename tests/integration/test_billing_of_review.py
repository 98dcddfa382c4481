"""Reads that the central review itself has kept and signed, billed: the two know each other by the ledger alone."""

from __future__ import annotations

from decimal import Decimal

from tests.fakes.billed import PLAN, protocol_text
from tests.fakes.central_review import TRIAL, Trial
from tests.fakes.people import at_desk
from trialimg.core.access import Role
from trialimg.core.reading import Seat
from trialimg.services import cases, reading, reading_reopening
from trialimg.services.billing import issue, preview

GROWS, SHRINKS = {"BL": "30.0", "W06": "60.0"}, {"BL": "30.0", "W06": "12.0"}
ALL_ITEMS = PLAN.replace(
    "  tax:",
    "    - {item: read, unit: read, price: 1}\n"
    "    - {item: reread, unit: reread, price: 70}\n"
    "    - {item: readjudication, unit: readjudication, price: 40}\n"
    "    - {item: timepoint, unit: timepoint, price: 5}\n"
    "    - {item: withdrawal, unit: withdrawal, price: 9}\n"
    "  tax:",
)


def started(plan: str = ALL_ITEMS) -> Trial:
    trial = Trial(text=protocol_text(plan))
    trial.trained("rita", "raul")
    trial.trained("ada", role=Role.ADJUDICATOR)
    trial.people["adam"] = at_desk(trial.records, "adam", Role.ADMINISTRATOR)
    return trial


def due(trial: Trial) -> list[str]:
    """Key and amount of everything that would be invoiced, in order of time."""
    day = trial.records.clock.now().date()
    (draft,) = preview(trial.records, trial.actor("adam"), TRIAL, day).drafts
    return [f"{line.key.removeprefix('T-1/')} {line.amount}" for line in draft.bill.lines]


def test_an_adjudicated_case_and_one_that_agreed():
    trial = started()
    trial.receive("C01", "C02")
    trial.assign()
    assert due(trial) == []
    for code, second in (("C01", SHRINKS), ("C02", GROWS)):
        trial.read("rita", trial.alias(code, "rita"), GROWS)
        trial.read("raul", trial.alias(code, "raul"), second)
    assert trial.state("C01") == "adjudication"
    assert [line for line in due(trial) if "C01" in line] == ["C01/read/first 1.00", "C01/read/second 1.00"]
    trial.assign()
    trial.choose("ada", trial.alias("C01", "ada"), "A")
    found = due(trial)
    assert sorted(line for line in found if "C01" in line) == [
        "C01/adjudication 300.00",
        "C01/case 2000.00",
        "C01/read/first 1.00",
        "C01/read/second 1.00",
        "C01/timepoint/BL 5.00",
        "C01/timepoint/W06 5.00",
    ]
    assert sorted(line for line in found if "C02" in line) == [
        "C02/case 2000.00",
        "C02/read/first 1.00",
        "C02/read/second 1.00",
        "C02/timepoint/BL 5.00",
        "C02/timepoint/W06 5.00",
    ]


def corrected(reason: str) -> Trial:
    """A final case of which the first read was reopened, corrected for a reason and signed again."""
    trial = started()
    trial.receive("C01")
    trial.assign()
    for name in ("rita", "raul"):
        trial.read(name, trial.alias("C01", name), GROWS)
    asked = reading_reopening.Reopening("C01", Seat.FIRST, "W06", "another node")
    reading_reopening.reopen(trial.records, trial.actor("ana"), trial.proof("ana"), TRIAL, asked=asked)
    name = next(name for name in ("rita", "raul") if _sits_first(trial, name))
    alias = trial.alias("C01", name)
    reading.start_correction(trial.records, trial.actor(name), TRIAL, alias, reason=reason)
    trial.read(name, alias, {"W06": "61.0"})
    return trial


def _sits_first(trial: Trial, name: str) -> bool:
    with trial.records.store.reading() as transaction:
        return transaction.current("assignment", "T-1/C01/first").place.person == name


def test_a_corrected_read_is_a_reread_and_the_case_is_charged_once():
    found = due(corrected("I had measured the wrong node"))
    assert "C01/reread/first/2 70.00" in found
    assert [line for line in found if "case" in line or "timepoint" in line] == [
        "C01/case 2000.00",
        "C01/timepoint/BL 5.00",
        "C01/timepoint/W06 5.00",
    ]


def test_a_correction_that_we_caused_is_free():
    assert [line for line in due(corrected("quality_failure: the viewer hung")) if "reread" in line] == []


def test_a_withdrawn_case_is_charged_as_worked():
    trial = started()
    trial.receive("C01")
    trial.assign()
    trial.read("rita", trial.alias("C01", "rita"), GROWS)
    cases.withdraw_consent(trial.records, trial.actor("ana"), TRIAL, "S-C01", reason="subject's letter")
    assert [line.partition(" ")[2] for line in due(trial)] == ["1.00", "9.00"]


def test_an_issued_invoice_of_a_review_says_nothing_of_what_was_read():
    trial = started()
    trial.receive("C01")
    trial.assign()
    for name in ("rita", "raul"):
        trial.read(name, trial.alias("C01", name), GROWS)
    (bill,) = issue(trial.records, trial.actor("adam"), TRIAL, trial.records.clock.now().date()).invoices
    assert bill.net == Decimal("2012.00")
    with trial.records.store.reading() as transaction:
        said = transaction.current("invoice", bill.number).content.content
    assert [word for word in ("60.0", '"PD"', "liver", "Progressive") if word in said] == []
