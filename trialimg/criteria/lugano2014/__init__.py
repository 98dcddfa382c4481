"""Lugano 2014: response of lymphoma, metabolic by the five-point scale or anatomic by CT.

References
----------
Cheson BD et al. Recommendations for initial evaluation, staging, and response assessment of Hodgkin and non-Hodgkin
lymphoma: the Lugano classification. J Clin Oncol 2014;32:3059-3068. Barrington SF et al. Role of imaging in the staging
and response assessment of lymphoma. J Clin Oncol 2014;32:3048-3058.
"""

from trialimg.criteria.lugano2014.assess import Reading, Readings, assess
from trialimg.criteria.lugano2014.facts import Facts, FivePoint, Marrow, Uptake, five_point_score
from trialimg.criteria.lugano2014.rules import Rules, SizeBand, measurable

__all__ = [
    "Facts",
    "FivePoint",
    "Marrow",
    "Reading",
    "Readings",
    "Rules",
    "SizeBand",
    "Uptake",
    "assess",
    "five_point_score",
    "measurable",
]
