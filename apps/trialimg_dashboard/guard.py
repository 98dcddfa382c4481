"""Nobody who is not signed in gets further than the door."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["COOKIE", "GuardedHeaders", "SignedInOnly"]

COOKIE = "trialimg_session"
"""Holds the session; no script can read it."""

_HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
_OPEN = frozenset({"/sign-in", "/password", "/sign-out", "/_stcore/health", "/favicon.png", "/favicon.ico"})
"""The way in and out, and what a load balancer asks."""
_OPEN_BELOW = "/static/"
"""Streamlit's own scripts and styles: the same for everybody, and nothing of ours."""
_GUARDED_ITSELF = "/images/"
_NOT_KEPT = {"Cache-Control": "no-store"}
_POLICY_VIOLATION = 1008


class SignedInOnly:
    """Answers a request only if its cookie holds a live session; a page sends its reader to the sign-in.

    The pixel route asks for more than a session, and asks itself; renewing its tokens is a sign of life, and so
    passes here too.

    Parameters
    ----------
    is_live
        Whether a session lasts; asking counts as using it.
    """

    def __init__(self, app: ASGIApp, is_live: Callable[[str], bool]) -> None:
        self._app, self._is_live = app, is_live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or _is_open(scope["path"]) or await self._may_pass(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        elif scope["method"] == "GET" and "text/html" in HTTPConnection(scope).headers.get("accept", ""):
            await RedirectResponse("/sign-in", status_code=303, headers=_NOT_KEPT)(scope, receive, send)
        else:
            await PlainTextResponse("sign in first", status_code=401, headers=_NOT_KEPT)(scope, receive, send)

    async def _may_pass(self, scope: Scope) -> bool:
        token = HTTPConnection(scope).cookies.get(COOKIE, "")
        return bool(token) and await run_in_threadpool(self._is_live, token)


def _is_open(path: str) -> bool:
    is_pixel = path.startswith(_GUARDED_ITSELF) and not path.endswith("/token")
    return path in _OPEN or path.startswith(_OPEN_BELOW) or is_pixel


class GuardedHeaders:
    """Every answer forbids being framed, sniffed or named to other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in _HEADERS if one[0] not in present)]
            await send(message)

        await self._app(scope, receive, with_headers)
