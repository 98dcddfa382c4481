"""Which response criteria a protocol may name, and the numbers each lets it override."""

from __future__ import annotations

import importlib.util
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

__all__ = ["Criterion", "built_criteria", "endpoint_settings_type", "rules_type"]


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


@cache
def rules_type(criterion: Criterion) -> type[Any] | None:
    """The criterion's frozen `Rules` dataclass; None for a criterion that is known by name but not built."""
    return _dataclass_in(f"trialimg.criteria.{criterion.value}", "Rules")


@cache
def endpoint_settings_type() -> type[Any] | None:
    """The frozen dataclass of everything that the endpoints of a subject rest on."""
    return _dataclass_in("trialimg.endpoints.summary", "EndpointSettings")


def built_criteria() -> tuple[Criterion, ...]:
    """The criteria that a run can follow."""
    return tuple(criterion for criterion in Criterion if rules_type(criterion) is not None)


def _dataclass_in(module: str, name: str) -> type[Any] | None:
    if importlib.util.find_spec(module) is None:
        return None
    found = getattr(importlib.import_module(module), name, None)
    return found if isinstance(found, type) and is_dataclass(found) and fields(found) else None
