"""What the analyst does with cases: the forms, each with its reason and confirmation."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from apps.trialimg_dashboard.desk import Desk
from apps.trialimg_dashboard.views.acting import act, may, wanted
from apps.trialimg_dashboard.views.case import reads
from trialimg.core.access import Action
from trialimg.core.errors import ReadingError
from trialimg.core.reading import Seat, Stage
from trialimg.services.cases import receive_cases, withdraw_consent
from trialimg.services.dashboard_case import CasePage
from trialimg.services.dashboard_cohort import Cohort
from trialimg.services.finished import FinishedRun
from trialimg.services.reading_assignment import assign_trial, revoke_assignment
from trialimg.services.reading_receipt import cases_of_run, cases_of_table
from trialimg.services.reading_reopening import Reopening, reopen
from trialimg.services.trials_data_cut import CutOrder, cut_data

__all__ = ["assign_all", "chosen", "cut", "one_case", "receive"]


def receive(at: Desk, run: FinishedRun | None, known: Collection[str]) -> None:
    """Cases taken in by a table, or from the trial's finished run."""
    if not may(at, Action.RECEIVE_CASES):
        return
    asked = wanted(at, "cases.receive_table", lambda: _table(at), has_reason=False)
    if asked is not None:
        name, text = asked.fields
        act(at, lambda: _received_table(at, name, text), lambda made: at.t("cases.received", count=made))
    if run is None:
        return
    asked_run = wanted(at, "cases.receive_run", lambda: st.caption(at.t("cases.receive_run_help")), has_reason=False)
    if asked_run is not None:
        act(at, lambda: _received_run(at, run, known), lambda made: at.t("cases.received", count=made))


def assign_all(at: Desk, cohort: Cohort) -> None:
    """Every free seat given out."""
    if not may(at, Action.ASSIGN_READS):
        return
    waiting = at.t("cases.assign_help", cases=len(cohort.lines), waiting=cohort.states[Stage.ADJUDICATION.value])
    if wanted(at, "cases.assign", lambda: st.caption(waiting), has_reason=False) is not None:
        act(
            at,
            lambda: len(assign_trial(at.records, at.actor, at.trial)),
            lambda given: at.t("cases.assigned", count=given),
        )


def cut(at: Desk, cohort: Cohort) -> None:
    """The results of every final case locked for analysis, signed."""
    final = cohort.states[Stage.FINAL.value]
    if not (final and may(at, Action.CUT_DATA)):
        return

    def fields() -> tuple[str, str]:
        st.caption(at.t("cases.cut_help", final=final, all=len(cohort.lines)))
        name = st.text_input(at.t("cases.cut_name"), max_chars=40)
        return name.strip(), st.text_input(at.t("cases.cut_mixed"), max_chars=500)

    asked = wanted(at, "cases.cut", fields, signs=at.t("cases.cut_meaning"))
    if asked is not None and asked.proof is not None:
        name, mixed = asked.fields
        proof, order = asked.proof, CutOrder(at.trial, name, asked.reason, mixed)
        act(at, lambda: cut_data(at.records, at.actor, proof, order))


def chosen(at: Desk, cohort: Cohort) -> str:
    """The case that is to be acted on."""
    codes = [line.code for line in cohort.lines]
    present = st.session_state.get("case", "")
    place = codes.index(present) if present in codes else None
    picked = st.selectbox(at.t("cases.choose"), codes, index=place, placeholder=at.t("cases.choose_hint"))
    return picked or ""


def one_case(at: Desk, page: CasePage) -> None:
    """What can be done with one case now."""
    st.caption(f"{page.code} · {at.t('cohort.subject')} {page.subject} · {at.t(f'stage.{page.state}')}")
    reads(at, page)
    if may(at, Action.ASSIGN_READS):
        _revoke(at, page)
    if may(at, Action.REOPEN_READ):
        _reopen(at, page)
    if may(at, Action.WITHDRAW_CONSENT) and page.state != Stage.WITHDRAWN.value:
        _withdraw(at, page)


def _revoke(at: Desk, page: CasePage) -> None:
    seats = [one.seat for one in page.reads if not one.repeat and one.state != "signed"]
    if not seats:
        return
    asked = wanted(at, "cases.revoke", lambda: _seat(at, page, seats))
    if asked is not None:
        seat, reason = Seat(asked.fields), asked.reason
        act(at, lambda: revoke_assignment(at.records, at.actor, at.trial, page.code, seat=seat, reason=reason))


def _reopen(at: Desk, page: CasePage) -> None:
    locked = {one.seat: one.locked for one in page.reads if one.locked and not one.repeat}
    if not locked:
        return
    steps = {f"{seat}/{step}": (seat, step) for seat, visits in locked.items() for step in visits}

    def fields() -> tuple[str, str]:
        picked = st.selectbox(
            at.t("cases.from_visit"), list(steps), format_func=lambda key: _step(at, *steps[key]), key="cases_reopen"
        )
        return steps[picked]

    asked = wanted(at, "cases.reopen", fields, signs=at.t("cases.reopen_meaning"))
    if asked is not None and asked.proof is not None:
        seat, step = asked.fields
        proof, wish = asked.proof, Reopening(page.code, Seat(seat), step, asked.reason)
        act(at, lambda: reopen(at.records, at.actor, proof, at.trial, asked=wish))


def _withdraw(at: Desk, page: CasePage) -> None:
    asked = wanted(at, "cases.withdraw", lambda: st.caption(at.t("cases.withdraw_help", subject=page.subject)))
    if asked is not None:
        act(at, lambda: withdraw_consent(at.records, at.actor, at.trial, page.subject, reason=asked.reason))


def _seat(at: Desk, page: CasePage, seats: list[str]) -> str:
    holders = {one.seat: one.reader for one in page.reads if not one.repeat}
    return st.selectbox(
        at.t("case.seat"), seats, format_func=lambda seat: f"{at.t(f'seat.{seat}')} · {holders[seat]}", key="cases_seat"
    )


def _step(at: Desk, seat: str, step: str) -> str:
    return f"{at.t(f'seat.{seat}')} · {step}"


def _table(at: Desk) -> tuple[str, str]:
    st.caption(at.t("cases.table_help"))
    file = st.file_uploader(at.t("cases.table"), type=["csv"], max_upload_size=10)
    return (file.name, file.getvalue().decode("utf-8-sig", "replace")) if file is not None else ("", "")


def _received_table(at: Desk, name: str, text: str) -> int:
    if not text:
        raise ReadingError(at.t("cases.no_file"))
    return len(receive_cases(at.records, at.actor, at.trial, cases_of_table(text, name)))


def _received_run(at: Desk, run: FinishedRun, known: Collection[str]) -> int:
    found = cases_of_run(run)
    if found.trial != at.trial:
        raise ReadingError(at.t("cases.other_trial", trial=found.trial))
    fresh = [case for case in found.cases if case.code not in known]
    return len(receive_cases(at.records, at.actor, at.trial, fresh))
