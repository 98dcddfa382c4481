"""iRECIST: RECIST 1.1 for immunotherapy, where a progression has to be confirmed.

References
----------
Seymour L et al. iRECIST: guidelines for response criteria for use in trials testing immunotherapeutics.
Lancet Oncol 2017;18:e143-e152. Clarifications of the iRECIST group published at recist.eortc.org.
"""

from trialimg.criteria.irecist.assess import assess
from trialimg.criteria.irecist.overall import overall, overall_firing
from trialimg.criteria.irecist.rules import Facts, Growth, Rules
from trialimg.criteria.recist11 import conformance

__all__ = ["Facts", "Growth", "Rules", "assess", "conformance", "overall", "overall_firing"]
