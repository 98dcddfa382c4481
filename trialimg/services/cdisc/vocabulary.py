"""How the words of the criteria and of anatomy are said in CDISC."""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.core.lesions import LesionKind, Role
from trialimg.services.cdisc.terms import code_list

__all__ = ["ROLE_WORDS", "STATE_WORDS", "UNITS", "Vocabulary", "imaging_method", "laterality", "location", "vocabulary"]

ROLE_WORDS = {Role.TARGET: "TARGET", Role.NON_TARGET: "NON-TARGET", Role.NEW: "NEW"}
STATE_WORDS = {
    "present": "PRESENT",
    "absent": "ABSENT",
    "unequivocal_progression": "UNEQUIVOCAL",
    "unequivocal": "UNEQUIVOCAL",
    "equivocal": "EQUIVOCAL",
}
"""A reader's word as a tumour state (TRPROPRS)."""
UNITS = {
    **dict.fromkeys(("LDIAM", "LPERP", "VDIAM", "SUMDIAM", "SUMVDIAM", "DIAMETER"), "mm"),
    "VOLUME": "mL",
    "RADIODEN": "Hounsfield Unit",
    "SULPEAK": "",
}
"""Standard unit by test; there is no term for the unit of an uptake."""


@dataclass(frozen=True)
class Vocabulary:
    """A criterion: its name in RSCAT, and what its measurements are called in TR."""

    category: str
    long_test: str = "LDIAM"
    sum_test: str = "SUMDIAM"
    """Empty where the criterion sums more than the targets, for which there is no test."""

    def test(self, kind: LesionKind) -> str:
        """Test code of a lesion's diameter."""
        return "LPERP" if kind is LesionKind.NODAL else self.long_test


_PROTOCOL_DEFINED = Vocabulary("PROTOCOL DEFINED RESPONSE CRITERIA")
_CRITERIA = {
    "recist11": Vocabulary("RECIST 1.1"),
    "recist10": Vocabulary("RECIST 1.0"),
    "irecist": Vocabulary("iRECIST"),
    "mrecist": Vocabulary("MRECIST LENCIONI LIVER CANCER 2010", "VDIAM", "SUMVDIAM"),
    "choi": Vocabulary("CHOI GIST 2008"),
    "rano2010": Vocabulary("RANO"),
    "rano_lgg": Vocabulary("MRANO VAN DEN BENT GLIOMA 2011"),
    "rano_bm": Vocabulary("RANO-BM LIN 2015"),
    "irrecist": Vocabulary("PROTOCOL DEFINED RESPONSE CRITERIA", sum_test=""),
    "imrecist": Vocabulary("PROTOCOL DEFINED RESPONSE CRITERIA", sum_test=""),
    "irrc": Vocabulary("WOLCHOK SOLID TUMORS 2009"),
    "lugano2014": Vocabulary("LUGANO CLASSIFICATION"),
    "cheson2007": Vocabulary("CHESON MALIGNANT LYMPHOMA 2007"),
    "percist": Vocabulary("PERCIST"),
    "pcwg3": Vocabulary("PCWG SCHER PROSTATE CANCER 2016"),
    "gcig": Vocabulary("GCIG RUSTIN OVARIAN CANCER 2011"),
}
_METHODS = {"CT": "CT SCAN", "MR": "MRI", "PT": "PET SCAN", "NM": "SCINTIGRAPHY", "US": "ULTRASOUND"}
_PLACES = {"adrenal": "ADRENAL GLAND", "node": "LYMPH NODE", "lymph nodes": "LYMPH NODE"}
_SIDES = ("left", "right", "bilateral")


def vocabulary(criterion: str) -> Vocabulary:
    """The words of a criterion; one without a term of its own is a protocol's."""
    return _CRITERIA.get(criterion, _PROTOCOL_DEFINED)


def imaging_method(modalities: tuple[str, ...]) -> str:
    """The one way lesions were imaged; empty where the protocol names several or none."""
    known = {_METHODS.get(modality, "") for modality in modalities}
    return known.pop() if len(known) == 1 else ""


def location(organ: str) -> str:
    """An organ without its side as a term of LOC; in capitals as it was written where there is none."""
    bare = " ".join(word for word in organ.lower().replace("_", " ").split() if word not in _SIDES)
    text = _PLACES.get(bare, bare.upper())
    places = code_list("LOC")
    singular = text.removesuffix("S")
    return singular if places is not None and text not in places.terms and singular in places.terms else text


def laterality(organ: str, site: str) -> str | None:
    """The side that a reader wrote down, a term of LAT; None where neither or both are named, or LOC says it."""
    words = set(f"{organ} {site}".upper().replace(",", " ").replace("_", " ").split())
    named = [side for side in ("LEFT", "RIGHT", "BILATERAL") if side in words]
    return named[0] if len(named) == 1 and named[0] not in location(organ).split() else None
