"""A dashboard's pages as their bytes: what a browser is sent, without the browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect


@dataclass
class Wire:
    """One page's connection, as a browser with this cookie opens it."""

    server: str
    cookie: str = ""
    sent: list[bytes] = field(default_factory=list)
    """Every frame that came."""
    patience_s: float = 20
    """How long to wait for a frame."""

    def __enter__(self) -> Wire:
        address = f"{self.server.replace('http', 'ws')}/_stcore/stream"
        headers = {"Cookie": self.cookie} if self.cookie else {}
        self.socket = connect(address, additional_headers=headers, subprotocols=["streamlit"], max_size=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def run(self, page: str) -> list[ForwardMsg]:
        """Everything that is sent for the page of an address."""
        asked = BackMsg()
        asked.rerun_script.page_name = page
        self.socket.send(asked.SerializeToString())
        found: list[ForwardMsg] = []
        while not found or found[-1].WhichOneof("type") != "script_finished":
            frame = self.socket.recv(timeout=self.patience_s)
            assert isinstance(frame, bytes)
            self.sent.append(frame)
            found.append(ForwardMsg.FromString(frame))
        return found
