"""A mask as bytes that are the same whenever the mask is, and back."""

from __future__ import annotations

import json
import zlib

import numpy as np

from trialimg.core.digest import canonical_json
from trialimg.core.errors import IntegrityError
from trialimg.volume.geometry import Geometry
from trialimg.volume.volume import Mask

__all__ = ["pack_mask", "unpack_mask"]

MEDIA_TYPE = "application/x-trialimg-mask"


def pack_mask(mask: Mask) -> bytes:
    """One line of canonical JSON (geometry, type, names), then the labels deflated in ``[k, j, i]`` order."""
    header = canonical_json({**mask.geometry.as_dict(), "dtype": mask.array.dtype.name, "names": mask.names})
    return header + b"\n" + zlib.compress(np.ascontiguousarray(mask.array).tobytes(), level=6)


def unpack_mask(data: bytes) -> Mask:
    """The mask that `pack_mask` packed.

    Raises
    ------
    IntegrityError
        If the bytes are not a packed mask.
    """
    head, _, body = data.partition(b"\n")
    try:
        facts = json.loads(head)
        geometry = Geometry(
            tuple(facts["size"]), tuple(facts["spacing_mm"]), tuple(facts["origin_lps_mm"]), tuple(facts["direction"])
        )
        array = np.frombuffer(zlib.decompress(body), dtype=facts["dtype"]).reshape(geometry.shape)
    except (ValueError, KeyError, zlib.error) as fault:
        raise IntegrityError(f"not a packed mask: {fault}") from fault
    return Mask(array, geometry, tuple((int(label), str(name)) for label, name in facts["names"]))
