"""Rating looks at the set of what was done: order, repetition and where a period is cut make no difference."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.usages import END_OF_2026, amounts, cases, due, plan_of, total, used
from trialimg.billing.bill import invoiced
from trialimg.billing.parties import Party, Payer, Share, ShareRole
from trialimg.billing.plan import PricePlan, Withdrawn
from trialimg.billing.prices import Bundle, CountedOver, Monthly, PriceItem, PriceUnit, Tier, Tiering
from trialimg.billing.rating import Span, due_of_payer, rated
from trialimg.core.errors import BillingError
from trialimg.core.reading import CaseKind

D = Decimal

WORK = (PriceUnit.CASE, PriceUnit.TIMEPOINT, PriceUnit.READ, PriceUnit.REREAD, PriceUnit.WITHDRAWAL)

money = st.integers(0, 500_000).map(lambda cents: D(cents) / 100)
maybe = st.one_of(st.none(), st.integers(100_000, 900_000).map(lambda cents: D(cents) / 100))


@st.composite
def items(draw: st.DrawFn) -> tuple[PriceItem, ...]:
    units = draw(st.lists(st.sampled_from(WORK), unique=True, min_size=1))
    return tuple(
        PriceItem(
            unit.value,
            unit,
            draw(money),
            included_per_case=draw(st.integers(0, 2)),
            tiers=tuple(Tier(above, draw(money)) for above in sorted(draw(st.sets(st.integers(1, 6), max_size=2)))),
            tiering=draw(st.sampled_from(Tiering)),
            counted=draw(st.sampled_from(CountedOver)),
        )
        for unit in units
    )


@st.composite
def plans(draw: st.DrawFn) -> PricePlan:
    return plan_of(
        *draw(items()),
        bundles=tuple(draw(st.lists(st.builds(Bundle, st.integers(1, 3), money), max_size=2))),
        monthly=draw(st.sampled_from((Monthly(), Monthly("2026-01", "2026-03", D("50.05"), D("900.10"))))),
        cap_per_month=draw(maybe),
        cap_per_trial=draw(maybe),
        withdrawn=draw(st.sampled_from(Withdrawn)),
        shares=(Share(ShareRole.READER, D("33.3")), Share(ShareRole.SITE, D("0.7")),
                Share(ShareRole.PLATFORM, D(66), "us")),
        payers=(Payer("a", Party("A", "CN"), D("33.3")), Payer("b", Party("B", "CN"), D("66.7"))),
    )  # fmt: skip


@st.composite
def histories(draw: st.DrawFn):
    made = []
    for number in range(draw(st.integers(0, 12))):
        day = dt.date(2026, 1, 1) + dt.timedelta(days=draw(st.integers(0, 110)))
        unit = draw(st.sampled_from(WORK))
        made.append(
            used(
                draw(st.integers(1, 6)),
                unit,
                day=day.isoformat(),
                item=f"{unit.value}/{number}",
                entry=number,
                site=draw(st.sampled_from(("", "01"))),
                people=draw(st.sampled_from(((), ("rita",), ("raul", "rita", "rosa")))),
                because=draw(st.sampled_from(("", "quality_failure"))),
            )
        )
    return made


@given(plans(), histories(), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_give_the_same(plan, usage, chance):
    shuffled = [*usage, *usage[: len(usage) // 2]]
    chance.shuffle(shuffled)
    assert due(plan, shuffled) == due(plan, usage)


@given(plans(), histories(), st.lists(st.integers(1, 120), max_size=3))
@settings(max_examples=60)
def test_invoices_of_parts_come_to_the_invoice_of_the_whole(plan, usage, days):
    ends = [f"{dt.date(2026, 1, 1) + dt.timedelta(days=day)}T00:00:00.000000+00:00" for day in sorted(days)]
    lines = []
    for end in (*ends, END_OF_2026):
        lines += invoiced(rated(plan, usage, Span(end)), lines, "CNY")
    at_once = invoiced(due(plan, usage), (), "CNY")
    assert sum(line.amount for line in lines) == sum(line.amount for line in at_once)
    assert all(sum(part.amount for part in line.parts) == line.amount for line in lines)
    assert _by_payee(lines) == _by_payee(at_once)
    assert invoiced(due(plan, usage), lines, "CNY") == ()


@given(plans(), histories())
def test_shares_sum_to_the_line_and_payers_to_the_whole_to_the_last_cent(plan, usage):
    found = due(plan, usage)
    for line in invoiced(found, (), "CNY"):
        assert sum(part.amount for part in line.parts) == line.amount
    parts = [due_of_payer(found, plan, payer) for payer in plan.payers]
    for place, one in enumerate(found):
        assert sum(part[place].amount for part in parts) == one.amount


@given(plans(), histories())
def test_no_cap_is_exceeded_and_every_ended_month_reaches_its_minimum(plan, usage):
    found = due(plan, usage)
    months = {month: total(tuple(one for one in found if one.month == month)) for month in {one.month for one in found}}
    if plan.cap_per_trial is not None:
        assert total(found) <= plan.cap_per_trial
    for month, charged in months.items():
        if plan.cap_per_month is not None:
            assert charged <= plan.cap_per_month
        elif plan.cap_per_trial is None and plan.monthly.minimum and month <= "2026-03":
            assert charged >= plan.monthly.minimum
    assert all(0 <= one.amount <= one.price for one in found)


@given(histories())
def test_graduated_tiers_never_make_more_work_cost_less(usage):
    plan = plan_of(*(PriceItem(unit.value, unit, D(10), tiers=(Tier(2, D(7)), Tier(4, D(1)))) for unit in WORK))
    assert total(due(plan, usage[:-1])) <= total(due(plan, usage))


def test_a_line_that_gives_back_takes_from_each_payee_what_it_had_got():
    shares = (Share(ShareRole.READER, D("33.3")), Share(ShareRole.PLATFORM, D("66.7"), "us"))
    item = PriceItem("case", PriceUnit.CASE, D("10.01"), tiers=(Tier(1, D("9.99")),), tiering=Tiering.VOLUME)
    plan = plan_of(item, shares=shares)
    first = invoiced(due(plan, cases(1)), (), "CNY")
    given_back, second = invoiced(due(plan, cases(2)), first, "CNY")
    assert (given_back.amount, second.amount) == (D("-0.02"), D("9.99"))
    # 10.01 was divided 1.67 + 1.66 + 6.68, 9.99 is 1.67 + 1.66 + 6.66
    assert [(part.payee, part.amount) for part in given_back.parts] == [("platform/us", D("-0.02"))]


def test_a_cap_never_raises_what_it_leaves_room_for():
    assert [one.amount for one in due(plan_of(cap_per_month=D("2000.50")), cases(3))] == [2000, D("0.50"), 0]
    assert [one.because for one in due(plan_of(cap_per_trial=D(2000)), cases(1))] == [("case at 2000.00",)]


def test_a_withdrawal_is_charged_where_the_rest_of_the_case_is_not():
    items = (PriceItem("case", PriceUnit.CASE, D(2000)), PriceItem("withdrawal", PriceUnit.WITHDRAWAL, D(100)))
    usage = [used(1), used(1, PriceUnit.WITHDRAWAL, day="2026-01-20", entry=9)]
    assert amounts(due(plan_of(*items, withdrawn=Withdrawn.NOT_CHARGED), usage)) == ["C0001/withdrawal 100.00"]


def test_what_the_plan_does_not_price_is_no_line_at_all():
    assert due(plan_of(), [used(1, PriceUnit.REPEAT_READ), used(2, PriceUnit.QUALIFICATION_READ)]) == ()


def test_a_case_kind_may_have_its_own_price():
    own = PriceItem("eligibility", PriceUnit.CASE, D(500), case_kind=CaseKind.ELIGIBILITY)
    plan = plan_of(own, PriceItem("case", PriceUnit.CASE, D(2000)))
    usage = [used(1, kind=CaseKind.ELIGIBILITY), used(2, kind=CaseKind.EFFICACY), used(3)]
    assert [one.amount for one in due(plan, usage)] == [500, 2000, 2000]


def test_two_usages_of_one_key_that_differ_are_refused():
    with pytest.raises(BillingError, match="T-1/C0001/case"):
        due(plan_of(), [used(1), replace(used(1), subject="S999")])


def test_only_what_lies_before_the_moment_and_in_the_plans_months_is_due():
    usage = cases(1) + cases(1, day="2026-02-28", start=2) + cases(1, day="2026-03-01", start=3)
    assert amounts(due(plan_of(), usage, "2026-03-01")) == ["C0001/case 2000.00", "C0002/case 2000.00"]
    span = Span(END_OF_2026, "2026-02", "2026-03")
    assert amounts(rated(plan_of(), usage, span)) == ["C0002/case 2000.00"]


def test_the_explanation_names_the_tier():
    plan = plan_of(PriceItem("case", PriceUnit.CASE, D(2000), tiers=(Tier(1, D(1800)),)))
    assert [one.because for one in due(plan, cases(2))] == [
        ("case, number 1 of the trial: tier 1 of 2 at 2000.00",),
        ("case, number 2 of the trial: tier 2 of 2 at 1800.00",),
    ]


def _by_payee(lines):
    sums = {}
    for line in lines:
        for part in line.parts:
            sums[part.payee] = sums.get(part.payee, D(0)) + part.amount
    return {payee: amount for payee, amount in sums.items() if amount}
