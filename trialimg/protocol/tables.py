"""Which records count where the tumour tables are made by others."""

from __future__ import annotations

from typing import Literal

from trialimg.protocol.section import Section

__all__ = ["Tables"]


class Tables(Section):
    """Which records of SDTM tables count (`trialimg run --from-sdtm`)."""

    response: Literal["derived", "given"] = "derived"
    """``derived``: the criterion judges the lesions of TU and TR, and what RS says is compared with it; a subject
    without lesions keeps what RS says. ``given``: the responses of RS count, whatever the lesions say."""
    sums: Literal["derived", "given"] = "derived"
    """Sum of the targets: of the lesions that were measured, or as TR gives it (SUMDIAM). Only together with responses
    that are given."""
    evaluator: str = ""
    """Value of --EVAL whose records count; empty: those of the independent assessors where there are any."""
    reader: str = ""
    """Value of --EVALID whose records count; empty: those that are accepted (--ACPTFL)."""
