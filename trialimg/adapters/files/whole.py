"""Whether a file holds all the voxels that its header promises, before ITK is asked for them.

ITK fills what is missing of a NIfTI file with zeros, remarks on a MetaImage past Python, and follows a header that
names another file for its voxels; a lesion must not be measured in any of these.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

__all__ = ["what_is_wrong"]

HEADER_BYTES = 1 << 16
CHUNK_BYTES = 1 << 20
ELEMENT_BYTES = {
    "MET_CHAR": 1, "MET_UCHAR": 1, "MET_SHORT": 2, "MET_USHORT": 2, "MET_INT": 4, "MET_UINT": 4, "MET_LONG": 4,
    "MET_ULONG": 4, "MET_LONG_LONG": 8, "MET_ULONG_LONG": 8, "MET_FLOAT": 4, "MET_DOUBLE": 8,
}  # fmt: skip


def what_is_wrong(path: Path, ending: str) -> str | None:
    """Why a file is not whole, in words; None if it is, as far as its header tells."""
    try:
        if ending == ".nii.gz":
            with gzip.open(path, "rb") as packed:
                return _nifti(packed)  # type: ignore[arg-type]
        with path.open("rb") as file:
            return {".nii": _nifti, ".nrrd": _nrrd, ".mha": _meta}[ending](file)
    except (EOFError, OSError, zlib.error) as fault:
        return f"cannot be unpacked ({fault})"


def _nifti(file: BinaryIO) -> str | None:
    """NIfTI-1 in either byte order; ITK does not read version 2."""
    header = file.read(348)
    for order in "<>":
        if len(header) < 348 or struct.unpack_from(f"{order}i", header)[0] != 348:
            continue
        count, *dims = struct.unpack_from(f"{order}8h", header, 40)
        (bits,) = struct.unpack_from(f"{order}h", header, 72)
        (offset,) = struct.unpack_from(f"{order}f", header, 108)
        return _short_of(file, int(offset) + math.prod(dims[:count]) * bits // 8)
    return "is not a NIfTI-1 file"


def _nrrd(file: BinaryIO) -> str | None:
    """Only where the voxels are; that they are all there is checked by ITK."""
    header = file.read(HEADER_BYTES).partition(b"\n\n")[0].replace(b"\r", b"")
    if not header.startswith(b"NRRD"):
        return "is not an NRRD file"
    names = {line.partition(b":")[0].strip().lower() for line in header.splitlines()}
    return "keeps its voxels in another file" if names & {b"data file", b"datafile"} else None


def _meta(file: BinaryIO) -> str | None:
    fields: dict[str, str] = {}
    while "ElementDataFile" not in fields:
        line = file.readline(HEADER_BYTES).decode("ascii", "replace")
        if "=" not in line:
            return "is not a MetaImage file"
        name, _, value = line.partition("=")
        fields[name.strip()] = value.strip()
    if fields["ElementDataFile"] != "LOCAL":
        return "keeps its voxels in another file"
    if not fields.get("DimSize") or fields.get("ElementType") not in ELEMENT_BYTES:
        return "does not say how many voxels of which type it holds"
    if fields.get("CompressedData", "False").lower() == "true":
        return _short_of(file, file.tell() + int(fields.get("CompressedDataSize", 0)))
    voxels = math.prod(int(n) for n in fields["DimSize"].split()) * int(fields.get("ElementNumberOfChannels", 1))
    return _short_of(file, file.tell() + voxels * ELEMENT_BYTES[fields["ElementType"]])


def _short_of(file: BinaryIO, needed: int) -> str | None:
    """What is missing to so many bytes; no more than these are unpacked."""
    left = needed - file.tell()
    while left > 0 and (chunk := file.read(min(CHUNK_BYTES, left))):
        left -= len(chunk)
    return f"ends {left} bytes before its last voxel" if left > 0 else None
