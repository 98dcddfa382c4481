"""PCWG3: prostate cancer, soft tissue by RECIST 1.1 and bone by new lesions on the bone scan (2+2 rule).

References
----------
Scher HI et al. Trial design and objectives for castration-resistant prostate cancer: updated recommendations from the
Prostate Cancer Clinical Trials Working Group 3. J Clin Oncol 2016;34:1402-1418.
"""

from trialimg.criteria.pcwg3.assess import assess
from trialimg.criteria.pcwg3.bone import BoneAnswer, BoneScan, judge_bone
from trialimg.criteria.pcwg3.overall import combined
from trialimg.criteria.pcwg3.psa import judge_psa
from trialimg.criteria.pcwg3.rules import Facts, Rules
from trialimg.criteria.recist11 import conformance

NEEDS_LESIONS = False
"""Bone and PSA are judged without a table of lesions; soft tissue is then what the assessments say."""

__all__ = [
    "NEEDS_LESIONS",
    "BoneAnswer",
    "BoneScan",
    "Facts",
    "Rules",
    "assess",
    "combined",
    "conformance",
    "judge_bone",
    "judge_psa",
]
