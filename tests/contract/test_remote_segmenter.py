"""An inference server on this machine, and the segmenter that asks it: what is sent, what is taken, what is refused."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import io
import json
import threading
import time
from collections.abc import Iterator
from email.parser import BytesParser

import numpy as np
import pytest
from scipy import ndimage

from tests.contract.test_monai_bundle import CENTRE, GRID, balls, overlap, scan
from trialimg.adapters.segmenters.remote import RemoteSegmenter
from trialimg.core.errors import GeometryError, ModelError
from trialimg.core.prompts import BidirectionalPrompt, BoxPrompt, LinePrompt, PointPrompt

LINE = LinePrompt((CENTRE[0] - 11, CENTRE[1], CENTRE[2]), (CENTRE[0] + 11, CENTRE[1], CENTRE[2]))
ACROSS = LinePrompt((CENTRE[0], CENTRE[1] - 11, CENTRE[2]), (CENTRE[0], CENTRE[1] + 11, CENTRE[2]))
BOX = BoxPrompt((CENTRE[0] - 12, CENTRE[1] - 12, CENTRE[2] - 12), (CENTRE[0] + 12, CENTRE[1] + 12, CENTRE[2] + 12))
IMAGE = scan(balls((CENTRE, 12.0), ((-25.0, -15.0, 136.0), 8.0)))
LESION = balls((CENTRE, 12.0))


class Server(http.server.ThreadingHTTPServer):
    """Answers with the bright region that a prompt touches, or misbehaves in one way."""

    misbehave = ""
    image: np.ndarray
    asked: list[tuple[str, object]]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = self._form(body)
        if self.server.misbehave == "silent":
            time.sleep(2)
        if self.server.misbehave == "refuses":
            return self._reply(500, b"CUDA error:\nno kernel \x1b[31m")
        if self.server.misbehave == "moved":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if self.path.endswith("/upload_image"):
            self.server.image = np.load(io.BytesIO(form["file"]))
            word = b'{"status": "error", "message": "busy"}' if self.server.misbehave == "busy" else b'{"status": "ok"}'
            return self._reply(200, word)
        touched = self._touched(body, form)
        parts, _ = ndimage.label(self.server.image > 120)
        found = np.isin(parts, np.unique(parts[touched & (parts > 0)]))
        return self._reply(200, self._packed(found))

    def _touched(self, body: bytes, form: dict[str, bytes]) -> np.ndarray:
        touched = np.zeros(self.server.image.shape, bool)
        if self.path.endswith("/add_scribble_interaction"):
            drawn = np.load(io.BytesIO(gzip.decompress(form["file"])))
            self.server.asked.append((self.path, form["positive_click"].decode()))
            return drawn > 0
        said = json.loads(body)
        self.server.asked.append((self.path, said))
        if "voxel_coord" in said:
            touched[tuple(said["voxel_coord"])] = True
        else:
            corners = zip(said["outer_point_one"], said["outer_point_two"], strict=True)
            touched[tuple(slice(a, b + 1) for a, b in corners)] = True
        return touched

    def _packed(self, found: np.ndarray) -> bytes:
        packed = np.packbits(found).tobytes()
        match self.server.misbehave:
            case "bomb":
                return gzip.compress(bytes(20_000_000), 9)
            case "endless":
                return np.random.default_rng(1).bytes(len(packed) + (1 << 18))
            case "short":
                return gzip.compress(packed[:-1])
            case "words":
                return b'{"status": "error", "message": "No image uploaded"}'
        return gzip.compress(packed)

    def _form(self, body: bytes) -> dict[str, bytes]:
        kind = self.headers["Content-Type"]
        if not kind.startswith("multipart/form-data"):
            return {}
        message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in message.get_payload()
        }

    def _reply(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # somebody who did not wait
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def asking(server: Server) -> RemoteSegmenter:
    return RemoteSegmenter(address=f"http://127.0.0.1:{server.server_port}/api", licence="CC-BY-NC-4.0", margin_mm=20.0)


class TestAnswers:
    @pytest.mark.parametrize("prompt", [PointPrompt(CENTRE), LINE, BidirectionalPrompt(LINE, ACROSS), BOX])
    def test_the_lesion_on_the_grid_of_the_image(self, asking, prompt):
        found = asking.segment(IMAGE, prompt)
        assert found.geometry == GRID
        assert overlap(found, LESION) == 1.0

    def test_only_the_surroundings_of_the_prompt_are_sent(self, asking, server):
        asking.segment(IMAGE, PointPrompt(CENTRE))
        sent_mm = np.multiply(server.image.shape, GRID.spacing_mm[::-1])
        assert np.all((sent_mm >= 40.0) & (sent_mm <= 40.0 + 2 * np.array(GRID.spacing_mm[::-1])))

    def test_it_speaks_in_voxels_from_slice_to_column(self, asking, server):
        asking.segment(IMAGE, PointPrompt(CENTRE))
        clicked = server.image
        asking.segment(IMAGE, BOX)
        asking.segment(IMAGE, LINE)
        routes = [path for path, _ in server.asked]
        assert routes == [f"/api/add_{what}_interaction" for what in ("point", "bbox", "scribble")]
        click = server.asked[0][1]
        assert clicked[tuple(click["voxel_coord"])] > 120  # the centre of the lesion
        box = server.asked[1][1]
        assert box["outer_point_one"][0] == box["outer_point_two"][0]  # nnInteractive takes boxes in one slice
        assert box["outer_point_one"][1] < box["outer_point_two"][1]
        assert server.asked[2][1] == "true"

    def test_a_lesion_is_followed_by_a_click_into_its_depth(self, asking, server):
        later = scan(balls(((CENTRE[0] + 3, CENTRE[1], CENTRE[2]), 12.0)))
        found = asking.follow(later, IMAGE, LESION)
        assert overlap(found, balls(((CENTRE[0] + 3, CENTRE[1], CENTRE[2]), 12.0))) == 1.0
        assert [path for path, _ in server.asked] == ["/api/add_point_interaction"]

    def test_a_place_without_a_lesion_is_an_empty_mask(self, asking):
        assert asking.segment(IMAGE, PointPrompt((30.0, -30.0, 110.0))).is_empty

    def test_a_prompt_outside_is_not_sent(self, asking, server):
        with pytest.raises(GeometryError, match="outside of the image"):
            asking.segment(IMAGE, PointPrompt((500.0, 0.0, 0.0)))
        assert server.asked == []

    def test_the_address_and_the_licence_are_among_the_parameters(self, asking):
        assert asking.parameters()["address"] == asking.address
        assert asking.parameters()["licence"] == "CC-BY-NC-4.0"
        assert asking.model_digest == ""


class TestAServerThatMisbehaves:
    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ("refuses", r"/upload_image: refused with status 500 \(CUDA error:\?no kernel \?\[31m\)"),
            ("moved", "refused with status 302"),
            ("busy", "the image was not taken"),
            ("bomb", "no mask of"),
            ("endless", "a reply of more than"),
            ("short", "no mask of"),
            ("words", r"the reply is no mask \(.*No image uploaded"),
        ],
    )
    def test_is_refused_with_what_it_did(self, asking, server, how, words):
        server.misbehave = how
        with pytest.raises(ModelError, match=words):
            asking.segment(IMAGE, PointPrompt(CENTRE))

    def test_one_that_is_silent_is_given_up(self, server):
        server.misbehave = "silent"
        impatient = RemoteSegmenter(
            address=f"http://127.0.0.1:{server.server_port}", allow_unlicensed=True, timeout_s=0.1, margin_mm=5.0
        )
        with pytest.raises(ModelError, match="no answer"):
            impatient.segment(IMAGE, PointPrompt(CENTRE))

    def test_one_that_is_not_there(self):
        nobody = RemoteSegmenter(address="http://127.0.0.1:9", allow_unlicensed=True)
        with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9/upload_image: no answer"):
            nobody.segment(IMAGE, PointPrompt(CENTRE))

    def test_more_voxels_than_allowed_are_not_sent(self, server):
        narrow = RemoteSegmenter(
            address=f"http://127.0.0.1:{server.server_port}", allow_unlicensed=True, largest_voxels=100
        )
        with pytest.raises(ModelError, match="at most 100 are sent"):
            narrow.segment(IMAGE, PointPrompt(CENTRE))
        assert not hasattr(server, "image")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://models.example.org", "would travel in the clear"),
        ("https://me:secret@models.example.org", "a name or a password"),
        ("ftp://models.example.org", "not the address of a server"),
        ("https://models.example.org:port", "not the address of a server"),
        ("https://", "not the address of a server"),
        ("https://models.example.org/?key=1", "not the address of a server"),
    ],
)
def test_an_address_that_is_not_safe_is_refused_before_anything_is_sent(address, words):
    with pytest.raises(ModelError, match=words):
        RemoteSegmenter(address=address, licence="MIT")


def test_no_licence_unless_it_is_allowed():
    with pytest.raises(ModelError, match="no licence is stated"):
        RemoteSegmenter(address="https://models.example.org")
    assert RemoteSegmenter(address="http://localhost:1527", allow_unlicensed=True).licence == ""
    assert RemoteSegmenter(address="http://models.example.org", licence="MIT", allow_plain_http=True)
