"""Links between visits: proposed by the software, confirmed or changed by a reader, each with its author."""

from __future__ import annotations

import pytest

from tests.fakes.central_review import DATES, TRIAL, Trial, double
from trialimg.core.access import Actor, Role
from trialimg.core.errors import AccessError, ReadingError
from trialimg.core.links import Link, LinkKind
from trialimg.services import cases
from trialimg.services.lesion_links import LINKS, confirm_links, link_of, propose_links
from trialimg.services.records import EntryQuery

SOFTWARE = Actor("trialimg", Role.DEVICE)
PERSISTS = Link(LinkKind.PERSIST, ("L1",), ("L1",), 0.8, {"cost": 0.6}, "trialimg.match@1")
GONE = Link(LinkKind.DEATH, ("L2",), (), 0.7, {}, "trialimg.match@1")
BORN = Link(LinkKind.BIRTH, (), ("L3",), 0.6, {}, "trialimg.match@1")
SAME_AFTER_ALL = Link(LinkKind.PERSIST, ("L2",), ("L3",), 0.0)


@pytest.fixture
def trial() -> Trial:
    made = Trial(text=double())
    made.trained("rita", "rolf")
    visits = tuple(cases.CaseTimepoint(name, DATES[name]) for name in ("BL", "W06"))
    received = cases.ReceivedCase("C1", "S-C1", visits, reference_date=DATES["BL"])
    cases.receive_cases(made.records, made.actor("ana"), TRIAL, [received])
    made.assign()
    return made


def proposed(trial: Trial) -> None:
    propose_links(trial.records, SOFTWARE, f"{TRIAL}/C1", "W06", links=[PERSISTS, GONE, BORN])


def confirmed(trial: Trial, *links: Link):
    alias = trial.alias("C1", "rita")
    return confirm_links(trial.records, trial.actor("rita"), TRIAL, alias, step="W06", links=links)


def test_a_confirmed_proposal_names_both_the_software_and_the_reader(trial):
    proposed(trial)
    word = confirmed(trial, PERSISTS, GONE, BORN)
    first = link_of(word.body["links"][0])
    assert (first.proposed_by, first.confirmed_by, first.score, first.reasons) == (
        "trialimg.match@1",
        "rita",
        0.8,
        {"cost": 0.6},
    )
    assert word.body["rejected"] == []
    with trial.records.store.reading() as transaction:
        actions = [entry.action for entry in transaction.entries(EntryQuery(object_kind=LINKS))]
    assert actions == ["propose_links", "confirm_links"]


def test_a_changed_link_is_the_readers_own_and_what_was_proposed_instead_is_kept(trial):
    proposed(trial)
    word = confirmed(trial, PERSISTS, SAME_AFTER_ALL)
    changed = link_of(word.body["links"][1])
    assert (changed.proposed_by, changed.confirmed_by, changed.reasons) == ("rita", "rita", {})
    assert [link_of(one) for one in word.body["rejected"]] == [GONE, BORN]
    assert word.body["proposal_version"] == 1


def test_a_reader_may_link_where_nothing_was_proposed(trial):
    assert confirmed(trial, PERSISTS).body["proposal_version"] == 0


def test_a_lesion_is_linked_once(trial):
    with pytest.raises(ReadingError, match="one link") as refused:
        confirmed(trial, PERSISTS, Link(LinkKind.DEATH, ("L1",), (), 0.5))
    assert [fault.where for fault in refused.value.faults] == ["W06 L1"]


def test_only_the_software_proposes_and_only_the_reader_of_the_case_confirms(trial):
    with pytest.raises(AccessError):
        propose_links(trial.records, trial.actor("rita"), f"{TRIAL}/C1", "W06", links=[PERSISTS])
    proposed(trial)
    alias = trial.alias("C1", "rita")
    with pytest.raises(AccessError):
        confirm_links(trial.records, trial.actor("rolf"), TRIAL, alias, step="W06", links=[PERSISTS])


def test_a_proposal_is_for_a_visit_that_there_is_and_confirmed_by_nobody(trial):
    with pytest.raises(ReadingError, match="no timepoint"):
        propose_links(trial.records, SOFTWARE, f"{TRIAL}/C1", "W99", links=[PERSISTS])
    with pytest.raises(ReadingError, match="confirmed by nobody"):
        propose_links(trial.records, SOFTWARE, f"{TRIAL}/C1", "W06", links=[PERSISTS.confirmed("rita")])
