"""What the words of each criterion count as on the ladder from CR to PD that every endpoint is derived on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from trialimg.core.responses import (
    ImmuneModifiedResponse,
    ImmuneRelatedResponse,
    ImmuneResponse,
    LymphomaResponse,
    MetabolicResponse,
    OverallResponse,
    Pcwg3Response,
    PsaResponse,
    RanoResponse,
    RecilResponse,
    WhoResponse,
)

__all__ = ["CRITERIA", "VOCABULARIES", "CriterionWords", "Unresolved", "Vocabulary", "vocabulary_of"]

_O = OverallResponse


class Unresolved(Enum):
    """What a word that waits for a later assessment is, where none confirmed or ended it."""

    PROGRESSION = "progression"
    UNKNOWN = "unknown"
    """An adequate assessment that says neither response nor progression."""
    AS_SET = "as set"
    """As unknown; in the best response what the setting ``pdu_bor`` says."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The overall responses of a family of criteria; members of the enum by name."""

    words: type[Enum]
    counts_as: Mapping[str, OverallResponse]
    """What a word is on the ladder. A word that stands neither here nor in ``waits`` is no overall response."""
    waits: Mapping[str, Unresolved] = field(default_factory=dict)
    """Words that a later assessment has yet to settle, with what they are where none did."""
    best_first: tuple[str, ...] = ()
    """The order of the best response in own words; empty: the words are those of the ladder."""
    dates_back: bool = False
    """A progression is dated at the first word of its block that waited for it."""
    minor: frozenset[str] = frozenset()
    """Minor responses: on the ladder what the setting ``minor_response`` says."""
    confirmed_words: bool = False
    """A response is said only once it is confirmed."""
    rule: str = "E/BOR-own"
    """Identifier of the best response in own words."""

    @property
    def known(self) -> frozenset[str]:
        """The words that an overall response may be, by value."""
        return frozenset(str(self.words[name].value) for name in (*self.counts_as, *self.waits))


def _same(words: type[Enum], **changes: OverallResponse) -> Mapping[str, OverallResponse]:
    """The ladder for words that are called as there, and what others count as."""
    return {word.name: word for word in _O if word.name in words.__members__} | changes


_IMMUNE_BEST_FIRST = ("CR", "PR", "SD", "NON_CR_NON_PD", "PD", "UNCONFIRMED_PD", "NED", "NE")


def _immune(words: type[Enum]) -> Vocabulary:
    return Vocabulary(
        words,
        _same(words),
        {"UNCONFIRMED_PD": Unresolved.PROGRESSION},
        tuple(name for name in _IMMUNE_BEST_FIRST if name in words.__members__),
        dates_back=True,
        rule="E/iBOR",
    )


_METABOLIC = Vocabulary(
    MetabolicResponse,
    {"CMR": _O.CR, "PMR": _O.PR, "SMD": _O.SD, "PMD": _O.PD, "NE": _O.NE},
    best_first=("CMR", "PMR", "SMD", "PMD", "NE"),
)
_LYMPHOMA = Vocabulary(
    LymphomaResponse,
    {
        "CMR": _O.CR, "CAR": _O.CR, "PMR": _O.PR, "PAR": _O.PR, "NMR": _O.SD, "SAD": _O.SD,
        "PMD": _O.PD, "PAD": _O.PD, "NE": _O.NE, "ND": _O.ND,
    },
    dict.fromkeys(("IR1", "IR2", "IR3"), Unresolved.UNKNOWN),
    ("CMR", "CAR", "PMR", "PAR", "NMR", "SAD", "IR1", "IR2", "IR3", "PMD", "PAD", "NE", "ND"),
)  # fmt: skip
_RANO = Vocabulary(
    RanoResponse,
    _same(RanoResponse, MR=_O.SD),
    {"PRELIMINARY_PD": Unresolved.PROGRESSION, "HOLD": Unresolved.UNKNOWN},
    ("CR", "PR", "MR", "SD", "NON_CR_NON_PD", "HOLD", "PRELIMINARY_PD", "PD", "NED", "NE"),
    dates_back=True,
    minor=frozenset({"MR"}),
)
_RECIL = Vocabulary(
    RecilResponse,
    _same(RecilResponse, MR=_O.SD),
    best_first=("CR", "PR", "MR", "SD", "PD", "NE"),
    minor=frozenset({"MR"}),
)
_PCWG3 = Vocabulary(
    Pcwg3Response,
    _same(Pcwg3Response),
    {"PDU": Unresolved.AS_SET},
    ("CR", "PR", "SD", "NON_CR_NON_PD", "PDU", "PD", "NED", "NE"),
)
_PSA = Vocabulary(
    PsaResponse,
    {"PSA90": _O.PR, "PSA50": _O.PR, "NON_PD": _O.SD, "PD": _O.PD, "NE": _O.NE},
    best_first=("PSA90", "PSA50", "NON_PD", "PD", "NE"),
    confirmed_words=True,
)
_RECIST = Vocabulary(OverallResponse, _same(OverallResponse))
_WHO = Vocabulary(WhoResponse, _same(WhoResponse, NC=_O.SD))
_IMMUNE, _IMMUNE_RELATED = _immune(ImmuneResponse), _immune(ImmuneRelatedResponse)
_IMMUNE_MODIFIED = _immune(ImmuneModifiedResponse)

