"""The truth of the sample trial works out: a naive RECIST 1.1 reads the same responses off the true diameters."""

from __future__ import annotations

from collections import defaultdict

import pytest

from trialimg.core.lesions import Role
from trialimg.services.sample_plan import SubjectPlan, plan_subject
from trialimg.services.sample_scenarios import SCENARIOS
from trialimg.services.sample_tables import truth_rows

SEED = 2024
TENTHS_OF_A_VOXEL = 24
"""The in-plane voxel of 2.4 mm."""


@pytest.fixture(scope="module")
def subjects() -> list[SubjectPlan]:
    """Every scenario at its length in the shipped sample, and every scenario again with other people."""
    return [plan_subject(index, timepoints=4, seed=SEED) for index in range(2 * len(SCENARIOS))]


def tenths(cell: str) -> int:
    whole, _, tenth = cell.partition(".")
    return int(whole) * 10 + int(tenth)


class Naive:
    """RECIST 1.1 as a child would write it, in whole tenths of mm, on rows of truth.csv of one subject."""

    def __init__(self, rows: list[dict[str, str]], equivocal: frozenset[str], progressing: dict[str, int]) -> None:
        self.lesions: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in rows:
            if row["record"] == "lesion":
                self.lesions[row["timepoint"]].append(row)
        self.visits = list(self.lesions)
        self.equivocal, self.progressing = equivocal, progressing

    def size(self, row: dict[str, str]) -> int | None:
        if row["seen"] == "measured":
            return tenths(row["diameter_mm"])
        return {"too_small": 50, "absent": 0}.get(row["seen"])

    def sum(self, visit: str, extra: dict[str, int] | None = None) -> int | None:
        """Sum of target diameters; ``extra`` adds a measuring error to single lesions."""
        total = 0
        for row in self.of(visit, "target"):
            size = self.size(row)
            if size is None:
                return None
            total += max(0, size + (extra or {}).get(row["lesion"], 0)) if size else 0
        return total

    def of(self, visit: str, role: str) -> list[dict[str, str]]:
        return [row for row in self.lesions[visit] if row["role"] == role]

    def target(self, visit: str, errors: dict[str, dict[str, int]] | None = None) -> str:
        errors = errors or {}
        at = self.visits.index(visit)
        now, base = self.sum(visit, errors.get(visit)), self.sum("BL", errors.get("BL"))
        earlier = [self.sum(v, errors.get(v)) for v in self.visits[:at]]
        nadir = min(s for s in earlier if s is not None)
        if now is None or base is None:
            return "NE"
        if now - nadir >= 50 and 10 * now >= 12 * nadir:
            return "PD"
        targets = self.of(visit, "target")
        if all(self.size(r) == 0 or (r["kind"] == "nodal" and (self.size(r) or 0) < 100) for r in targets):
            return "CR"
        return "PR" if 10 * now <= 7 * base else "SD"

    def non_target(self, visit: str) -> str:
        rows = self.of(visit, "non_target")
        if not rows:
            return "NA"
        if any(self.visits.index(visit) >= self.progressing.get(row["lesion"], 99) for row in rows):
            return "PD"
        sizes = [(row["kind"], self.size(row)) for row in rows]
        if any(size is None for _, size in sizes):
            return "NE"
        gone = all(size == 0 or (kind == "nodal" and size is not None and size < 100) for kind, size in sizes)
        return "CR" if gone else "NON-CR/NON-PD"

    def new_lesion(self, visit: str) -> str:
        rows = self.of(visit, "new")
        if any(row["seen"] == "not_evaluable" for row in self.lesions[visit]):
            return ""
        there = [row["lesion"] for row in rows if row["seen"] != "absent"]
        if set(there) - self.equivocal:
            return "unequivocal"
        return "equivocal" if there else "no"

    def overall(self, visit: str) -> str:
        target, non_target = self.target(visit), self.non_target(visit)
        if "PD" in (target, non_target) or self.new_lesion(visit) == "unequivocal":
            return "PD"
        if target == "CR":
            return "CR" if non_target in ("CR", "NA") else "PR"
        return target


def naive(subject: SubjectPlan) -> tuple[Naive, list[dict[str, str]]]:
    blank = dict.fromkeys(("seen", "diameter_mm", "target", "non_target", "new_lesion", "overall", "best_overall"), "")
    rows = [{**blank, **row} for row in truth_rows(subject)]
    scenario = subject.scenario
    imaged = [row for row in rows if row["record"] != "lesion" or row["seen"]]
    return Naive(imaged, frozenset(scenario.equivocal), _order_of_words(subject)), rows


def _order_of_words(subject: SubjectPlan) -> dict[str, int]:
    """Lesion to the place, among imaged visits, of the reader's first word of progression."""
    imaged = [visit.number for visit in subject.visits if visit.imaged]
    return {label: imaged.index(visit) for label, visit in subject.scenario.unequivocal_progression if visit in imaged}


def test_every_response_written_by_hand_follows_from_the_true_diameters(subjects):
    compared = 0
    for subject in subjects:
        recist, rows = naive(subject)
        for row in rows:
            if row["record"] != "timepoint":
                continue
            visit = row["timepoint"]
            answer = tuple(getattr(recist, name)(visit) for name in ("target", "non_target", "new_lesion", "overall"))
            written = tuple(row[name] for name in ("target", "non_target", "new_lesion", "overall"))
            assert answer == written, (subject.id, subject.scenario.name, visit)
            compared += 1
    assert compared == 54  # ten scenarios of three follow-ups, less one missed and two after progression, twice


