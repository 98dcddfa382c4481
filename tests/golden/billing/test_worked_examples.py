"""The worked examples of docs/reference/billing.md, each computed by hand before it was run."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.usages import amounts, cases, due, plan_of, total, used
from trialimg.billing.bill import Bill, BillKind, BillLine, invoiced
from trialimg.billing.money import divided
from trialimg.billing.parties import Party, Payer, Tax, TaxCategory
from trialimg.billing.plan import Withdrawn
from trialimg.billing.prices import Bundle, CountedOver, Monthly, PriceItem, PriceUnit, Tier, Tiering
from trialimg.billing.rating import due_of_payer

D = Decimal

TIERS = (Tier(2, D(1800)), Tier(4, D(1500)))


def case_item(**said):
    return PriceItem("case", PriceUnit.CASE, D(2000), "Central review", **said)


def test_graduated_tiers_price_each_unit_by_its_own_tier():
    plan = plan_of(case_item(tiers=TIERS))
    assert [one.amount for one in due(plan, cases(5))] == [2000, 2000, 1800, 1800, 1500]
    assert total(due(plan, cases(5))) == 9100


def test_volume_tiers_price_all_units_by_their_number():
    plan = plan_of(case_item(tiers=TIERS, tiering=Tiering.VOLUME))
    assert total(due(plan, cases(5))) == 5 * 1500
    assert total(due(plan, cases(4))) == 4 * 1800
    assert total(due(plan, cases(2))) == 2 * 2000


def test_a_volume_tier_that_is_reached_later_gives_back_on_the_next_invoice():
    plan = plan_of(case_item(tiers=TIERS, tiering=Tiering.VOLUME))
    january = invoiced(due(plan, cases(3)), (), "CNY")
    assert [line.amount for line in january] == [1800, 1800, 1800]
    both = cases(3) + cases(2, day="2026-02-15", start=4)
    february = invoiced(due(plan, both), january, "CNY")
    assert [line.amount for line in february] == [-300, -300, -300, 1500, 1500]
    assert sum(line.amount for line in (*january, *february)) == 5 * 1500


def test_tiers_counted_by_month_begin_anew():
    plan = plan_of(case_item(tiers=TIERS, counted=CountedOver.MONTH))
    both = cases(3) + cases(3, day="2026-02-15", start=4)
    assert total(due(plan, both)) == 2 * (2000 + 2000 + 1800)


def test_a_minimum_raises_a_month_when_it_has_ended():
    plan = plan_of(monthly=Monthly("2026-01", "2026-02", D(5000), D(12000)))
    both = cases(2) + cases(4, day="2026-02-15", start=3)
    assert total(due(plan, both, "2026-01-31")) == 5000 + 4000  # the last day of January is still to come
    assert amounts(due(plan, both, "2026-02-01"))[-1] == "minimum/2026-01 3000.00"
    assert total(due(plan, both, "2026-02-01")) == 12000
    assert total(due(plan, both, "2026-03-01")) == 12000 + 5000 + 4 * 2000


def test_caps_cut_what_goes_beyond_them():
    plan = plan_of(cap_per_month=D(5000), cap_per_trial=D(8000))
    both = cases(3) + cases(3, day="2026-02-15", start=4)
    found = due(plan, both)
    assert [one.amount for one in found] == [2000, 2000, 1000, 2000, 1000, 0]
    assert found[2].because == ("case at 2000.00", "the cap of 2026-01, 5000.00, leaves 1000.00")
    assert found[5].because[-1] == "the cap of the trial, 8000.00, leaves 0.00"


def test_a_bundle_covers_everything_done_for_its_cases():
    plan = plan_of(case_item(), PriceItem("timepoint", PriceUnit.TIMEPOINT, D(300)), bundles=(Bundle(2, D(3500)),))
    usage = [
        one
        for number in (1, 2, 3)
        for one in (
            used(number),
            used(number, PriceUnit.TIMEPOINT, item="timepoint/BL"),
            used(number, PriceUnit.TIMEPOINT, item="timepoint/W06"),
        )
    ]
    assert amounts(due(plan, usage)) == [
        "bundle/2026-01/1 3500.00",
        "C0003/case 2000.00",
        "C0003/timepoint/BL 300.00",
        "C0003/timepoint/W06 300.00",
    ]


def test_the_first_timepoints_of_a_case_may_be_included():
    plan = plan_of(PriceItem("timepoint", PriceUnit.TIMEPOINT, D(350), included_per_case=4))
    six = [used(1, PriceUnit.TIMEPOINT, item=f"timepoint/W{week:02d}") for week in (0, 6, 12, 18, 24, 30)]
    assert [one.amount for one in due(plan, six)] == [0, 0, 0, 0, 350, 350]


def test_what_we_caused_is_free_and_what_others_caused_is_not():
    plan = plan_of(PriceItem("reread", PriceUnit.REREAD, D(800)))
    ours = used(1, PriceUnit.REREAD, item="reread/first/2", because="quality_failure")
    theirs = used(2, PriceUnit.REREAD, item="reread/first/2", because="site_error")
    assert [one.amount for one in due(plan, [ours, theirs])] == [0, 800]


def test_withdrawn_cases_are_charged_as_worked_or_given_back():
    usage = [used(1), used(1, PriceUnit.WITHDRAWAL, day="2026-02-02", entry=9)]
    assert total(due(plan_of(), usage)) == 2000
    strict = plan_of(withdrawn=Withdrawn.NOT_CHARGED)
    january = invoiced(due(strict, usage, "2026-02-01"), (), "CNY")
    february = invoiced(due(strict, usage, "2026-03-01"), january, "CNY")
    assert [line.amount for line in (*january, *february)] == [2000, -2000]


@pytest.mark.parametrize(
    ("amount", "currency", "weights", "parts"),
    [
        # 400.4, 100.1, 75.075, 425.425 yen: 1,000 are whole, the one that is left goes to the largest remainder
        ("1001", "JPY", "40 10 7.5 42.5", "400 100 75 426"),
        ("2000.00", "CNY", "40 10 7.5 42.5", "800.00 200.00 150.00 850.00"),
        ("100.00", "EUR", "33.33 33.33 33.34", "33.33 33.33 33.34"),
        ("0.05", "EUR", "50 50", "0.03 0.02"),  # equal remainders: the earlier one
        ("100.00", "EUR", "1 1 1", "33.34 33.33 33.33"),
        ("1.000", "KWD", "1 1 1", "0.334 0.333 0.333"),
        ("-0.05", "EUR", "50 50", "-0.03 -0.02"),
        ("0.00", "EUR", "50 50", "0.00 0.00"),
    ],
)
def test_an_amount_is_divided_by_largest_remainders(amount, currency, weights, parts):
    found = divided(D(amount), [D(weight) for weight in weights.split()], currency)
    assert [str(part) for part in found] == parts.split()


def payer(name, **said):
    return Payer(name, Party(f"{name} Ltd", "CN"), **said)


def test_two_payers_by_share_pay_the_whole():
    first, second = payer("first", share_pct=D(60)), payer("second", share_pct=D(40))
    plan = plan_of(PriceItem("case", PriceUnit.CASE, D("45.51")), payers=(first, second))
    found = due(plan, cases(1))
    # 60 % of 45.51 is 27.306, 40 % is 18.204: the cent that is left goes to the first
    assert [due_of_payer(found, plan, one)[0].amount for one in (first, second)] == [D("27.31"), D("18.20")]


def test_two_payers_by_site_pay_their_own_cases_and_the_rest():
    local, rest = payer("local", sites=("02",)), payer("rest")
    plan = plan_of(payers=(local, rest), monthly=Monthly("2026-01", "2026-01", D(100)))
    usage = [used(1), used(2, site="02"), used(3, site="")]
    found = due(plan, usage)
    assert amounts(due_of_payer(found, plan, local)) == ["C0002/case 2000.00"]
    assert amounts(due_of_payer(found, plan, rest)) == [
        "subscription/2026-01 100.00",
        "C0001/case 2000.00",
        "C0003/case 2000.00",
    ]


def bill_with(currency, *lines):
    made = tuple(
        BillLine(str(number), "case", "text", "", 1, D(price), "", Tax(TaxCategory(category), D(rate), reason))
        for number, (price, category, rate, reason) in enumerate(lines)
    )
    return Bill(BillKind.INVOICE, "T-1", currency, "1", "", None, None, "2026-01-01", "2026-01-31", made)


@pytest.mark.parametrize(
    ("currency", "lines", "taxes", "to_pay"),
    [
        # 7 % of 1.25 is 0.0875, as a line 0.09, ten of them 0.90; of their sum, 12.50, it is 0.875: 0.88
        ("EUR", [("1.25", "S", "7", "")] * 10, ["0.88"], "13.38"),
        ("EUR", [("2.50", "S", "5", "")], ["0.13"], "2.63"),  # 0.125: half up
        ("JPY", [("1005", "S", "10", "")], ["101"], "1106"),  # 100.5
        # two rates are rounded apart: 0.105 and 0.095
        ("EUR", [("1.50", "S", "7", ""), ("0.50", "S", "19", "")], ["0.11", "0.10"], "2.21"),
        ("EUR", [("260.00", "AE", "0", "Reverse charge")], ["0.00"], "260.00"),
    ],
)
def test_tax_is_rounded_once_for_each_category_and_rate(currency, lines, taxes, to_pay):
    bill = bill_with(currency, *lines)
    assert [str(one.amount) for one in bill.taxes] == taxes
    assert str(bill.total) == to_pay
