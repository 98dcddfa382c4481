"""Criteria by name: what a protocol or a command line may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from trialimg.core.errors import ProtocolError
from trialimg.core.responses import CriterionAssessment, Firing
from trialimg.core.trial import Finding
from trialimg.criteria import (
    cheson2007,
    choi,
    eortc_pet,
    gcig,
    imrecist,
    irecist,
    irrc,
    irrecist,
    lugano2014,
    lyric,
    mchoi,
    mrecist,
    pcwg3,
    percist,
    rano2,
    rano2010,
    rano_bm,
    rano_lgg,
    recil,
    recist10,
    recist11,
    volumetric,
    who,
)
from trialimg.criteria.measurability import conformance_by

__all__ = ["CRITERIA", "Criterion", "criterion"]


@dataclass(frozen=True)
class Criterion:
    """A set of response rules, with the numbers it may be given."""

    name: str
    title: str
    rules: Any
    """The rules with every default; a frozen dataclass whose fields may be overridden by name."""
    assess: Callable[..., tuple[CriterionAssessment, ...]]
    """``assess(tracks, designations, timepoints, rules, facts=...)``."""
    overall: Callable[..., Any] | None
    """``overall(target, non_target, new)``: the criterion's table; None where those three do not decide."""
    overall_firing: Callable[..., Firing] | None
    """The row of that table which was read."""
    conformance: Callable[..., tuple[Finding, ...]]
    """``conformance(subject, targets, baseline, start_date=..., rules=..., non_targets=...)``."""
    needs_lesions: bool
    """False: the facts of timepoints are enough."""
    facts: Any
    """What may be known of a timepoint beside its lesions; a frozen dataclass with nothing known."""


def _criterion(name: str, title: str, module: ModuleType) -> Criterion:
    return Criterion(
        name,
        title,
        module.Rules(),
        module.assess,
        getattr(module, "overall", None),
        getattr(module, "overall_firing", None),
        module.conformance if hasattr(module, "conformance") else conformance_by(module.measurable),
        getattr(module, "NEEDS_LESIONS", True),
        module.Facts(),
    )


CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {
        "recist11": _criterion("recist11", "RECIST 1.1", recist11),
        "recist10": _criterion("recist10", "RECIST 1.0", recist10),
        "irecist": _criterion("irecist", "iRECIST", irecist),
        "mrecist": _criterion("mrecist", "mRECIST", mrecist),
        "who": _criterion("who", "WHO 1979", who),
        "irrc": _criterion("irrc", "irRC", irrc),
        "irrecist": _criterion("irrecist", "irRECIST", irrecist),
        "imrecist": _criterion("imrecist", "imRECIST", imrecist),
        "volumetric": _criterion("volumetric", "Volumetric RECIST", volumetric),
        "choi": _criterion("choi", "Choi", choi),
        "mchoi": _criterion("mchoi", "modified Choi", mchoi),
        "rano2": _criterion("rano2", "RANO 2.0", rano2),
        "rano2010": _criterion("rano2010", "RANO 2010", rano2010),
        "rano_lgg": _criterion("rano_lgg", "RANO-LGG", rano_lgg),
        "rano_bm": _criterion("rano_bm", "RANO-BM", rano_bm),
        "lugano2014": _criterion("lugano2014", "Lugano 2014", lugano2014),
        "lyric": _criterion("lyric", "LYRIC 2016", lyric),
        "recil": _criterion("recil", "RECIL 2017", recil),
        "cheson2007": _criterion("cheson2007", "Cheson 2007 (IWG)", cheson2007),
        "pcwg3": _criterion("pcwg3", "PCWG3", pcwg3),
        "gcig": _criterion("gcig", "GCIG CA-125", gcig),
        "percist": _criterion("percist", "PERCIST 1.0", percist),
        "eortc_pet": _criterion("eortc_pet", "EORTC PET 1999", eortc_pet),
    }
)


def criterion(name: str) -> Criterion:
    """The criterion of a name.

    Raises
    ------
    ProtocolError
        If there is none of that name; lists those there are.
    """
    if name not in CRITERIA:
        raise ProtocolError(f"there is no criterion {name!r}; known: {', '.join(sorted(CRITERIA))}")
    return CRITERIA[name]
