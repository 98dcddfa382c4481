"""PSA over time: progression and response, each confirmed by a later value (PS1, PS2)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trialimg.core.responses import Firing, PsaResponse
from trialimg.criteria.pcwg3.rules import Rules
from trialimg.criteria.thresholds import Quantity

__all__ = ["judge_psa"]

_ONE = Decimal(1)
_HALF, _TENTH = Decimal("0.5"), Decimal("0.1")


Sample = tuple[int, Decimal | None]
"""Days since baseline and value in ng/mL; None: not measured."""


def judge_psa(
    samples: Sequence[Sample], weeks: Sequence[Decimal], rules: Rules
) -> tuple[tuple[PsaResponse, Firing], ...]:
    """The word of every timepoint after baseline.

    Parameters
    ----------
    samples
        Baseline first.
    weeks
        Weeks on treatment of each sample.
    """
    answers: list[tuple[PsaResponse, Firing]] = []
    progressed = ""
    for index in range(1, len(samples)):
        rise = None if progressed else _progression(samples, index, weeks[index], rules)
        if samples[index][1] is None:
            answers.append((PsaResponse.NE, Firing("PCWG3/PS1", "PSA not measured: NE")))
        elif progressed:
            answers.append((PsaResponse.PD, Firing("PCWG3/PS1", progressed)))
        elif rise is not None:
            progressed = "PSA progression before: PD"
            answers.append((PsaResponse.PD, rise))
        else:
            answers.append(_response(samples, index, rules))
    return tuple(answers)


def _progression(samples: Sequence[Sample], index: int, weeks: Decimal, rules: Rules) -> Firing | None:
    baseline, value = samples[0][1], samples[index][1]
    earlier = [v for _, v in samples[:index] if v is not None]
    if baseline is None or value is None:
        return None
    nadir = min(earlier)
    declined = nadir < baseline
    if not declined and weeks < rules.psa_first_weeks:
        return None
    reference = Quantity("nadir" if declined else "baseline", nadir, "ng/mL")
    risen = Quantity("PSA", value, "ng/mL").at_least(_ONE + rules.psa_increase, reference)
    if not risen.met or value - nadir < rules.psa_min_increase_ng_ml:
        return None
    for day, later in _later(samples, index, rules):
        if later < (_ONE + rules.psa_increase) * nadir or later - nadir < rules.psa_min_increase_ng_ml:
            return None
        apart = day - samples[index][0]
        sentence = f"{risen.sentence}, +{value - nadir} ng/mL; confirmed by {later} after {apart} days: PD"
        return Firing("PCWG3/PS1", sentence, risen.numbers)
    return None


def _response(samples: Sequence[Sample], index: int, rules: Rules) -> tuple[PsaResponse, Firing]:
    baseline, value = samples[0][1], samples[index][1]
    if baseline is None or value is None:
        return PsaResponse.NE, Firing("PCWG3/PS2", "no PSA at baseline: NE")
    for word, share in ((PsaResponse.PSA90, _TENTH), (PsaResponse.PSA50, _HALF)):
        low = Quantity("PSA", value, "ng/mL").at_most(share, Quantity("baseline", baseline, "ng/mL"))
        confirming = next((v for _, v in _later(samples, index, rules)), None)
        if low.met and confirming is not None and confirming <= share * baseline:
            sentence = f"{low.sentence}, confirmed by {confirming}: {word.value}"
            return word, Firing("PCWG3/PS2", sentence, low.numbers)
    return PsaResponse.NON_PD, Firing("PCWG3/PS2", "neither confirmed response nor confirmed progression: NON-PD")


def _later(samples: Sequence[Sample], index: int, rules: Rules) -> list[tuple[int, Decimal]]:
    """The values late enough to confirm, in order."""
    first = samples[index][0] + rules.psa_confirm_days
    return [(day, value) for day, value in samples[index + 1 :] if value is not None and day >= first]
