"""The bookkeeping of a progression that awaits confirmation, category by category (I3 to I6b)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from trialimg.core.responses import Firing, NonTargetResponse, TargetResponse
from trialimg.core.trial import Timepoint
from trialimg.criteria.irecist.new_lesions import NewDisease
from trialimg.criteria.irecist.rules import Facts, Growth, Rules

__all__ = ["Block", "Category", "Look", "grown_further", "progressing", "timely", "unsettled"]


class Category(Enum):
    """What can progress."""

    TARGET = "target lesions"
    NON_TARGET = "non-target lesions"
    NEW = "new lesions"


@dataclass(frozen=True, slots=True)
class Look:
    """One timepoint as RECIST 1.1 judged it, with what iRECIST compares."""

    timepoint: Timepoint
    target: TargetResponse
    non_target: NonTargetResponse
    measured_mm: Decimal | None
    """Sum of the targets that were measured; None without any."""
    complete: bool
    """No target is missing from it."""
    non_target_mm: Decimal | None
    """Recorded diameters of the non-target lesions; None where one has none."""
    new: NewDisease
    facts: Facts


@dataclass(frozen=True, slots=True)
class Block:
    """A progression from its first iUPD on, until it is confirmed or reset."""

    first: Look
    categories: frozenset[Category]
    """Those that progressed at its first iUPD."""
    target_mm: Decimal | None
    """The first complete sum of the targets in it."""
    confirmed: bool = False


_Reason = tuple[Category, Firing]


def progressing(look: Look, *, awaited: bool, rules: Rules) -> Iterator[_Reason]:
    """Every category that meets PD by itself.

    Parameters
    ----------
    awaited
        New lesions have already made the progression that awaits confirmation, so that only further ones count.
    """
    if look.target is TargetResponse.PD:
        yield Category.TARGET, Firing("iRECIST/I1", "target lesions meet PD by RECIST 1.1", _sum(look))
    if look.non_target is NonTargetResponse.PD:
        yield Category.NON_TARGET, Firing("iRECIST/I1", "non-target lesions meet PD by RECIST 1.1")
    if look.new.fresh:
        yield Category.NEW, Firing("iRECIST/I1", f"new lesion {_names(look.new.fresh)}")
    elif look.new.present and not awaited:
        again = _new_lesions_progress(look, rules)
        if again is not None:
            yield Category.NEW, again


def _new_lesions_progress(look: Look, rules: Rules) -> Firing | None:
    """New lesions already known that meet PD on their own sum, or without one by the reader's word (I6b)."""
    if look.facts.new_lesion_growth is Growth.UNEQUIVOCAL:
        return Firing("iRECIST/I6b", "unequivocal progression of new lesions that are no targets")
    sum_mm, nadir_mm = look.new.sum_mm, look.new.nadir_mm
    if sum_mm is None or nadir_mm is None:
        return None
    limit_mm, growth_mm = (1 + rules.pd_increase) * nadir_mm, sum_mm - nadir_mm
    enough = sum_mm > limit_mm if rules.strict else sum_mm >= limit_mm
    if growth_mm <= 0 or not enough or growth_mm < rules.pd_min_increase_mm:
        return None
    sentence = (
        f"new-lesion targets sum to {sum_mm} mm, at least {1 + rules.pd_increase} x their nadir {nadir_mm} mm "
        f"= {limit_mm} mm and +{growth_mm} mm >= {rules.pd_min_increase_mm} mm"
    )
    return Firing("iRECIST/I6b", sentence, {"new_sum_mm": str(sum_mm), "new_nadir_mm": str(nadir_mm)})


def grown_further(look: Look, block: Block, rules: Rules) -> Iterator[_Reason]:
    """Every reason to call the progression of a block confirmed (I4)."""
    further = further_lesions(look, block)
    if further:
        yield Category.NEW, Firing("iRECIST/I4", f"additional new lesion {_names(further)}")
    for category, why in progressing(look, awaited=bool(further) or Category.NEW in block.categories, rules=rules):
        if category not in block.categories and not (further and category is Category.NEW):
            sentence = f"{why.sentence}: a category that had not progressed at {block.first.timepoint.id}"
            yield category, Firing("iRECIST/I4", sentence, why.numbers)
    if Category.TARGET in block.categories and look.target is TargetResponse.PD:
        yield from _by_sum(Category.TARGET, look.measured_mm, block.target_mm, rules)
    if Category.NON_TARGET in block.categories and _non_targets_grew(look, block):
        yield Category.NON_TARGET, Firing("iRECIST/I4", "non-target lesions increased further")
    if Category.NEW in block.categories:
        yield from _new_grew(look, block, rules)


