"""Candidates of new lesions: looked for once, by the software, where a trusted alignment and the protocol let it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes import central_review as review
from tests.fakes.central_review import TRIAL, Trial, double
from tests.fakes.imaging import body_with
from tests.fakes.store import MemoryBlobStore
from trialimg.imaging import register
from trialimg.imaging.register import Alignment
from trialimg.services import cases, new_lesion_proposals
from trialimg.services.new_lesion_proposals import CANDIDATES, propose_new_lesions
from trialimg.services.records import EntryQuery, Place
from trialimg.services.viewing import KeptSeries, encode
from trialimg.services.visit_alignment import VisitAlignments
from trialimg.volume import Volume

KNOWN = ((40.0, -60.0, 60.0), 26.0)
NEW = ((-20.0, 50.0, 72.0), 22.0)
HIGHER_MM = 30.0
UP = Alignment(translation_mm=(0.0, 0.0, HIGHER_MM))
"""From baseline to a visit whose table stood 30 mm higher."""


def scanned(balls, *, higher_mm=0.0, seed=11) -> Volume:
    body = body_with(balls)
    x, y, z = body.geometry.origin_lps_mm
    grid = replace(body.geometry, origin_lps_mm=(x, y, z + higher_mm))
    noise = np.random.default_rng(seed).normal(0, 5, body.array.shape)
    return Volume(np.rint(body.array + noise), grid, body.modality, body.unit)


@pytest.fixture(scope="module")
def blobs():
    store = MemoryBlobStore()
    series = KeptSeries(store)
    series.keep("bl", encode(scanned((KNOWN,), seed=1)))
    series.keep("w06", encode(scanned((KNOWN, NEW), higher_mm=HIGHER_MM)))
    return store


@pytest.fixture
def alignments(blobs, monkeypatch):
    series = KeptSeries(blobs)
    found = VisitAlignments(series, MemoryBlobStore())
    monkeypatch.setattr(register, "register_body", lambda *_, **__: UP)
    return found


def received(text=None) -> Trial:
    trial = Trial(text=text or double())
    visits = tuple(
        cases.CaseTimepoint(name, review.DATES[name], series=(uid,)) for name, uid in (("BL", "bl"), ("W06", "w06"))
    )
    case = cases.ReceivedCase("C1", "S-C1", visits, reference_date=review.DATES["BL"])
    cases.receive_cases(trial.records, trial.actor("ana"), TRIAL, [case])
    return trial


def proposed(trial, alignments) -> int:
    alignments.align_cases(trial.records, Place(TRIAL))
    return propose_new_lesions(trial.records, Place(TRIAL), alignments)


def kept(trial):
    with trial.records.store.reading() as transaction:
        found = transaction.current(CANDIDATES, f"{TRIAL}/C1/W06")
        actions = [(one.who, one.action) for one in transaction.entries(EntryQuery(object_kind=CANDIDATES))]
    return found, actions


def test_what_baseline_does_not_show_is_kept_with_the_case_in_the_name_of_the_software(alignments):
    trial = received()
    assert proposed(trial, alignments) == 1
    found, actions = kept(trial)
    first = found.body["candidates"][0]
    x, y, z = NEW[0]
    assert [float(v) for v in first["centre_lps_mm"]] == pytest.approx((x, y, z + HIGHER_MM), abs=4.0)
    assert (first["name"], first["series_uid"], first["baseline_uid"]) == ("C01", "w06", "bl")
    assert float(first["score"]) > 0.5
    assert found.body["proposed_by"].startswith("trialimg.new_lesions@")
    assert actions == [("trialimg", "propose_new_lesions")]


def test_a_visit_is_looked_at_once(alignments, monkeypatch):
    monkeypatch.setattr(new_lesion_proposals, "new_lesion_candidates", lambda *_, **__: ())
    trial = received()
    proposed(trial, alignments)
    assert proposed(trial, alignments) == 0
    assert kept(trial)[0].version == 1


def test_another_version_of_the_search_looks_again(alignments, monkeypatch):
    monkeypatch.setattr(new_lesion_proposals, "new_lesion_candidates", lambda *_, **__: ())
    trial = received()
    proposed(trial, alignments)
    monkeypatch.setattr(new_lesion_proposals, "_BY", "trialimg.new_lesions@0")
    assert proposed(trial, alignments) == 1
    assert kept(trial)[0].body["proposed_by"] == "trialimg.new_lesions@0"


def test_a_visit_whose_alignment_is_not_trusted_has_no_candidates_and_is_not_looked_at_again(alignments, monkeypatch):
    monkeypatch.setattr(register, "register_body", lambda *_, **__: replace(UP, reason="another part of the body"))
    trial = received()
    assert proposed(trial, alignments) == 1
    assert kept(trial)[0].body["candidates"] == []
    assert proposed(trial, alignments) == 0


def test_a_visit_without_alignment_is_not_looked_at(alignments):
    trial = received()
    assert propose_new_lesions(trial.records, Place(TRIAL), alignments) == 0
    assert kept(trial)[0] is None


@pytest.mark.parametrize("switch", ["new_lesion_candidates", "device_drafts"])
def test_a_protocol_that_shows_none_has_none(alignments, switch):
    trial = received(double(**{switch: "false"}))
    assert proposed(trial, alignments) == 0
    assert kept(trial)[0] is None
