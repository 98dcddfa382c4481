"""Visits aligned once, at ingest, and found again by the names of their series."""

from __future__ import annotations

import numpy as np
import pytest

from tests.fakes.imaging import body_with
from tests.fakes.store import MemoryBlobStore
from trialimg.core.errors import IntakeError
from trialimg.imaging import register
from trialimg.imaging.register import Alignment
from trialimg.services import cases
from trialimg.services.records import Place
from trialimg.services.viewing import KeptSeries, encode
from trialimg.services.visit_alignment import VisitAlignments, slice_offset_mm
from trialimg.volume import Geometry, Volume

HIGHER_MM = 12.0
BALLS = (((40.0, -20.0, 60.0), 24.0), ((-45.0, 30.0, 100.0), 30.0))


def table_moved(volume: Volume) -> Volume:
    """The same body on a table that was driven up by 12 mm."""
    x, y, z = volume.geometry.origin_lps_mm
    grid = Geometry(volume.geometry.size, volume.geometry.spacing_mm, (x, y, z + HIGHER_MM))
    return Volume(volume.array, grid, volume.modality, volume.unit)


@pytest.fixture
def alignments() -> VisitAlignments:
    store = MemoryBlobStore()
    kept = KeptSeries(store)
    body = body_with(BALLS)
    whole = Volume(np.rint(body.array), body.geometry, body.modality, body.unit)
    kept.keep("bl", encode(whole))
    kept.keep("w06", encode(table_moved(whole)))
    return VisitAlignments(kept, store)


def test_the_slice_of_a_later_visit_is_found_where_the_table_went(alignments):
    found = alignments.align("bl", "w06")
    assert slice_offset_mm(found, BALLS[0][0]) == pytest.approx(HIGHER_MM, abs=1.0)
    assert found.reason == ""


def test_two_visits_are_aligned_once(alignments, monkeypatch):
    assert alignments.between("bl", "w06") is None
    first = alignments.align("bl", "w06")
    monkeypatch.setattr(register, "register_body", lambda *_, **__: Alignment())
    assert alignments.align("bl", "w06") == first == alignments.between("bl", "w06")
    assert first != Alignment()


def test_a_series_that_is_not_kept_cannot_be_aligned(alignments):
    with pytest.raises(IntakeError, match="ingested again"):
        alignments.align("bl", "w12")
    assert alignments.between("bl", "w12") is None


def test_a_normal_that_points_down_turns_the_sign():
    up = Alignment(translation_mm=(1.0, 2.0, 5.0))
    assert slice_offset_mm(up, (0.0, 0.0, 0.0)) == 5.0
    assert slice_offset_mm(up, (0.0, 0.0, 0.0), (0.0, 0.0, -1.0)) == -5.0


def test_every_later_visit_of_a_trial_is_aligned_with_baseline(alignments):
    from tests.fakes import central_review as review
    from tests.fakes.central_review import TRIAL, Trial, double

    trial = Trial(text=double())
    visits = tuple(
        cases.CaseTimepoint(name, review.DATES[name], series=(uid,)) for name, uid in (("BL", "bl"), ("W06", "w06"))
    )
    received = cases.ReceivedCase("C1", "S-C1", visits, reference_date=review.DATES["BL"])
    cases.receive_cases(trial.records, trial.actor("ana"), TRIAL, [received])
    assert alignments.align_cases(trial.records, Place(TRIAL)) == 1
    assert alignments.between("bl", "w06") is not None
    assert alignments.align_cases(trial.records, Place(TRIAL)) == 0
