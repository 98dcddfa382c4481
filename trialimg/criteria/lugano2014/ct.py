"""CT of one subject: products of diameters, single lesions, spleen (L5 to L10)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from trialimg.core.lesions import LesionKind, NewLesionStatus, Observation, Seen, Track
from trialimg.core.responses import Firing, TargetResponse
from trialimg.criteria.lugano2014.facts import Facts
from trialimg.criteria.lugano2014.rules import Rules, SizeBand
from trialimg.criteria.record import Course, Record, product_mm2
from trialimg.criteria.thresholds import Quantity

__all__ = ["Ct", "Spleen", "counts_as_new"]

_T = TargetResponse
_ONE, _ZERO = Decimal(1), Decimal(0)


def counts_as_new(track: Track, order: int, rules: Rules) -> bool:
    """Whether a new lesion is progression by its size (L10); the reader's "unequivocal" goes before size."""
    seen = next((o for o in reversed(track.observations) if o.timepoint.order <= order), None)
    if seen is None or seen.seen is Seen.ABSENT:
        return False
    if seen.status is not None or seen.diameter_mm is None:
        return seen.status is NewLesionStatus.UNEQUIVOCAL
    return seen.diameter_mm > _abnormal_above(track, rules)


class Ct:
    """The targets and the spleen, judged by size."""

    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._record = record
        self._rules = rules
        side = rules.too_small_default_mm
        self.products = Course(record.targets, record.timepoints, product_mm2, too_small=side * side)
        self._tracks = {track.lesion.id: track for track in record.targets}

    def target(self, index: int) -> tuple[TargetResponse, Firing]:
        """The word of the targets without regard to progression of single lesions: CR, PR, SD, NE or NA."""
        if not self.products:
            return _T.NOT_APPLICABLE, _why("L0", "no target lesion at baseline")
        total, baseline = self.products.totals[index], self.products.baseline
        if total.value is None:
            return _T.NE, _why("L7", f"no sum of products ({total.why_missing}) and no PD without it: NE")
        if self._normal(index):
            limit = self._rules.node_normal_mm
            return _T.CR, _why("L5", f"every target node at most {limit} mm long, every other target gone: CR")
        if baseline is None:
            return _T.NE, _why("L7", "no sum of products at baseline: NE")
        spd = Quantity("SPD", total.value, "mm2")
        fell = spd.at_most(_ONE - self._rules.pr_decrease, Quantity("baseline", baseline, "mm2"))
        if fell.met:
            return _T.PR, _why("L6", f"{fell.sentence}: PR", fell.numbers)
        return _T.SD, _why("L7", f"{fell.sentence}, and no PD: SD", fell.numbers)

    def grown_lesions(self, index: int) -> Iterator[Firing]:
        """Each target that progresses of its own (L8), or is back after it had gone (L10)."""
        for name, track in self._tracks.items():
            now = self._seen(track, index)
            if now is None or now.diameter_mm is None or name not in self.products.totals[index].parts:
                continue
            lowest = self._lowest(name, index)
            if lowest is not None:
                yield from self._grown(track, now, lowest)

    def stepped(self, index: int, since: int) -> str:
        """The first target that grew by its step since an earlier timepoint; empty if none did."""
        for track in self._tracks.values():
            now, was = self._seen(track, index), self._seen(track, since)
            if now is None or was is None:
                continue
            step = self._step_taken(now, was)
            if step:
                return f"{track.lesion.id} {step}"
        return ""

    def _grown(self, track: Track, now: Observation, lowest: int) -> Iterator[Firing]:
        name, rules = track.lesion.id, self._rules
        was_mm2 = self.products.totals[lowest].parts[name]
        length_mm, product = now.diameter_mm or _ZERO, product_mm2(now) or _ZERO
        if was_mm2 == 0:
            limit = _abnormal_above(track, rules)
            if length_mm > limit:
                yield _why("L10", f"{name} had gone and is back with {length_mm} mm > {limit} mm: PD")
            return
        was = self._seen(track, lowest)
        step = "" if was is None else self._step_taken(now, was)
        own = Quantity(f"{name} product", product, "mm2")
        more = own.at_least(_ONE + rules.pd_ppd_increase, Quantity("own nadir", was_mm2, "mm2"))
        if length_mm > rules.node_normal_mm and more.met and step:
            sentence = f"{name} {length_mm} mm > {rules.node_normal_mm} mm long, {more.sentence}, {step}: PD"
            yield _why("L8", sentence, more.numbers)

    def _step_taken(self, now: Observation, was: Observation) -> str:
        """By how much the longer or shorter diameter grew, where that is enough; empty where it is not."""
        rules = self._rules
        before, after = self._sides(was), self._sides(now)
        band = before[0] if rules.size_band is SizeBand.NADIR else after[0]
        step = rules.pd_step_small_mm if band <= rules.pd_band_mm else rules.pd_step_large_mm
        growth = max(after[0] - before[0], after[1] - before[1])
        enough = growth > step if rules.lugano_step_strict else growth >= step
        sign = ">" if rules.lugano_step_strict else ">="
        return f"a diameter +{growth} mm {sign} {step} mm" if enough else ""

    def _sides(self, seen: Observation) -> tuple[Decimal, Decimal]:
        if seen.seen is Seen.TOO_SMALL:
            return self._rules.too_small_default_mm, self._rules.too_small_default_mm
        return seen.diameter_mm or _ZERO, seen.quantities.short_axis_mm or _ZERO

    def _lowest(self, name: str, index: int) -> int | None:
        """The latest timepoint at which a lesion's product was smallest."""
        parts = [(t.parts[name], -i) for i, t in enumerate(self.products.totals[:index]) if name in t.parts]
        return -min(parts)[1] if parts else None

    def _normal(self, index: int) -> bool:
        """Every target node of normal size, every other target gone."""
        for name, product in self.products.totals[index].parts.items():
            track = self._tracks[name]
            seen = self._seen(track, index)
            length_mm = _ZERO if product == 0 or seen is None else self._sides(seen)[0]
            limit = self._rules.node_normal_mm if track.lesion.kind is LesionKind.NODAL else _ZERO
            if length_mm > limit:
                return False
        return True

    def _seen(self, track: Track, index: int) -> Observation | None:
        return track.at(self._record.timepoints[index].id)