def test_best_response_is_the_best_word_until_progression_and_needs_no_confirmation():
    order = ["CR", "PR", "SD", "PD", "NE"]
    for scenario in SCENARIOS:
        for last in range(1, 1 + (scenario.last_visit or 6)):
            said = [scenario.expected(visit) for visit in range(1, last + 1)]
            words = [answer.overall.value for answer in said if answer is not None]
            counted = words[: words.index("PD") + 1] if "PD" in words else words
            if said[-1] is not None:
                assert said[-1].best.value == min(counted, key=order.index), (scenario.name, last)


def test_best_response_of_the_shipped_length_is_confirmed_wherever_it_is_a_response(subjects):
    for subject in subjects[: len(SCENARIOS)]:
        _, rows = naive(subject)
        words = [row["overall"] for row in rows if row["record"] == "timepoint"]
        best = rows[-1]["best_overall"]
        if best in ("CR", "PR"):
            first = words.index(best)
            assert words[first + 1 :], subject.scenario.name
            assert set(words[first + 1 :]) <= {best, "CR"}, subject.scenario.name


def test_sums_keep_8_percentage_points_away_from_every_threshold(subjects):
    for subject in subjects:
        recist, _ = naive(subject)
        for at, visit in enumerate(recist.visits[1:], start=1):
            now, base = recist.sum(visit), recist.sum("BL")
            sums = [s for v in recist.visits[:at] if (s := recist.sum(v)) is not None]
            if now is None or base is None:
                continue
            if recist.target(visit) != "CR":
                assert abs(100 * now / base - 70) >= 8, (subject.scenario.name, visit)
            nadir = min(sums)
            grown = 100 * (now - nadir) / nadir
            assert abs(grown - 20) >= 8, (subject.scenario.name, visit, grown)
            if recist.target(visit) == "PD":
                assert now - nadir >= 50 + TENTHS_OF_A_VOXEL


def test_measuring_any_one_lesion_a_voxel_too_long_or_too_short_changes_no_response(subjects):
    tried = 0
    for subject in subjects:
        recist, _ = naive(subject)
        for visit in recist.visits[1:]:
            right = recist.target(visit)
            for at in recist.visits[: recist.visits.index(visit) + 1]:
                for row in recist.of(at, "target"):
                    for error in (-TENTHS_OF_A_VOXEL, TENTHS_OF_A_VOXEL):
                        wrong = recist.target(visit, {at: {row["lesion"]: error}})
                        assert wrong == right, (subject.scenario.name, visit, at, row["lesion"], error)
                        tried += 1
    assert tried > 300


def test_baseline_targets_are_measurable_and_at_most_two_per_organ(subjects):
    for subject in subjects:
        recist, _ = naive(subject)
        organs = defaultdict(int)
        for row in recist.of("BL", "target"):
            assert tenths(row["diameter_mm"]) >= (150 if row["kind"] == "nodal" else 100) + TENTHS_OF_A_VOXEL
            organs[row["organ"]] += 1
        assert max(organs.values()) <= 2
        for row in recist.of("BL", "non_target"):
            if row["kind"] == "nodal":
                assert 100 + TENTHS_OF_A_VOXEL < tenths(row["diameter_mm"]) < 150


def test_sizes_differ_between_people_but_follow_the_scenario(subjects):
    first, again = subjects[0], subjects[len(SCENARIOS)]
    assert first.scenario is again.scenario
    assert naive(first)[0].sum("BL") != naive(again)[0].sum("BL")
    assert first.person.anatomy != again.person.anatomy


def test_the_scenarios_hold_every_kind_of_course():
    texts = [text for s in SCENARIOS for text in (s.target, s.non_target, s.new_lesion, s.overall)]
    words = {word for text in texts for word in text.split()}
    assert {"CR", "PR", "SD", "PD", "NE", "NON-CR/NON-PD", "equivocal", "unequivocal"} <= words
    assert {s.arm for s in SCENARIOS} == {"A", "B"}
    assert any(s.missed for s in SCENARIOS)
    assert any(s.incomplete for s in SCENARIOS)
    parts = [c.parts_mm(v) for s in SCENARIOS for c in s.courses for v in range(c.visits)]
    assert any(len(part) == 2 for part in parts)
    assert any(part and sum(part) < 5 for part in parts)
    nodes_normal = [c for s in SCENARIOS for c in s.courses if c.kind.value == "nodal" and c.role is Role.TARGET]
    assert any(0 < sum(c.parts_mm(c.visits - 1)) < 10 for c in nodes_normal)


def test_a_subject_does_not_depend_on_how_long_the_trial_is():
    short, long = (plan_subject(3, timepoints=k, seed=7) for k in (2, 4))
    assert short.person == long.person
    assert short.visits == long.visits[:2]


def test_nobody_is_imaged_after_death_and_every_visit_lies_in_its_window():
    for index, scenario in enumerate(SCENARIOS):
        subject = plan_subject(index, timepoints=8, seed=SEED)
        for visit in subject.visits:
            if visit.date is None:
                continue
            if scenario.death_day is not None:
                assert visit.date < subject.date_of_day(scenario.death_day)
            if visit.number == 0:
                assert -14 <= (visit.date - subject.reference_date).days < 0
            else:
                assert 0 <= (visit.date - subject.reference_date).days - 42 * visit.number <= 7
