"""A red indicator asks for somebody; one task at a time, in the ledger, closed with a reason."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.central_review import TRIAL, Trial, double, entry, target
from tests.fakes.people import at_desk
from tests.fakes.store import MemoryBlobStore
from trialimg.core.access import Role
from trialimg.core.errors import AccessError, TrialimgError
from trialimg.services.cases import Proposal
from trialimg.services.model_evidence import Kept
from trialimg.services.model_health import model_health, watch_model
from trialimg.services.model_indicators import Light
from trialimg.services.model_tasks import close_model_task
from trialimg.services.prompted import KeptMasks
from trialimg.services.viewing import KeptSeries


@pytest.fixture
def kept() -> Kept:
    return Kept(KeptMasks(MemoryBlobStore()), KeptSeries(MemoryBlobStore()))


@pytest.fixture
def trial() -> Trial:
    """One proposal was judged, and the protocol was never validated."""
    trial = Trial(text=double())
    trial.trained("rosa", "rob")
    trial.receive("C0001", proposal=Proposal({"BL": entry("30")}, {"segmenter": "classical"}))
    trial.assign()
    trial.write(
        "rosa",
        trial.alias("C0001", "rosa"),
        "BL",
        {"image_quality": "adequate", "lesions": [target("30", proposal="T01")]},
    )
    return trial


def test_a_red_indicator_opens_one_task_in_the_name_of_the_software(trial, kept):
    assert model_health(trial.records, trial.actor("ana"), TRIAL, kept=kept).tasks == ()
    health = watch_model(trial.records, trial.actor("ana"), TRIAL, kept=kept)
    assert health.worst is Light.RED
    (task,) = health.tasks
    assert (task.indicator, task.state, task.for_role) == ("validated_days", "open", "analyst")
    assert trial.entries()[-1] == ("open_model_task", "T-1/validated_days/1")
    size = len(trial.entries())
    assert len(watch_model(trial.records, trial.actor("ana"), TRIAL, kept=kept).tasks) == 1
    assert len(trial.entries()) == size


def test_a_closed_task_has_its_reason_and_the_indicator_waits_before_it_opens_another(trial, kept):
    watch_model(trial.records, trial.actor("ana"), TRIAL, kept=kept)
    with pytest.raises(TrialimgError, match="say what was found"):
        close_model_task(trial.records, trial.actor("ana"), TRIAL, "validated_days", reason=" ")
    close_model_task(trial.records, trial.actor("ana"), TRIAL, "validated_days", reason="validation is planned")
    (task,) = watch_model(trial.records, trial.actor("ana"), TRIAL, kept=kept).tasks
    assert (task.state, task.closed_by, task.reason) == ("closed", "ana", "validation is planned")
    with pytest.raises(TrialimgError, match="no open task"):
        close_model_task(trial.records, trial.actor("ana"), TRIAL, "validated_days", reason="again")
    trial.records.clock.moment += dt.timedelta(days=15)
    again = at_desk(trial.records, "anna", Role.ANALYST)[0]
    assert [one.id for one in watch_model(trial.records, again, TRIAL, kept=kept).tasks if one.state == "open"] == [
        "T-1/validated_days/2"
    ]


def test_only_those_who_watch_the_model_see_it_and_an_inspector_closes_nothing(trial, kept):
    inspector = at_desk(trial.records, "ines", Role.INSPECTOR)[0]
    sponsor = at_desk(trial.records, "sam", Role.SPONSOR)[0]
    assert watch_model(trial.records, inspector, TRIAL, kept=kept).tasks
    for nobody in (sponsor, trial.actor("rosa")):
        with pytest.raises(AccessError):
            model_health(trial.records, nobody, TRIAL, kept=kept)
    with pytest.raises(AccessError, match="inspector may not"):
        close_model_task(trial.records, inspector, TRIAL, "validated_days", reason="seen")
