"""A case moves only as its design allows, whoever tries what in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trialimg.core.errors import ReadingError
from trialimg.core.reading import CaseKind, Reader, ReaderKind, ReadStage, Seat, Stage
from trialimg.review.answers import ReadAnswer
from trialimg.review.case_review import CaseReview
from trialimg.review.design import Amendment, Disclosure, ReadingDesign, Resolution, Trigger, TriggerVariable
from trialimg.review.read_review import GLOBAL

BEST = (Trigger(TriggerVariable.BEST_RESPONSE),)
SINGLE = ReadingDesign()
DOUBLE = ReadingDesign(readers=2, adjudication=BEST)
CONSENSUS = replace(DOUBLE, resolution=Resolution.CONSENSUS)
TIMEPOINTS = ("BL", "W06", "W12")
PEOPLE = ("ann", "bob", "cat", "dan")
FIRST, SECOND, ADJUDICATOR = Seat.FIRST, Seat.SECOND, Seat.ADJUDICATOR


def answer(word: str) -> ReadAnswer:
    return ReadAnswer(word, (("W06", word),), None, date(2026, 3, 1), (), evaluable=True)


def seated(design: ReadingDesign, *readers: str, kind: CaseKind = CaseKind.EFFICACY) -> CaseReview:
    case = CaseReview("T/C1", design, TIMEPOINTS, kind)
    for seat, reader in zip((FIRST, SECOND, ADJUDICATOR), readers, strict=False):
        case = case.assigned(seat, Reader(reader))
    return case


def locked(case: CaseReview, by: str, word: str = "PR") -> CaseReview:
    seat = next(seat for seat, read in case.reads.items() if read.reader.id == by)
    for step in case.reads[seat].steps:
        if step not in case.reads[seat].locked:
            case = case.with_locked(by, step)
    return case.completed(by, answer(word))


def signed(case: CaseReview, by: str, word: str = "PR") -> CaseReview:
    return locked(case, by, word).signed(by)


def test_a_single_read_makes_the_case_final_when_it_is_signed():
    case = seated(SINGLE, "ann")
    assert [case.stage, locked(case, "ann").stage] == [Stage.READING, Stage.READING]
    done = signed(case, "ann")
    assert (done.stage, done.accepted) == (Stage.FINAL, FIRST)


def test_two_reads_that_agree_need_nobody_else():
    case = signed(signed(seated(DOUBLE, "ann", "bob"), "ann"), "bob")
    assert (case.stage, case.accepted, case.discordances) == (Stage.FINAL, FIRST, ())


def test_two_reads_that_differ_wait_for_the_verdict_which_chooses_one():
    case = signed(signed(seated(DOUBLE, "ann", "bob", "dan"), "ann", "PR"), "bob", "SD")
    assert (case.stage, case.accepted) == (Stage.ADJUDICATION, None)
    settled = case.chosen("dan", SECOND)
    assert (settled.stage, settled.accepted) == (Stage.FINAL, SECOND)
    with pytest.raises(ReadingError, match="it is final"):
        settled.chosen("dan", FIRST)


def test_a_consensus_is_reached_when_both_readers_chose_the_same():
    case = signed(signed(seated(CONSENSUS, "ann", "bob"), "ann", "PR"), "bob", "SD")
    half = case.chosen("ann", FIRST)
    apart = half.chosen("bob", SECOND)
    assert [half.stage, apart.stage] == [Stage.ADJUDICATION, Stage.ADJUDICATION]
    agreed = apart.chosen("ann", SECOND)
    assert (agreed.stage, agreed.accepted) == (Stage.FINAL, SECOND)


@pytest.mark.requirement("FDA-09")
def test_a_timepoint_is_neither_shown_nor_written_before_the_one_before_it_is_locked():
    case = seated(SINGLE, "ann")
    assert case.reads[FIRST].visible == ("BL",)
    with pytest.raises(ReadingError, match="W06 is not shown before BL is locked"):
        case.with_locked("ann", "W06")
    with pytest.raises(ReadingError, match="W06 is not shown"):
        case.reads[FIRST].drafted("ann", "W06")
    after = case.with_locked("ann", "BL")
    assert after.reads[FIRST].visible == ("BL", "W06")
    with pytest.raises(ReadingError, match="BL is locked"):
        after.reads[FIRST].drafted("ann", "BL")


def test_all_at_once_shows_every_timepoint_and_the_global_read_comes_last():
    design = ReadingDesign(disclosure=Disclosure.ALL_AT_ONCE, global_read=True)
    case = seated(design, "ann")
    assert case.reads[FIRST].visible == TIMEPOINTS
    for step in reversed(TIMEPOINTS):
        case = case.with_locked("ann", step)
    assert case.reads[FIRST].visible == (*TIMEPOINTS, GLOBAL)
    with pytest.raises(ReadingError, match="GLOBAL not locked yet"):
        case.completed("ann", answer("PR"))
    assert signed(case, "ann").stage is Stage.FINAL


def test_only_an_efficacy_case_has_a_global_read():
    case = seated(ReadingDesign(global_read=True), "ann", kind=CaseKind.ELIGIBILITY)
    assert case.reads[FIRST].steps == TIMEPOINTS


@pytest.mark.requirement("P11-08")
def test_nobody_signs_locks_or_settles_what_is_anothers():
    case = locked(seated(DOUBLE, "ann", "bob", "dan"), "ann")
    for step in (
        lambda: case.reads[FIRST].signed("bob"),
        lambda: case.signed("dan"),
        lambda: case.signed("eve"),
        lambda: case.with_locked("dan", "BL"),
        lambda: case.reads[SECOND].with_locked("ann", "BL"),
    ):
        with pytest.raises(ReadingError, match=r"another person's|is not a reader of it"):
            step()
    differing = signed(case.signed("ann"), "bob", "SD")
    for somebody in ("ann", "bob", "eve"):
        with pytest.raises(ReadingError, match="somebody else chooses"):
            differing.chosen(somebody, FIRST)


@pytest.mark.requirement("P11-08")
@pytest.mark.parametrize("reader", ["ann", "bob"])
def test_no_reader_of_a_case_becomes_its_adjudicator_nor_the_other_way_round(reader):
    with pytest.raises(ReadingError, match="holds another seat"):
        seated(DOUBLE, "ann", "bob").assigned(ADJUDICATOR, Reader(reader))
    case = CaseReview("T/C1", DOUBLE, TIMEPOINTS).assigned(ADJUDICATOR, Reader(reader))
    with pytest.raises(ReadingError, match="holds another seat"):
        case.assigned(FIRST, Reader(reader))


def test_who_gave_a_seat_back_does_not_come_back_in_another():
    case = seated(DOUBLE, "ann", "bob").with_locked("ann", "BL").revoked(FIRST)
    for seat in (FIRST, ADJUDICATOR):
        with pytest.raises(ReadingError, match="has seen this subject before"):
            case.assigned(seat, Reader("ann"))
    assert case.assigned(FIRST, Reader("cat"), number=2).reads[FIRST].locked == ()


def test_an_algorithm_reads_but_neither_signs_nor_adjudicates():
    device = Reader("net", ReaderKind.DEVICE)
    case = CaseReview("T/C1", DOUBLE, TIMEPOINTS)
    with pytest.raises(ReadingError, match="cannot adjudicate"):
        case.assigned(ADJUDICATOR, device)
    with pytest.raises(ReadingError, match="cannot sign"):
        locked(case.assigned(FIRST, device), "net").signed("net")


@pytest.mark.requirement("P11-07")
def test_no_verdict_before_two_signed_reads():
    case = locked(signed(seated(DOUBLE, "ann", "bob", "dan"), "ann", "PR"), "bob", "SD")
    with pytest.raises(ReadingError, match="both reads must be signed"):
        case.chosen("dan", FIRST)
    agreeing = signed(signed(seated(DOUBLE, "ann", "bob", "dan"), "ann"), "bob")
    with pytest.raises(ReadingError, match="nothing to choose"):
        agreeing.chosen("dan", FIRST)


@pytest.mark.requirement("E6-07")
def test_what_is_signed_changes_only_by_a_correction_that_was_asked_for():
    case = signed(seated(SINGLE, "ann"), "ann")
    for step in (
        lambda: case.with_locked("ann", "BL"),
        lambda: case.completed("ann", answer("PD")),
        lambda: case.signed("ann"),
        lambda: case.revoked(FIRST),
    ):
        with pytest.raises(ReadingError):
            step()
    with pytest.raises(ReadingError, match="nobody reopened"):
        case.corrected("ann")
    open_again = case.reopened(FIRST, "W06")
    assert (open_again.stage, open_again.accepted) == (Stage.READING, None)
    correction = open_again.corrected("ann").reads[FIRST]
    assert (correction.number, correction.locked, correction.stage) == (2, ("BL",), ReadStage.DRAFT)
    assert correction.visible == ("BL", "W06")


def test_reopening_voids_the_verdict_that_rested_on_the_read():
    case = signed(signed(seated(DOUBLE, "ann", "bob", "dan"), "ann", "PR"), "bob", "SD").chosen("dan", FIRST)
    again = signed(case.reopened(SECOND, "W12").corrected("bob"), "bob", "SD")
    assert (again.stage, again.choices) == (Stage.ADJUDICATION, {})


def test_a_finished_read_shows_what_it_read_and_no_timepoint_that_came_later():
    read = replace(signed(seated(SINGLE, "ann"), "ann").reads[FIRST], steps=(*TIMEPOINTS, "W18"))
    assert read.visible == TIMEPOINTS


def test_late_timepoints_reopen_the_end_of_every_read_and_leave_its_beginning_locked():
    case = signed(seated(SINGLE, "ann"), "ann").extended((*TIMEPOINTS, "W18"))
    read = case.reads[FIRST]
    assert (case.stage, read.number, read.locked, read.visible[-1]) == (Stage.READING, 2, TIMEPOINTS, "W18")
    between = signed(seated(SINGLE, "ann"), "ann").extended(("BL", "W06", "W09", "W12"))
    assert between.reads[FIRST].locked == ("BL", "W06")
    with pytest.raises(ReadingError, match="does not have"):
        case.extended(TIMEPOINTS)


@pytest.mark.parametrize(
    ("policy", "is_named", "state", "anew"),
    [
        (Amendment.NONE, False, "nobody", True),
        (Amendment.NONE, False, "begun", False),
        (Amendment.NONE, True, "signed", True),
        (Amendment.UNSIGNED, False, "begun", True),
        (Amendment.UNSIGNED, False, "signed", False),
        (Amendment.ALL, False, "signed", True),
    ],
)
def test_an_amendment_reopens_what_it_says_and_nothing_else(policy, is_named, state, anew):
    cases = {
        "nobody": CaseReview("T/C1", SINGLE, TIMEPOINTS),
        "begun": seated(SINGLE, "ann").with_locked("ann", "BL"),
        "signed": signed(seated(SINGLE, "ann"), "ann"),
    }
    amended = cases[state].amended(replace(SINGLE, amendment=policy, global_read=True), is_named=is_named)
    assert (amended.design.global_read, amended is not cases[state]) == (anew, anew)
    assert all(read.locked == () and read.steps[-1] == GLOBAL for read in amended.reads.values()) or not anew


def test_nothing_is_done_with_the_case_of_somebody_who_withdrew():
    case = seated(DOUBLE, "ann", "bob").withdrawn()
    assert case.stage is Stage.WITHDRAWN
    for step in (
        lambda: case.with_locked("ann", "BL"),
        lambda: case.assigned(ADJUDICATOR, Reader("dan")),
        lambda: case.reopened(FIRST, "BL"),
        lambda: case.extended((*TIMEPOINTS, "W18")),
        lambda: case.chosen("dan", FIRST),
        lambda: case.revoked(FIRST),
    ):
        with pytest.raises(ReadingError, match="withdrew consent"):
            step()


class AnythingTried(RuleBasedStateMachine):
    """People try steps in any order; the case takes some and refuses the others."""

    @initialize(
        design=st.sampled_from([DOUBLE, CONSENSUS, SINGLE]),
        is_global=st.booleans(),
        disclosure=st.sampled_from(list(Disclosure)),
    )
    def begin(self, design: ReadingDesign, is_global: bool, disclosure: Disclosure) -> None:
        self.case = CaseReview("T/C1", replace(design, global_read=is_global, disclosure=disclosure), TIMEPOINTS)
        self.frozen: dict[tuple[Seat, int], ReadAnswer] = {}
        self.ever_read: dict[str, set[Seat]] = {}
        self.signatures: list[tuple[str, Seat, int]] = []
        self.rests_on: dict[str, dict[Seat, int]] = {}

    def attempt(self, step) -> CaseReview | None:
        """The case after a step; None, and unchanged, where it was refused."""
        try:
            after = step()
        except ReadingError:
            return None
        before, self.case = self.case, after
        return before

    @rule(seat=st.sampled_from(list(Seat)), person=st.sampled_from(PEOPLE))
    def assign(self, seat: Seat, person: str) -> None:
        if self.attempt(lambda: self.case.assigned(seat, Reader(person))) is not None:
            self.ever_read.setdefault(person, set()).add(seat)

    @rule(seat=st.sampled_from(list(Seat)))
    def revoke(self, seat: Seat) -> None:
        self.attempt(lambda: self.case.revoked(seat))

    @rule(person=st.sampled_from(PEOPLE), step=st.sampled_from((*TIMEPOINTS, GLOBAL)))
    def lock_timepoint(self, person: str, step: str) -> None:
        before = self.attempt(lambda: self.case.with_locked(person, step))
        if before is not None:
            read = next(read for read in before.reads.values() if read.reader.id == person)
            earlier = read.steps[: read.steps.index(step)]
            assert step in read.visible
            assert read.stage is ReadStage.DRAFT
            if read.is_sequential or step == GLOBAL:
                assert set(earlier) <= set(read.locked)

    @precondition(lambda self: self.case.reads)
    @rule(data=st.data())
    def lock_next(self, data: st.DataObject) -> None:
        read = self.case.reads[data.draw(st.sampled_from(sorted(self.case.reads, key=lambda seat: seat.value)))]
        if still_open := [step for step in read.visible if step not in read.locked]:
            self.attempt(lambda: self.case.with_locked(read.reader.id, still_open[0]))

    @rule(person=st.sampled_from(PEOPLE), word=st.sampled_from(["PR", "SD"]))
    def lock_read(self, person: str, word: str) -> None:
        before = self.attempt(lambda: self.case.completed(person, answer(word)))
        if before is not None:
            seat, read = next((s, r) for s, r in self.case.reads.items() if r.reader.id == person)
            assert set(read.locked) == set(read.steps)
            assert (seat, read.number, person) not in self.frozen
            self.frozen[seat, read.number] = answer(word)

    @rule(person=st.sampled_from(PEOPLE))
    def sign(self, person: str) -> None:
        before = self.attempt(lambda: self.case.signed(person))
        if before is not None:
            seat, read = next((s, r) for s, r in before.reads.items() if r.reader.id == person)
            assert read.stage is ReadStage.LOCKED
            assert (person, seat, read.number) not in self.signatures
            self.signatures.append((person, seat, read.number))

    @rule(people=st.permutations(PEOPLE), word=st.sampled_from(["PR", "SD"]), seat=st.sampled_from([FIRST, SECOND]))
    def go_on(self, people: list[str], word: str, seat: Seat) -> None:
        """Whatever is due, so that the end is reached often enough to be tried there."""
        unread = [at for at in self.case.design.reading_seats if not self.is_signed(at)]
        if not unread:
            for person in people:
                self.assign(Seat.ADJUDICATOR, person)
            for person in people:
                self.choose(person, seat)
            return
        for person in people:
            self.assign(unread[0], person)
        read = self.case.reads.get(unread[0])
        if read is not None:
            self.correct(read.reader.id)
            for step in read.steps:
                self.attempt(lambda step=step: self.case.with_locked(read.reader.id, step))
            self.lock_read(read.reader.id, word)
            self.sign(read.reader.id)

    def is_signed(self, seat: Seat) -> bool:
        read = self.case.reads.get(seat)
        return read is not None and read.stage is ReadStage.SIGNED and not read.reopened_from

    @rule(data=st.data())
    def reopen_something(self, data: st.DataObject) -> None:
        if locked_reads := [(at, step) for at, read in self.case.reads.items() for step in read.locked]:
            self.reopen(*data.draw(st.sampled_from(locked_reads)))

    @rule(seat=st.sampled_from(list(Seat)), step=st.sampled_from(TIMEPOINTS))
    def reopen(self, seat: Seat, step: str) -> None:
        before = self.attempt(lambda: self.case.reopened(seat, step))
        if before is not None:
            assert step in before.reads[seat].locked
            assert self.case.reads[seat].answer == before.reads[seat].answer

    @rule(person=st.sampled_from(PEOPLE))
    def correct(self, person: str) -> None:
        before = self.attempt(lambda: self.case.corrected(person))
        if before is not None:
            seat, read = next((s, r) for s, r in before.reads.items() if r.reader.id == person)
            assert read.reopened_from
            assert self.case.reads[seat].number == read.number + 1

    @rule(person=st.sampled_from(PEOPLE), seat=st.sampled_from(list(Seat)))
    def choose(self, person: str, seat: Seat) -> None:
        before = self.attempt(lambda: self.case.chosen(person, seat))
        if before is not None:
            self.rests_on[person] = {at: read.number for at, read in before.reads.items()}
            assert all(before.reads[s].stage is ReadStage.SIGNED for s in (FIRST, SECOND))
            assert before.discordances
            if before.design.resolution is Resolution.ADJUDICATION:
                assert person == before.adjudicator
                assert not self.ever_read[person] & {FIRST, SECOND}

    @invariant()
    def no_one_sits_in_two_seats(self) -> None:
        if not hasattr(self, "case"):
            return
        people = [read.reader.id for read in self.case.reads.values()] + [self.case.adjudicator] * bool(
            self.case.adjudicator
        )
        assert len(set(people)) == len(people)
        assert all(len(seats) == 1 for seats in self.ever_read.values())

    @invariant()
    def what_is_locked_as_a_whole_says_what_it_said(self) -> None:
        for seat, read in getattr(self, "case", CaseReview("", SINGLE, ())).reads.items():
            if read.stage is not ReadStage.DRAFT:
                assert read.answer == self.frozen[seat, read.number]

    @invariant()
    def a_choice_holds_only_for_the_reads_that_were_seen(self) -> None:
        case = getattr(self, "case", None)
        for person in case.choices if case is not None else ():
            assert self.rests_on[person] == {at: read.number for at, read in case.reads.items()}
            assert not any(read.reopened_from for read in case.reads.values())

    @invariant()
    def a_final_case_rests_on_signed_reads(self) -> None:
        case = getattr(self, "case", None)
        if case is not None and case.stage is Stage.FINAL:
            assert set(case.reads) == set(case.design.reading_seats)
            assert all(r.stage is ReadStage.SIGNED and not r.reopened_from for r in case.reads.values())
            assert case.accepted in case.reads
            assert not case.discordances or case.choices


TestAnythingTried = pytest.mark.requirement("P11-07")(AnythingTried.TestCase)
TestAnythingTried.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
