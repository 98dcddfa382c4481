"""PERCIST 1.0: metabolic response by the hottest lesion's SULpeak, held against the liver.

References
----------
Wahl RL et al. From RECIST to PERCIST: evolving considerations for PET response criteria in solid tumors.
J Nucl Med 2009;50 Suppl 1:122S-150S.
"""

from trialimg.criteria.percist.assess import assess
from trialimg.criteria.percist.rules import Facts, LeanMass, Reference, Rules, SulPeak, Unknown, measurable

__all__ = ["Facts", "LeanMass", "Reference", "Rules", "SulPeak", "Unknown", "assess", "measurable"]
