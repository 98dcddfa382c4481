"""Standardised uptake value of PET: from what the scanner stored to g/ml by body weight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from trialimg.core.errors import Fault, IntakeError

__all__ = ["PetFacts", "suv_factor"]

LONG_HALF_LIFE_S = 12 * 3600.0
"""From here on a time of injection without its date cannot be told from that of another day."""
MOST_HALF_LIVES = 10.0
"""An injection earlier than this before the scan leaves nothing to measure: a wrong date or time."""


@dataclass(frozen=True)
class PetFacts:
    """What the headers of a PET series say; None or empty is "not said"."""

    units: str
    """Units (0054,1001): BQML, GML, CNTS."""
    suv_type: str = ""
    """SUV Type (0054,1006); empty means by body weight, as the attribute's definition says."""
    corrections: tuple[str, ...] = ()
    """Corrected Image (0028,0051)."""
    decay_correction: str = ""
    """Decay Correction (0054,1102): START, ADMIN or NONE."""
    weight_kg: float | None = None
    dose_bq: float | None = None
    half_life_s: float | None = None
    injection: dt.datetime | None = None
    injection_time: dt.time | None = None
    """Time of day, where no date of injection is stated."""
    series_start: dt.datetime | None = None
    first_acquisition: dt.datetime | None = None
    """Earliest of all slices."""
    private_scan_start: dt.datetime | None = None
    """GE (0009,100D)."""
    private_suv_factor: float | None = None
    """Philips (7053,1000): counts to SUV by body weight."""


def suv_factor(facts: PetFacts, where: str) -> float:
    """By what a rescaled PET voxel is multiplied to become SUV by body weight, in g/ml.

    Notes
    -----
    GML is SUV already. BQML: ``weight x 1000 / decayed dose``, the dose decayed from injection to the start of the
    scan (Decay Correction START) or not at all (ADMIN: the image is corrected back to the injection). The scan
    starts at the series' date and time unless these come after an acquisition (a series made later); then at GE's
    private date, else at the earliest acquisition. CNTS needs Philips' private factor.

    Raises
    ------
    IntakeError
        Names everything that is missing or contradictory; nothing is guessed.

    References
    ----------
    QIBA, Vendor-neutral pseudo-code for SUV calculation (happy path), 2018. Boellaard et al., FDG PET/CT: EANM
    procedure guidelines for tumour imaging: version 2.0, Eur J Nucl Med Mol Imaging 2015;42:328-354.
    """
    if facts.units == "GML":
        if facts.suv_type not in ("", "BW"):
            _refuse(where, [("suv_type", f"uptake is given by {facts.suv_type}, not by body weight")])
        return 1.0
    if facts.units == "CNTS" and facts.private_suv_factor:
        return facts.private_suv_factor
    if facts.units != "BQML":
        _refuse(where, [("pet_units", f"PET units {facts.units or '(none)'} cannot become SUV")])
    _refuse(where, list(_missing(facts)))
    return _from_activity(facts, where)


def _from_activity(facts: PetFacts, where: str) -> float:
    weight, dose, half_life = facts.weight_kg, facts.dose_bq, facts.half_life_s
    if not (weight and dose and half_life):  # said by `_missing` already
        raise IntakeError(f"{where}: weight, dose or half-life missing")
    if facts.decay_correction == "ADMIN":
        return weight * 1000 / dose
    decay_s = _uptake_s(facts, half_life, where)
    return float(weight * 1000 / (dose * 2 ** (-decay_s / half_life)))


def _missing(facts: PetFacts) -> Iterator[tuple[str, str]]:
    for name, value in (
        ("patient's weight", facts.weight_kg),
        ("injected dose", facts.dose_bq),
        ("radionuclide half-life", facts.half_life_s),
    ):
        if value is None or value <= 0:
            yield "suv_missing", f"{name} is not stated"
    if "ATTN" not in facts.corrections:
        yield "suv_not_corrected", "the image is not corrected for attenuation"
    if facts.decay_correction not in ("START", "ADMIN"):
        yield "suv_not_corrected", f"decay correction is {facts.decay_correction or 'not stated'}"
    if facts.decay_correction == "START":
        if facts.injection is None and facts.injection_time is None:
            yield "suv_missing", "time of injection is not stated"
        if _scan_start(facts) is None:
            yield "suv_missing", "date and time of the scan are not stated"


def _scan_start(facts: PetFacts) -> dt.datetime | None:
    series, first = facts.series_start, facts.first_acquisition
    if series is not None and (first is None or series <= first):
        return series
    return facts.private_scan_start or first


def _uptake_s(facts: PetFacts, half_life_s: float, where: str) -> float:
    """Seconds from injection to the start of the scan."""
    start, injection = _scan_start(facts), facts.injection
    if start is None:
        raise IntakeError(f"{where}: date and time of the scan are not stated")
    if injection is None and facts.injection_time is not None:
        if half_life_s > LONG_HALF_LIFE_S:
            _refuse(where, [("suv_missing", "date of injection is not stated, and the nuclide lives for days")])
        injection = dt.datetime.combine(start.date(), facts.injection_time)
        if injection > start:  # injected before midnight
            injection -= dt.timedelta(days=1)
    uptake_s = (start - injection).total_seconds() if injection else -1.0
    if not 0 <= uptake_s <= MOST_HALF_LIVES * half_life_s:
        text = f"injection at {injection} does not fit a scan at {start} (half-life {half_life_s:.0f} s)"
        _refuse(where, [("suv_times", text)])
    return uptake_s


def _refuse(where: str, faults: list[tuple[str, str]]) -> None:
    if faults:
        items = tuple(Fault(where, code, text) for code, text in faults)
        raise IntakeError(f"{where}: no SUV: {'; '.join(text for _, text in faults)}", items)
