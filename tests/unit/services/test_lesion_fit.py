"""A lesion measured in another's place is noticed; one that moved with the body, shrank or is new is not."""

from __future__ import annotations

import pytest

from trialimg.core.links import LinkKind
from trialimg.services.lesion_fit import Extent, as_read, misfits

FIRST, SECOND, FAR = (0.0, 0.0, 0.0), (60.0, 0.0, 0.0), (0.0, 150.0, 40.0)
EXPECTED = (Extent("T01", FIRST, 12.0), Extent("T02", SECOND, 9.0))


@pytest.mark.parametrize(
    "measured",
    [
        (Extent("T01", (4.0, 3.0, -2.0), 12.0), Extent("T02", (57.0, 5.0, 0.0), 9.5)),  # the body moved
        (Extent("T01", FIRST, 4.0), Extent("T02", SECOND, 20.0)),  # one shrank, one grew
        (Extent("T02", SECOND, 9.0),),  # the other is not measured yet
        (Extent("T01", FIRST, 12.0), Extent("N01", FAR, 6.0)),  # a new one lies where none was
        (),
    ],
)
def test_lesions_in_their_places_are_no_misfits(measured):
    assert misfits(EXPECTED, measured) == ()


def test_two_lesions_that_were_exchanged_are_found_both():
    found = misfits(EXPECTED, (Extent("T01", SECOND, 9.0), Extent("T02", FIRST, 12.0)))
    assert [(one.lesion, one.fits) for one in found] == [("T01", "T02"), ("T02", "T01")]
    assert [one.away_mm for one in found] == [60.0, 60.0]
    assert all(one.link.score > 0.9 and one.link.proposed_by.startswith("trialimg.match@") for one in found)


def test_a_lesion_measured_in_the_place_of_one_that_is_not_measured_yet_is_found():
    (found,) = misfits(EXPECTED, (Extent("T01", (62.0, 0.0, 0.0), 9.0),))
    assert (found.lesion, found.fits, found.link.kind) == ("T01", "T02", LinkKind.PERSIST)


def test_a_lesion_measured_where_none_is_expected_is_found_without_another():
    (found,) = misfits(EXPECTED, (Extent("T01", FAR, 12.0),))
    assert (found.lesion, found.fits, found.link.kind) == ("T01", "", LinkKind.BIRTH)
    assert found.away_mm == pytest.approx(155.2, abs=0.1)


def test_what_the_reader_meant_is_a_link_of_the_lesion_to_itself():
    (found,) = misfits(EXPECTED, (Extent("T01", FAR, 12.0),))
    link = as_read(found)
    assert (link.kind, link.earlier, link.later, link.proposed_by) == (LinkKind.PERSIST, ("T01",), ("T01",), "")
