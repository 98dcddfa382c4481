"""Bone scans in order: progression that waits, is confirmed and dated back, or was a flare (B1 to B4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trialimg.core.responses import BoneResponse, Firing
from trialimg.criteria.pcwg3.rules import Rules

__all__ = ["BoneAnswer", "BoneScan", "judge_bone"]

_B = BoneResponse


@dataclass(frozen=True)
class BoneScan:
    """One bone scan after baseline."""

    id: str
    day: int
    """Days since baseline."""
    new: int | None
    """Lesions now that were not there at baseline; None: not evaluable."""
    in_flare_window: bool
    no_disease: bool = False
    """No lesion at all."""
    stated: BoneResponse | None = None
    """The reader's own word, which stands."""


@dataclass
class BoneAnswer:
    """The word of one scan, with its reasons in order."""

    word: BoneResponse
    why: list[Firing] = field(default_factory=list)


def judge_bone(scans: Sequence[BoneScan], rules: Rules) -> tuple[BoneAnswer, ...]:
    """The word of every bone scan after baseline, each as it stands once later ones are known."""
    course = _Course(rules)
    for scan in scans:
        course.step(scan)
    return tuple(course.answers)


class _Course:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.answers: list[BoneAnswer] = []
        self._reference: BoneScan | None = None
        """The first evaluable scan after baseline: what every later one is held against (B2)."""
        self._waiting: tuple[int, BoneScan, bool] | None = None
        """The scan that waits, by its place, and whether it may be a flare."""
        self._progressed = False

    def step(self, scan: BoneScan) -> None:
        """Judge one scan, and settle what waited for it."""
        if scan.stated is not None:
            self._say(scan.stated, "B4", f"bone {scan.stated.value} by the reader's word")
            return
        if scan.new is None:
            self._say(_B.NE, "B4", "bone scan not done, or new lesions not counted: NE")
            return
        if self._progressed:
            self._say(_B.PD, "B3", "progression of bone was confirmed before: PD")
        elif self._reference is None:
            self._first(scan, scan.new)
        else:
            self._later(scan, scan.new, self._reference)

    def _first(self, scan: BoneScan, new: int) -> None:
        self._reference = scan
        least, told = self._rules.bone_new_lesions, f"{new} new lesion(s) over baseline"
        if new >= least:
            rule, what = ("B1", "perhaps a flare") if scan.in_flare_window else ("B3", "to be confirmed")
            self._waiting = (len(self.answers), scan, scan.in_flare_window)
            self._say(_B.PDU, rule, f"{told} (>= {least}), {what}: PDu")
        elif scan.no_disease:
            self._say(_B.NED, "B4", "no lesion on the bone scan: NED")
        else:
            self._say(_B.NON_PD, "B1", f"{told} (< {least}): NON-PD; this scan is the reference from now on")

    def _later(self, scan: BoneScan, new: int, reference: BoneScan) -> None:
        least, more = self._rules.bone_new_lesions, new - (reference.new or 0)
        told = f"{more:+d} lesion(s) over {reference.id}, the reference"
        if self._waiting is not None and scan.day - self._waiting[1].day >= self._rules.bone_confirm_days:
            self._settle(scan, new)
            if self._progressed:
                return
        if more >= least:
            if self._waiting is None:
                self._waiting = (len(self.answers), scan, False)
            self._say(_B.PDU, "B3", f"{told} (>= {least}), to be confirmed: PDu")
        elif scan.no_disease:
            self._say(_B.NED, "B4", "no lesion on the bone scan: NED")
        else:
            self._say(_B.NON_PD, "B3", f"{told} (< {least}): NON-PD")

    def _settle(self, scan: BoneScan, new: int) -> None:
        """Whether a scan late enough confirms the one that waits: by as many again after a flare, else by lasting."""
        if self._waiting is None:
            return
        place, waiting, flare = self._waiting
        since = waiting.new or 0
        base = since if flare else self._base_of(waiting)
        least, more = self._rules.bone_new_lesions, new - base
        rule = "B1" if flare else "B3"
        self._waiting = None
        if more >= least:
            self._progressed = True
            what = f"{more} further lesion(s) at {scan.id} (>= {least})" if flare else f"they last at {scan.id}"
            for earlier in range(place, len(self.answers)):
                if self.answers[earlier].word is _B.PDU:
                    self._amend(earlier, _B.PD, rule, f"was PDu; {what}: PD, dated at {waiting.id}")
            self._say(_B.PD, rule, f"confirms {waiting.id}: PD")
            return
        what = (
            f"{more} further lesion(s) at {scan.id} (< {least}), so a flare" if flare else f"they are gone at {scan.id}"
        )
        for earlier in range(place, len(self.answers)):
            if self.answers[earlier].word is _B.PDU:
                self._amend(earlier, _B.NON_PD, rule, f"was PDu; {what}: NON-PD")

    def _base_of(self, waiting: BoneScan) -> int:
        """New lesions that do not count: those of the reference, none where the scan itself is the reference."""
        return 0 if self._reference is waiting or self._reference is None else self._reference.new or 0

    def _say(self, word: BoneResponse, rule: str, sentence: str) -> None:
        self.answers.append(BoneAnswer(word, [Firing(f"PCWG3/{rule}", sentence)]))

    def _amend(self, place: int, word: BoneResponse, rule: str, sentence: str) -> None:
        answer = self.answers[place]
        answer.why.append(Firing(f"PCWG3/{rule}", sentence, {"bone_before": answer.word.value}))
        answer.word = word
