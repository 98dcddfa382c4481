"""The process that parses files nobody trusts: little memory, no writing, one answer a line.

Reads paths as JSON strings from its standard input, and answers each by one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from trialimg.adapters.dicom.header import (
    IMAGE_CLASSES,
    image_header,
    read_header,
    require_pixels,
    sop_class_of,
    text_of,
)
from trialimg.adapters.dicom.identity import identity_faults
from trialimg.adapters.dicom.reasons import Reason, isolated, refusal
from trialimg.core.errors import IntakeError
from trialimg.services.intake import Examined, Scanner

__all__ = ["examined", "main"]

MEMORY_BYTES = 2 << 30
_PREAMBLE_BYTES = 128
_LARGE_BYTES = 1 << 16


def examined(path: Path) -> Examined:
    """What a file is, and everything that speaks against it."""
    where = "file"
    try:
        with isolated(where, Reason.UNREADABLE):
            dataset, end_of_header = read_header(path, where)
            return _judged(dataset, path, end_of_header)
    except IntakeError as fault:
        return Examined(faults=fault.faults)


def _judged(dataset: Dataset, path: Path, end_of_header: int) -> Examined:
    where = "file"
    require_pixels(dataset, path, end_of_header=end_of_header, where=where)
    if sop_class_of(dataset) not in IMAGE_CLASSES:
        raise refusal(where, Reason.UNSUPPORTED_CLASS, "not an image of CT, MR or PET")
    header = image_header(dataset, where)
    sop_uid = text_of(dataset, "SOPInstanceUID")
    if not sop_uid:
        raise refusal(where, Reason.NO_SERIES_UID, "no SOP Instance UID")
    software = text_of(dataset, "SoftwareVersions").strip("[]").replace("'", "")
    scanner = Scanner(header.modality, header.manufacturer or "", header.model_name or "", software)
    with path.open("rb") as file:
        start = file.read(_PREAMBLE_BYTES + 4)
    has_preamble = start[_PREAMBLE_BYTES:] == b"DICM"
    return Examined(
        sop_uid,
        header.study_uid,
        header.series_uid,
        header.subject,
        scanner,
        identity_faults(_with_what_follows(path)),
        zeroed_preamble=has_preamble and any(start[:_PREAMBLE_BYTES]),
    )


def _with_what_follows(path: Path) -> Dataset:
    """The data set with what stands behind the pixels, where names would be missed; large values stay in the file."""
    return pydicom.dcmread(path, defer_size=_LARGE_BYTES, force=True)


def main() -> None:
    """Answer until nothing more is asked."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        answer = examined(Path(json.loads(line)))
        sys.stdout.write(json.dumps(asdict(answer)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