def _by_sum(category: Category, now_mm: Decimal | None, then_mm: Decimal | None, rules: Rules) -> Iterator[_Reason]:
    if now_mm is None or then_mm is None:
        return
    growth_mm, least_mm = now_mm - then_mm, rules.confirm_increase_mm
    if growth_mm > least_mm if rules.irecist_som_strict else growth_mm >= least_mm:
        sign = ">" if rules.irecist_som_strict else ">="
        sentence = (
            f"{category.value} {then_mm} mm at the first iUPD, {now_mm} mm now: +{growth_mm} mm {sign} {least_mm} mm"
        )
        numbers = {"sum_mm": str(now_mm), "first_iupd_mm": str(then_mm), "growth_mm": str(growth_mm)}
        yield category, Firing("iRECIST/I4", sentence, numbers)


def _non_targets_grew(look: Look, block: Block) -> bool:
    if look.facts.non_target_growth is not None:
        return look.facts.non_target_growth is not Growth.UNCHANGED
    now_mm, then_mm = look.non_target_mm, block.first.non_target_mm
    return now_mm is not None and then_mm is not None and now_mm > then_mm


def _new_grew(look: Look, block: Block, rules: Rules) -> Iterator[_Reason]:
    if look.new.targets == block.first.new.targets:
        yield from _by_sum(Category.NEW, look.new.sum_mm, block.first.new.sum_mm, rules)
    if _others_grew(look, block):
        yield Category.NEW, Firing("iRECIST/I4", "new lesions that are no targets increased further")


def further_lesions(look: Look, block: Block) -> frozenset[str]:
    """New lesions that were not there at the first iUPD of a block."""
    return look.new.present - block.first.new.present


def _others_grew(look: Look, block: Block) -> bool:
    if look.facts.new_lesion_growth is not None:
        return look.facts.new_lesion_growth is not Growth.UNCHANGED
    then = block.first.new
    same = look.new.present - look.new.targets == then.present - then.targets
    now_mm, then_mm = look.new.others_mm, then.others_mm
    return same and now_mm is not None and then_mm is not None and now_mm > then_mm


def timely(look: Look, block: Block, rules: Rules) -> tuple[bool, Firing]:
    """Whether a scan can confirm the progression of a block (I3)."""
    days = (look.timepoint.date - block.first.timepoint.date).days
    since = f"{days} days after the iUPD of {block.first.timepoint.id}"
    numbers = {"days": str(days), "first_iupd": str(block.first.timepoint.progression_date)}
    if days >= rules.confirm_from_days:
        late = f", later than {rules.confirm_until_days}" if days > rules.confirm_until_days else ""
        return True, Firing("iRECIST/I3", f"{since}{late}: can confirm it", numbers)
    if look.facts.new_symptoms and further_lesions(look, block):
        return True, Firing("iRECIST/I3", f"{since}, for new symptoms and with an additional new lesion", numbers)
    return False, Firing("iRECIST/I3", f"{since}, fewer than {rules.confirm_from_days}: cannot confirm it", numbers)


def unsettled(look: Look, block: Block) -> Iterator[_Reason]:
    """Every reason why a progression that was not confirmed has not ended either (I5)."""
    if look.target is TargetResponse.PD:
        yield Category.TARGET, Firing("iRECIST/I5", "target lesions still meet PD, without enough further growth")
    if look.non_target is NonTargetResponse.PD:
        yield Category.NON_TARGET, Firing("iRECIST/I5", "non-target lesions still meet PD")
    if further_lesions(look, block):
        names = _names(further_lesions(look, block))
        yield Category.NEW, Firing("iRECIST/I5", f"additional new lesion {names}")
    elif Category.NEW in block.categories:
        yield from _new_unsettled(look, block)


def _new_unsettled(look: Look, block: Block) -> Iterator[_Reason]:
    now_mm, then_mm = look.new.sum_mm, block.first.new.sum_mm
    if look.new.unseen:
        yield Category.NEW, Firing("iRECIST/I5", f"new lesion {_names(look.new.unseen)} was not assessed")
    elif now_mm is not None and then_mm is not None and now_mm > then_mm:
        sentence = f"new-lesion targets {then_mm} mm at the first iUPD, {now_mm} mm now: grown, but not enough"
        yield Category.NEW, Firing("iRECIST/I5", sentence, {"new_sum_mm": str(now_mm), "first_iupd_mm": str(then_mm)})
    elif _others_grew(look, block):
        yield Category.NEW, Firing("iRECIST/I5", "new lesions that are no targets have grown")


def _sum(look: Look) -> dict[str, str]:
    return {"sum_mm": str(look.measured_mm)}


def _names(lesions: frozenset[str]) -> str:
    return ", ".join(sorted(lesions))
