"""A doubt about which lesion was measured: the software's proposal and the reader's word, each with its author."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import TRIAL, Trial, double, entry
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.links import Link, LinkKind
from trialimg.services import reading
from trialimg.services.lesion_links import LINKS, confirm_link, link_of
from trialimg.services.reading_room import room
from trialimg.services.records import EntryQuery

CROSSED = Link(LinkKind.PERSIST, ("T02",), ("T01",), 0.8, {"cost": 0.6}, "trialimg.match@1")
AS_READ = Link(LinkKind.PERSIST, ("T01",), ("T01",), 1.0)
NOWHERE = Link(LinkKind.BIRTH, (), ("T03",), 0.6, {}, "trialimg.match@1")
IT_IS = Link(LinkKind.PERSIST, ("T03",), ("T03",), 1.0)


@pytest.fixture
def trial() -> Trial:
    made = Trial(text=double())
    made.trained("rita", "rolf")
    made.receive("C1")
    made.assign()
    alias = made.alias("C1", "rita")
    reading.open_case(made.records, made.actor("rita"), TRIAL, alias)
    made.write("rita", alias, "BL", entry("40"))
    return made


def said(trial, proposed, word, name="rita", step="W06"):
    place = (TRIAL, trial.alias("C1", "rita"), step)
    return confirm_link(trial.records, trial.actor(name), place, proposed=proposed, said=word)


def test_a_confirmed_proposal_names_both_the_software_and_the_reader(trial):
    record = said(trial, CROSSED, CROSSED)
    (link,) = map(link_of, record.body["links"])
    assert (link.proposed_by, link.confirmed_by, link.score) == ("trialimg.match@1", "rita", 0.8)
    assert link.reasons == {"cost": 0.6}
    assert record.body["rejected"] == []
    with trial.records.store.reading() as transaction:
        entries = list(transaction.entries(EntryQuery(object_kind=LINKS)))
    assert [(one.who, one.action) for one in entries] == [("rita", "confirm_link")]


def test_another_word_is_the_readers_own_and_the_proposal_is_kept_as_rejected(trial):
    record = said(trial, CROSSED, AS_READ)
    (link,) = map(link_of, record.body["links"])
    assert (link.proposed_by, link.confirmed_by, link.reasons) == ("rita", "rita", {})
    assert [link_of(one) for one in record.body["rejected"]] == [CROSSED]


def test_words_on_other_lesions_stay_and_a_second_word_takes_the_place_of_the_first(trial):
    said(trial, NOWHERE, IT_IS)
    said(trial, CROSSED, AS_READ)
    record = said(trial, CROSSED, CROSSED)
    assert [one["earlier"] for one in record.body["links"]] == [["T03"], ["T02"]]
    assert [link_of(one) for one in record.body["rejected"]] == [NOWHERE]
    shown = room(trial.records, trial.actor("rita"), TRIAL, trial.alias("C1", "rita")).links
    assert [link.later for link in shown] == [("T03",), ("T01",)]


def test_only_the_reader_of_the_case_says_so_and_only_of_the_open_visit(trial):
    with pytest.raises(AccessError):
        said(trial, CROSSED, CROSSED, name="rolf")
    with pytest.raises(ReadingError, match="locked"):
        said(trial, CROSSED, CROSSED, step="BL")


def test_a_proposal_names_its_author_and_is_confirmed_by_nobody_yet(trial):
    for wrong in (AS_READ, CROSSED.confirmed("rita")):
        with pytest.raises(ReadingError, match="confirmed by nobody"):
            said(trial, wrong, AS_READ)
