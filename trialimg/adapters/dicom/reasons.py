"""Why a DICOM file or series cannot be used: stable codes, and the refusals that carry them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from trialimg.core.errors import Fault, IntakeError, TrialimgError

__all__ = ["CHANGED_MESSAGE", "Reason", "isolated", "refusal"]


class Reason(StrEnum):
    """A reason code; its text never changes its meaning."""

    # one file
    NOT_DICOM = "not_dicom"
    NO_SUCH = "no_such_file"
    BAD_NAME = "unreadable_name"
    NOT_A_FILE = "not_a_regular_file"
    EMPTY = "empty_file"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    UNSUPPORTED_CLASS = "unsupported_sop_class"
    NO_SERIES_UID = "no_series_uid"
    NO_PIXELS = "no_pixel_data"
    NOT_GREYSCALE = "not_greyscale"
    NO_PIXEL_SPACING = "no_pixel_spacing"
    NO_POSITION = "no_position"
    NO_ORIENTATION = "no_orientation"
    BAD_ORIENTATION = "bad_orientation"
    LOCALIZER = "localizer"
    DUPLICATE_FILE = "duplicate_file"
    NO_REGIONS = "no_regions"
    # one series
    NO_SUBJECT = "no_subject"
    MIXED_SUBJECTS = "mixed_subjects"
    MIXED_STUDIES = "mixed_studies"
    MIXED_FRAMES = "mixed_frames_of_reference"
    MIXED_MODALITIES = "mixed_modalities"
    MIXED_ORIENTATIONS = "mixed_orientations"
    MIXED_SIZES = "mixed_sizes"
    DUPLICATE_SLICES = "duplicate_slices"
    MISSING_SLICES = "missing_slices"
    VARYING_SPACING = "varying_spacing"
    GANTRY_TILT = "gantry_tilt"
    NO_SLICE_SPACING = "no_slice_spacing"
    SEVERAL_SERIES = "several_series"
    ONE_SLICE = "one_slice"
    OVERLAP = "overlapping_regions"
    LOSSY = "lossy_compression"
    # its voxels
    CHANGED = "file_changed"
    UNDECODABLE = "undecodable_pixels"
    NO_RESCALE = "no_rescale"


CHANGED_MESSAGE = "the file is not the one that was indexed; index the folder again"


def refusal(where: str, reason: Reason, message: str) -> IntakeError:
    """The error that says one thing about one place."""
    return IntakeError(f"{where}: {message}", (Fault(where, reason.value, message),))


@contextmanager
def isolated(where: str, reason: Reason) -> Iterator[None]:
    """Whatever the bytes of one file do to the parser, only an error of this package comes out.

    Notes
    -----
    The one place of the package that catches everything: on damaged files pydicom and its codecs fail with any
    exception (attribute, key, index, struct, recursion, memory ...). Remarks on values that break the standard but
    can be read are dropped.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except TrialimgError:
        raise
    except Exception as fault:
        message = f"cannot be read: {type(fault).__name__}: {' '.join(str(fault).split())[:200]}"
        raise refusal(where, reason, message) from fault
