"""A warning that a reader saw is on record, and so is that they signed without a word on it; it never holds them up."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, double, entry, target
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.links import Link, LinkKind
from trialimg.services import reading
from trialimg.services.dashboard_case import case_page
from trialimg.services.lesion_fit import Misfit, as_read
from trialimg.services.lesion_links import confirm_link
from trialimg.services.lesion_warnings import WARNING, measured_at, note_shown
from trialimg.services.reading_room import room
from trialimg.services.records import EntryQuery

CROSSED = Link(LinkKind.PERSIST, ("T02",), ("T01",), 0.8, {"cost": 0.6}, "trialimg.match@1")
MISFIT = Misfit("T01", "T02", CROSSED, 91.26)
STEP = "W06"


def measured(x: float) -> dict:
    ends = [[f"{x - 20}", "0", "0"], [f"{x + 20}", "0", "0"]]
    return target("40.0", evidence={"series_uid": "2.25.1", "long_axis_lps_mm": ends})


class Reading:
    """A case whose follow-up visit is being read."""

    def __init__(self) -> None:
        self.trial = Trial(text=double())
        self.trial.trained("rita", "rolf")
        self.trial.receive("C1")
        self.trial.assign()
        self.alias = self.trial.alias("C1", "rita")
        self.reader = self.trial.actor("rita")
        reading.open_case(self.trial.records, self.reader, TRIAL, self.alias)
        self.trial.write("rita", self.alias, "BL", entry("40"))
        self.measure(90.0)

    def measure(self, x: float) -> None:
        self.lesion = measured(x)
        said = entry("40", step=STEP, lesions=[self.lesion])
        reading.save_draft(self.trial.records, self.reader, TRIAL, self.alias, step=STEP, entry=said)

    def warn(self, name: str = "rita"):
        shown = [(MISFIT, measured_at(self.lesion))]
        return note_shown(self.trial.records, self.trial.actor(name), (TRIAL, self.alias, STEP), shown)

    def answer(self) -> None:
        place = (TRIAL, self.alias, STEP)
        confirm_link(self.trial.records, self.reader, place, proposed=CROSSED, said=as_read(MISFIT))

    def sign(self) -> None:
        records = self.trial.records
        reading.lock_timepoint(records, self.reader, TRIAL, self.alias, step=STEP)
        reading.lock_read(records, self.reader, TRIAL, self.alias)
        reading.sign_read(records, self.reader, self.trial.proof("rita"), trial=TRIAL, alias=self.alias)

    @property
    def seen_by_the_analyst(self) -> list[tuple[str, ...]]:
        page = case_page(self.trial.records, self.trial.actor("ana"), TRIAL, "C1")
        return [(one.reader, one.visit, one.lesion, one.fits, one.away_mm, one.outcome) for one in page.warnings]

    @property
    def actions(self) -> list[tuple[str, str]]:
        with self.trial.records.store.reading() as transaction:
            return [(one.who, one.action) for one in transaction.entries(EntryQuery(object_kind=WARNING))]


@pytest.fixture
def case() -> Reading:
    return Reading()


def test_a_warning_that_was_shown_is_kept_once_for_each_measurement(case):
    assert case.warn() is not None
    assert case.warn() is None
    assert room(case.trial.records, case.reader, TRIAL, case.alias).warned == {("T01", measured_at(case.lesion))}
    case.measure(95.0)
    assert len(case.warn().body["warnings"]) == 1
    assert case.actions == [("rita", "warn_of_lesion")] * 2


def test_a_read_signed_without_a_word_says_so_to_whoever_leads_the_trial(case):
    case.warn()
    assert case.seen_by_the_analyst == []  # nothing of a read that is not signed
    case.sign()
    assert case.seen_by_the_analyst == [("rita", STEP, "T01", "T02", "91.3", "unanswered")]
    assert case.actions[-1] == ("rita", "sign_under_warning")


def test_an_answer_is_one_whatever_it_says(case):
    case.warn()
    case.answer()
    case.sign()
    assert [one[-1] for one in case.seen_by_the_analyst] == ["answered"]


def test_whoever_measured_anew_ignored_nothing(case):
    case.warn()
    case.measure(0.0)
    case.sign()
    assert [one[-1] for one in case.seen_by_the_analyst] == ["measured_anew"]


def test_a_lesion_that_was_said_to_be_absent_is_not_what_the_warning_was_about(case):
    case.warn()
    said = entry("", step=STEP)
    reading.save_draft(case.trial.records, case.reader, TRIAL, case.alias, step=STEP, entry=said)
    case.sign()
    assert [one[-1] for one in case.seen_by_the_analyst] == ["measured_anew"]


def test_where_nothing_was_shown_nothing_is_kept(case):
    case.sign()
    assert case.actions == []
    assert case.seen_by_the_analyst == []


def test_only_the_reader_of_the_case_and_only_at_an_open_visit_may_be_warned(case):
    with pytest.raises(AccessError):
        case.warn("rolf")
    reading.lock_timepoint(case.trial.records, case.reader, TRIAL, case.alias, step=STEP)
    with pytest.raises(ReadingError):
        case.warn()
    assert case.actions == []


def test_a_measurement_is_the_same_however_its_numbers_are_written():
    written = measured(90.0)
    points = [[float(value) for value in point] for point in written["evidence"]["long_axis_lps_mm"]]
    assert measured_at({**written, "evidence": {"series_uid": "2.25.1", "long_axis_lps_mm": points}}) == measured_at(
        written
    )
    assert measured_at(written) != measured_at(measured(90.5))
    assert measured_at(target("40.0")) == measured_at(None) == ""
