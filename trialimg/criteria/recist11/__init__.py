"""RECIST 1.1: response of solid tumours by the sum of diameters.

References
----------
Eisenhauer EA et al. New response evaluation criteria in solid tumours: revised RECIST guideline (version 1.1).
Eur J Cancer 2009;45:228-247. Schwartz LH et al. RECIST 1.1: update and clarification: from the RECIST committee.
Eur J Cancer 2016;62:132-137. Clarifications published at recist.eortc.org.
"""

from trialimg.criteria.recist11.assess import assess
from trialimg.criteria.recist11.baseline import BaselineTarget, conformance
from trialimg.criteria.recist11.facts import Facts, Markers, Pet
from trialimg.criteria.recist11.overall import overall, overall_firing
from trialimg.criteria.recist11.rules import (
    CrLost,
    IrradiatedTarget,
    LocalTherapy,
    Modality,
    PartialNonTarget,
    PrHold,
    Rules,
)

__all__ = [
    "BaselineTarget",
    "CrLost",
    "Facts",
    "IrradiatedTarget",
    "LocalTherapy",
    "Markers",
    "Modality",
    "PartialNonTarget",
    "Pet",
    "PrHold",
    "Rules",
    "assess",
    "conformance",
    "overall",
    "overall_firing",
]
