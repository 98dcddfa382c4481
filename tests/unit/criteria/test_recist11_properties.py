"""What must hold of RECIST 1.1 whatever the lesions measure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.readings import Readings, readings
from trialimg.core.lesions import Observation, Track
from trialimg.core.responses import OverallResponse, TargetResponse, TimepointAssessment
from trialimg.criteria import recist10, recist11
from trialimg.criteria.recist11 import Rules

WORSE = {TargetResponse.CR: 0, TargetResponse.PR: 1, TargetResponse.SD: 2, TargetResponse.PD: 3}
CELLS = st.one_of(
    st.integers(1, 900).map(lambda tenths: str(Decimal(tenths) / 10)), st.sampled_from(["0", "small", "NE", "."])
)
SIZES = st.integers(1, 900).map(lambda tenths: str(Decimal(tenths) / 10))
ORGANS = st.sampled_from(["liver", "lung", "node"])


@st.composite
def records(draw: st.DrawFn, cells: st.SearchStrategy[str] = CELLS) -> Readings:
    """One to five targets, some non-targets and new lesions, at two to five follow-ups."""
    visits = ["BL", *(f"W{6 * week:02d}" for week in range(1, draw(st.integers(2, 5)) + 1))]
    lines = [" ".join(visits)]
    for number in range(draw(st.integers(1, 5))):
        row = [draw(SIZES), *(draw(cells) for _ in visits[1:])]
        lines.append(f"T{number} {draw(ORGANS)} {' '.join(row)}")
    for number in range(draw(st.integers(0, 2))):
        row = ["yes", *(draw(st.sampled_from(["yes", "gone", "NE", "worse", "."])) for _ in visits[1:])]
        lines.append(f"NT{number} {draw(ORGANS)} {' '.join(row)}")
    for number in range(draw(st.integers(0, 2))):
        row = [".", *(draw(st.sampled_from(["new", "maybe", "gone", "."])) for _ in visits[1:])]
        lines.append(f"NL{number} {draw(ORGANS)} {' '.join(row)}")
    return readings("\n".join(lines))


def words(record: Readings, rules: Rules | None = None) -> list[tuple[object, ...]]:
    """What is said at every follow-up, without the reasons."""
    answers = record.assess(rules)
    return [(a.target, a.non_target, a.new_lesion, a.overall, a.sums) for a in answers]


@given(records(), st.randoms())
def test_the_order_of_lesions_does_not_matter(record: Readings, shuffle: random.Random) -> None:
    tracks = list(record.tracks)
    shuffle.shuffle(tracks)
    assert words(replace(record, tracks=tuple(tracks))) == words(record)


@given(records())
def test_the_same_lengths_in_tenths_of_mm_give_the_same_words(record: Readings) -> None:
    ten = Decimal(10)
    lengths = {f.name: getattr(Rules(), f.name) * ten for f in fields(Rules) if f.name.endswith("_mm")}
    tenths = replace(record, tracks=tuple(scaled(track, ten) for track in record.tracks))
    assert [w[:4] for w in words(tenths, Rules(**lengths))] == [w[:4] for w in words(record)]


@given(records(SIZES), st.data())
def test_growing_a_target_at_the_last_visit_never_betters_the_word(record: Readings, data: st.DataObject) -> None:
    targets = [track for track in record.tracks if track.lesion.id.startswith("T")]
    which = data.draw(st.sampled_from(targets))
    growth = Decimal(data.draw(st.integers(1, 500))) / 10
    last = which.observations[-1]
    bigger = replace(last, diameter_mm=(last.diameter_mm or Decimal(0)) + growth)
    grown = replace(which, observations=(*which.observations[:-1], bigger))
    tracks = tuple(grown if track is which else track for track in record.tracks)
    before, after = record.assess()[-1], replace(record, tracks=tracks).assess()[-1]
    assert WORSE[after.target] >= WORSE[before.target]


@given(records())
def test_an_answer_knows_only_the_timepoints_before_it(record: Readings) -> None:
    shorter = upto(record, len(record.timepoints) - 1)
    without_backdating = Rules(backdate_equivocal=False)
    assert words(shorter, without_backdating) == words(record, without_backdating)[:-1]


@given(records())
def test_a_sum_is_never_made_of_missing_lesions(record: Readings) -> None:
    for timepoint, answer in zip(record.timepoints[1:], record.assess(), strict=True):
        targets = [track.at(timepoint.id) for track in record.tracks if track.lesion.id.startswith("T")]
        known = all(o is not None and o.seen.value != "not_evaluable" for o in targets)
        assert (answer.sums.sum_mm is not None) == known


@given(records())
def test_every_answer_gives_its_rules_and_settings(record: Readings) -> None:
    for answer in record.assess():
        assert answer.rule[-1].rule in {"R-1.1/O1", "R-1.1/O2", "R-1.1/O3"}
        assert all(firing.rule.startswith("R-1.1/") and firing.sentence for firing in answer.rule)
        assert set(answer.settings) == {field.name for field in fields(Rules)}


@given(records(SIZES))
def test_without_nodes_recist_10_progresses_wherever_recist_11_does(record: Readings) -> None:
    later = recist10.assess(record.tracks, record.designations, record.timepoints)
    for old, new in zip(later, record.assess(), strict=True):
        if new.target is TargetResponse.PD:
            assert old.target is TargetResponse.PD
            assert old.overall is OverallResponse.PD


@given(base=st.integers(100, 5000), sign=st.sampled_from([-1, 0, 1]))
def test_thirty_per_cent_is_met_exactly(base: int, sign: int) -> None:
    """Baseline a multiple of 1 mm, so that 70 % of it is a whole number of tenths."""
    sum_tenths = 7 * base + sign
    (answer,) = two_sums(10 * base, sum_tenths)
    assert (answer.target is TargetResponse.PR) == (sign <= 0)


@given(nadir=st.integers(50, 5000), sign=st.sampled_from([-1, 0, 1]))
def test_twenty_per_cent_is_met_exactly(nadir: int, sign: int) -> None:
    """Nadir a multiple of 0.5 mm and at least 25 mm, so that 20 % of it is a whole number of tenths and >= 5 mm."""
    (answer,) = two_sums(5 * nadir, 6 * nadir + sign)
    assert (answer.target is TargetResponse.PD) == (sign >= 0)


@given(nadir=st.integers(10, 250), sign=st.sampled_from([-1, 0, 1]))
def test_five_mm_is_met_exactly(nadir: int, sign: int) -> None:
    """Below a nadir of 25 mm the absolute rule is the one that binds."""
    (answer,) = two_sums(nadir, nadir + 50 + sign)
    assert (answer.target is TargetResponse.PD) == (sign >= 0)


@given(tenths=st.integers(90, 110))
def test_ten_mm_is_the_first_short_axis_that_is_not_normal(tenths: int) -> None:
    (answer,) = readings(f"BL W06\nN1 node 30.0 {Decimal(tenths) / 10}").assess()
    assert (answer.target is TargetResponse.CR) == (tenths < 100)


@given(tenths=st.integers(90, 160))
def test_a_new_node_is_nothing_below_ten_and_certain_from_fifteen_mm(tenths: int) -> None:
    (answer,) = readings(f"BL W06\nT1 liver 30 30\nNL1 node . {Decimal(tenths) / 10}").assess()
    expected = "no" if tenths < 100 else "equivocal" if tenths < 150 else "unequivocal"
    assert answer.new_lesion.value == expected


def two_sums(first_tenths: int, second_tenths: int) -> Sequence[TimepointAssessment]:
    """One non-nodal target at baseline and once after it."""
    record = readings(f"BL W06\nT1 liver {Decimal(first_tenths) / 10} {Decimal(second_tenths) / 10}")
    return recist11.assess(record.tracks, record.designations, record.timepoints)


def scaled(track: Track, factor: Decimal) -> Track:
    """The same track in another unit of length."""
    return replace(track, observations=tuple(_scaled(o, factor) for o in track.observations))


def _scaled(observation: Observation, factor: Decimal) -> Observation:
    if observation.diameter_mm is None:
        return observation
    return replace(observation, diameter_mm=observation.diameter_mm * factor)


def upto(record: Readings, count: int) -> Readings:
    """The record as it stood at its first ``count`` timepoints."""
    kept = {timepoint.id for timepoint in record.timepoints[:count]}
    tracks = tuple(
        replace(track, observations=tuple(o for o in track.observations if o.timepoint.id in kept))
        for track in record.tracks
    )
    return replace(record, tracks=tracks, timepoints=record.timepoints[:count])