VOCABULARIES: tuple[Vocabulary, ...] = (
    _RECIST, _WHO, _IMMUNE, _IMMUNE_RELATED, _IMMUNE_MODIFIED, _METABOLIC, _LYMPHOMA, _PCWG3, _RANO, _RECIL, _PSA,
)  # fmt: skip
"""Each family once; where several know a word, the earlier one is meant unless a criterion is named."""


@dataclass(frozen=True, eq=False)
class CriterionWords:
    """A criterion's vocabulary, and what its paper asks of a subject's endpoints."""

    vocabulary: Vocabulary
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Endpoint settings that differ from the profile's, by name."""


_CONFIRMED = MappingProxyType({"confirmation_required": True})
_NO_DURATION = MappingProxyType({"min_sd_days": 0})

CRITERIA: Mapping[str, CriterionWords] = MappingProxyType(
    {
        "recist11": CriterionWords(_RECIST),
        "recist10": CriterionWords(_RECIST, _CONFIRMED),
        "irecist": CriterionWords(_IMMUNE),
        "mrecist": CriterionWords(_RECIST),
        "who": CriterionWords(_WHO, _CONFIRMED),
        "irrc": CriterionWords(_IMMUNE_RELATED, _CONFIRMED),
        "irrecist": CriterionWords(_IMMUNE_RELATED),
        "imrecist": CriterionWords(_IMMUNE_MODIFIED),
        "volumetric": CriterionWords(_RECIST),
        "choi": CriterionWords(_RECIST),
        "mchoi": CriterionWords(_RECIST),
        "rano2": CriterionWords(_RANO, _CONFIRMED),
        "rano2010": CriterionWords(_RANO, _CONFIRMED),
        "rano_lgg": CriterionWords(_RANO, _CONFIRMED),
        "rano_bm": CriterionWords(_RANO, _CONFIRMED),
        "lugano2014": CriterionWords(_LYMPHOMA),
        "lyric": CriterionWords(_LYMPHOMA),
        "recil": CriterionWords(_RECIL),
        "cheson2007": CriterionWords(_RECIST),
        "pcwg3": CriterionWords(_PCWG3),
        "psa": CriterionWords(_PSA, _NO_DURATION),
        "gcig": CriterionWords(_RECIST, _NO_DURATION),
        "percist": CriterionWords(_METABOLIC),
        "eortc_pet": CriterionWords(_METABOLIC),
    }
)
"""By the name of the criterion; ``psa`` is the PSA answer of PCWG3."""


def vocabulary_of(words: type[Enum]) -> Vocabulary | None:
    """The vocabulary of an enum; None if it holds no overall responses."""
    return next((vocabulary for vocabulary in VOCABULARIES if vocabulary.words is words), None)
