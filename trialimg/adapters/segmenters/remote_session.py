"""One conversation with an inference server: an image is sent, then a prompt, and a mask comes back."""

from __future__ import annotations

import gzip
import http.client
import io
import ipaddress
import json
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from trialimg.core.errors import ModelError

__all__ = ["RemoteSession", "ServerAddress"]

_LONGEST_REPLY_BYTES = 1 << 16
"""Of a reply that is words, not a mask."""


@dataclass(frozen=True)
class ServerAddress:
    """Where a server is."""

    host: str
    port: int
    path: str
    encrypted: bool

    @classmethod
    def of(cls, address: str, *, allow_plain_http: bool) -> ServerAddress:
        """The parts of an address.

        Raises
        ------
        ModelError
            If it is no http or https address, holds a name or a password, or would send an image in the clear to
            another machine.
        """
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError as fault:
            raise ModelError(f"{address!r} is not the address of a server ({fault})") from fault
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ModelError(f"{address!r} is not the address of a server; https://host:port is needed")
        if parts.username or parts.password:
            raise ModelError("an address with a name or a password in it is written into records; leave them out")
        encrypted = parts.scheme == "https"
        if not encrypted and not allow_plain_http and not _is_this_machine(parts.hostname):
            raise ModelError(f"{address}: images would travel in the clear; use https, or say allow_plain_http")
        return cls(parts.hostname, port or (443 if encrypted else 80), parts.path.rstrip("/"), encrypted)

    def connect(self, timeout_s: float) -> http.client.HTTPConnection:
        make = http.client.HTTPSConnection if self.encrypted else http.client.HTTPConnection
        return make(self.host, self.port, timeout=timeout_s)

    def __str__(self) -> str:
        return f"{'https' if self.encrypted else 'http'}://{self.host}:{self.port}{self.path}"


class RemoteSession:
    """Requests to one server about one image. Redirects are not followed, proxies not used."""

    def __init__(self, address: ServerAddress, timeout_s: float, largest_voxels: int) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._largest_voxels = largest_voxels
        self._shape: tuple[int, ...] = ()

    def send_image(self, array: npt.NDArray[np.generic]) -> None:
        """Send voxels, shape (slices, rows, columns).

        Raises
        ------
        ModelError
            If they are more than the limit, or the server does not take them.
        """
        if array.size > self._largest_voxels:
            raise ModelError(f"{array.size} voxels around the prompt; at most {self._largest_voxels} are sent")
        self._shape = array.shape
        reply = self._request("/upload_image", *_form(_npy(array.astype(np.float32))), limit=_LONGEST_REPLY_BYTES)
        if _status(reply) != "ok":
            raise ModelError(f"{self._address}: the image was not taken ({_words(reply)})")

    def click(self, voxel_kji: Sequence[int]) -> npt.NDArray[np.bool_]:
        """The mask for a click, of the image's shape."""
        return self._mask("/add_point_interaction", {"voxel_coord": list(voxel_kji), "positive_click": True})

    def box(self, first_kji: Sequence[int], last_kji: Sequence[int]) -> npt.NDArray[np.bool_]:
        """The mask for a box in one slice, both corners included."""
        corners = {"outer_point_one": list(first_kji), "outer_point_two": list(last_kji)}
        return self._mask("/add_bbox_interaction", {**corners, "positive_click": True})

    def scribble(self, drawn: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """The mask for voxels that were drawn over."""
        body, kind = _form(gzip.compress(_npy(drawn), mtime=0), positive_click="true")
        return self._unpacked(self._request("/add_scribble_interaction", body, kind, limit=self._reply_limit()))

    def _mask(self, route: str, words: dict[str, object]) -> npt.NDArray[np.bool_]:
        body = json.dumps(words).encode()
        return self._unpacked(self._request(route, body, "application/json", limit=self._reply_limit()))

    def _reply_limit(self) -> int:
        """A packed mask, even one that gzip could not shorten, and the words of a refusal."""
        return self._packed_bytes() + _LONGEST_REPLY_BYTES

    def _packed_bytes(self) -> int:
        return -(-int(np.prod(self._shape)) // 8)

    def _unpacked(self, reply: bytes) -> npt.NDArray[np.bool_]:
        """The mask of a reply: gzip of one bit a voxel; never unpacked beyond the image's size."""
        wanted = self._packed_bytes()
        engine = zlib.decompressobj(wbits=31)
        try:
            packed = engine.decompress(reply, wanted + 1)
        except zlib.error as fault:
            raise ModelError(f"{self._address}: the reply is no mask ({_words(reply)})") from fault
        if len(packed) != wanted:
            raise ModelError(f"{self._address}: the reply is no mask of {self._shape} voxels")
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=int(np.prod(self._shape)))
        return bits.reshape(self._shape).astype(np.bool_)

    def _request(self, route: str, body: bytes, kind: str, *, limit: int) -> bytes:
        connection = self._address.connect(self._timeout_s)
        try:
            connection.request("POST", self._address.path + route, body, {"Content-Type": kind, "Accept": "*/*"})
            answer = connection.getresponse()
            data = answer.read(limit + 1)
        except (OSError, http.client.HTTPException) as fault:
            why = str(fault) or type(fault).__name__
            raise ModelError(f"{self._address}{route}: no answer ({why})") from fault
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise ModelError(f"{self._address}{route}: refused with status {answer.status} ({_words(data)})")
        if len(data) > limit:
            raise ModelError(f"{self._address}{route}: a reply of more than {limit} bytes is not read")
        return data


def _form(file: bytes, **fields: str) -> tuple[bytes, str]:
    """A multipart form with a file and some fields, and its content type."""
    border = secrets.token_hex(16)
    head = 'Content-Disposition: form-data; name="{}"{}\r\n'
    parts = [f"--{border}\r\n{head.format(name, '')}\r\n{value}\r\n".encode() for name, value in fields.items()]
    named = head.format("file", '; filename="volume.npy"')
    parts.append(f"--{border}\r\n{named}Content-Type: application/octet-stream\r\n\r\n".encode() + file + b"\r\n")
    return b"".join([*parts, f"--{border}--\r\n".encode()]), f"multipart/form-data; boundary={border}"


def _npy(array: npt.NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()


def _status(reply: bytes) -> str:
    try:
        said = json.loads(reply)
    except (ValueError, RecursionError):
        return ""
    return str(said.get("status", "")) if isinstance(said, dict) else ""


def _words(reply: bytes) -> str:
    """The beginning of a reply, as far as it is words."""
    text = reply[:200].decode("ascii", errors="replace")
    return " ".join("".join(letter if letter.isprintable() else "?" for letter in text).split())


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
