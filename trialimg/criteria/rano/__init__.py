"""The engine of the RANO family: compartments, steroids, clinical state, progression that waits for confirmation.

Its own rules are those of RANO 2.0; `rano2010`, `rano_lgg` and `rano_bm` give it others.

References
----------
Wen PY et al. RANO 2.0: update to the Response Assessment in Neuro-Oncology criteria for high- and low-grade gliomas in
adults. J Clin Oncol 2023;41:5187-5199.
"""

from trialimg.criteria.rano.assess import assess
from trialimg.criteria.rano.compartments import combined
from trialimg.criteria.rano.facts import Change, Clinical, Facts, SteroidReason, Steroids
from trialimg.criteria.rano.rules import (
    ConfirmReference,
    Disease,
    EarlyProgression,
    LesionReference,
    Metric,
    MinorResponse,
    Rules,
    Unstated,
    measurable,
)

__all__ = [
    "Change",
    "Clinical",
    "ConfirmReference",
    "Disease",
    "EarlyProgression",
    "Facts",
    "LesionReference",
    "Metric",
    "MinorResponse",
    "Rules",
    "SteroidReason",
    "Steroids",
    "Unstated",
    "assess",
    "combined",
    "measurable",
]
