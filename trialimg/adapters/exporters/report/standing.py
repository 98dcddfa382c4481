"""What the answers of a report rest on, and who stands behind them."""

from __future__ import annotations

from dataclasses import dataclass

from trialimg.services.results import TrialResult
from trialimg.services.review_report import NO_CUT

__all__ = ["FROM_RECORDS", "Standing", "standing_of"]

FROM_TABLES = "trialimg run --from-sdtm"
FROM_RECORDS = "trialimg report --trial"


@dataclass(frozen=True)
class Standing:
    """Where the answers come from."""

    short: str
    """On every page."""
    title: str
    text: str
    lesions: str
    """How the lesions were found and measured."""
    not_applied: str
    """Settings of the protocol that had no part in these answers."""
    is_signed: bool = False
    has_pictures: bool = False


def standing_of(result: TrialResult) -> Standing:
    """Computed by software, made of others' tables, or the signed reads of a central review."""
    activity = result.provenance.activity
    if activity == FROM_RECORDS:
        cut = result.provenance.parameters["data_cut"]
        taken = "No data cut was set: every final case counts." if cut == NO_CUT else f"Data cut: {cut}."
        return Standing(
            "Central review: signed reads",
            "Status: central review.",
            "Responses and endpoints rest on the signed final reads of the records. Where two readers differed, an "
            f"adjudicator chose one of their reads; nothing was averaged. {taken}",
            "Lesions were chosen and measured by the readers of the review, none of whom knew another's read.",
            "Those of segmentation, measurement, tracking and radiomics are of the run that the cases were made from; "
            "the answers here rest on what readers signed.",
            is_signed=True,
        )
    if activity == FROM_TABLES:
        tables = result.protocol.get("tables") or {}
        given = tables.get("response") == "given"
        how = "stand as they were given in RS" if given else "were derived anew from the lesions of TU and TR"
        sums = "as TR gives them" if given and tables.get("sums") == "given" else "those of the measured lesions"
        return Standing(
            "Made of tumour tables that others delivered",
            "Status: made of tumour tables that others delivered.",
            f"No image was looked at. Responses {how}; sums of diameters are {sums}. What in the tables could not be "
            "used, or contradicts itself, stands among the quality findings.",
            "Lesions, their measurements and the roles they have are those of the tables.",
            "Those of images, de-identification, segmentation, measurement, tracking, radiomics and reading design had "
            "no part in it.",
        )
    return Standing(
        "Computed by software, not adjudicated by a person",
        "Status: computed by software, not adjudicated by a person.",
        "Outlines, diameters and responses in this report were found by the software from the readers' prompts and "
        "statements. No reader has confirmed or corrected them: they are not a central review.",
        "Lesions are found from the readers' prompts and followed into later scans by registration.",
        "De-identification and reading design are settings that this run did not apply: it measured the files as they "
        "were received, by software alone.",
        has_pictures=True,
    )