class Spleen:
    """The vertical length of the spleen over the timepoints."""

    def __init__(self, record: Record[Facts], rules: Rules) -> None:
        self._rules = rules
        self._lengths = [record.fact(index).spleen_mm for index in range(len(record.timepoints))]

    @property
    def enlarged_at_baseline(self) -> bool:
        first = self._lengths[0]
        return first is not None and first > self._rules.spleen_normal_mm

    def normal(self, index: int) -> bool | None:
        """None where it was enlarged and is not known now; normal where it never was known to be enlarged."""
        now = self._lengths[index]
        if now is None:
            return None if self.enlarged_at_baseline else True
        return now <= self._rules.spleen_normal_mm

    def regressed(self, index: int) -> tuple[bool | None, Firing]:
        """Whether an enlarged spleen shrank enough for a partial response (L6); true where it was not enlarged."""
        now, first, normal = self._lengths[index], self._lengths[0], self._rules.spleen_normal_mm
        if first is None or first <= normal:
            return True, _why("L6", "spleen not enlarged, or not recorded, at baseline")
        if now is None:
            return None, _why("L6", "spleen enlarged at baseline and not recorded now")
        share = _ONE - self._rules.spleen_pr_decrease
        fell = Quantity("spleen excess", now - normal, "mm").at_most(
            share, Quantity("baseline excess", first - normal, "mm"), strict=True
        )
        return fell.met, _why("L6", fell.sentence, fell.numbers)

    def progression(self, index: int) -> Firing | None:
        """Growth of the spleen that is progression (L9)."""
        now, first, rules = self._lengths[index], self._lengths[0], self._rules
        if now is None or first is None or now <= rules.spleen_normal_mm:
            return None
        earlier = [length for length in self._lengths[:index] if length is not None]
        if min(earlier) > rules.spleen_normal_mm:
            excess = Quantity("spleen excess", now - rules.spleen_normal_mm, "mm")
            baseline = Quantity("baseline excess", first - rules.spleen_normal_mm, "mm")
            more = excess.at_least(_ONE + rules.spleen_pd_increase, baseline, strict=True)
            return _why("L9", f"{more.sentence}: PD", more.numbers) if more.met else None
        growth, least = now - min(earlier), rules.spleen_pd_new_mm
        if growth < least or (rules.spleen_new_strict and growth == least):
            return None
        return _why("L9", f"spleen {now} mm > {rules.spleen_normal_mm} mm, +{growth} mm over its smallest: PD")


def _abnormal_above(track: Track, rules: Rules) -> Decimal:
    return rules.node_normal_mm if track.lesion.kind is LesionKind.NODAL else rules.extranodal_new_mm


def _why(rule: str, sentence: str, numbers: dict[str, str] | None = None) -> Firing:
    return Firing(f"LUGANO/{rule}", sentence, numbers or {})
