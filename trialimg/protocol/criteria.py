"""Which response criteria a protocol may name, and the numbers each lets it override."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from trialimg.criteria.registry import CRITERIA

__all__ = ["Criterion", "built_criteria", "rules_type"]


class Criterion(Enum):
    """A published response criterion, by the name of its module."""

    RECIST_1_1 = "recist11"
    RECIST_1_0 = "recist10"
    IRECIST = "irecist"
    MRECIST = "mrecist"
    RANO_2010 = "rano2010"
    RANO_2 = "rano2"
    RANO_LGG = "rano_lgg"
    RANO_BM = "rano_bm"
    LUGANO_2014 = "lugano2014"
    LYRIC = "lyric"
    RECIL = "recil"
    CHESON_2007 = "cheson2007"
    PERCIST = "percist"
    EORTC_PET = "eortc_pet"
    CHOI = "choi"
    MCHOI = "mchoi"
    WHO = "who"
    IRRC = "irrc"
    IRRECIST = "irrecist"
    IMRECIST = "imrecist"
    PCWG3 = "pcwg3"
    GCIG = "gcig"
    VOLUMETRIC = "volumetric"


_RULES: Mapping[Criterion, type[Any]] = MappingProxyType(
    {Criterion(name): type(built.rules) for name, built in CRITERIA.items()}
)


def rules_type(criterion: Criterion) -> type[Any] | None:
    """The criterion's frozen `Rules` dataclass; None for a criterion that is known by name but not built."""
    return _RULES.get(criterion)


def built_criteria() -> tuple[Criterion, ...]:
    """The criteria whose rules are known; which of them a run follows from images, the run itself says."""
    return tuple(_RULES)
