"""The one way by which pixels leave the server: a token bound to a signed-in reader, checked at every request."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import jwt
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trialimg.services.case_images import Looking, ShownSeries

__all__ = ["SECRET_BYTES", "Images", "PixelTokens", "pixel_routes"]

TOKEN_SECONDS = 600
HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
_ALGORITHM = "HS256"
_MOST_NOTED = 10_000
SECRET_BYTES = 32
_CLAIMS = ("sub", "sid", "trial", "alias", "exp")


class Images(Protocol):
    """What the route needs: the images, and whether they may be seen now."""

    def find(self, looking: Looking, name: str) -> ShownSeries | None:
        """The series of a name, if this reader may see it now."""

    def opened(self, looking: Looking, series: ShownSeries) -> None:
        """Keep in the audit trail that a series was opened."""

    def sent_ahead(self, looking: Looking, series: ShownSeries) -> None:
        """Keep in the audit trail that slices of a series were sent before it was opened."""

    def geometry(self, series: ShownSeries) -> Mapping[str, Any] | None: ...

    def slice(self, series: ShownSeries, number: int) -> bytes | None: ...


class PixelTokens:
    """Short-lived tokens; they say who looks at which case, never that this is allowed: that is asked each time."""

    def __init__(self, secret: bytes | None = None, *, seconds: int = TOKEN_SECONDS) -> None:
        self._secret = secret or secrets.token_bytes(SECRET_BYTES)
        if len(self._secret) < SECRET_BYTES:
            raise ValueError(f"the secret of the pixel route needs {SECRET_BYTES} bytes, not {len(self._secret)}")
        self.seconds = seconds

    def issue(self, looking: Looking) -> str:
        claims = {
            "sub": looking.user,
            "sid": looking.session,
            "trial": looking.trial,
            "alias": looking.alias,
            "exp": time.time() + self.seconds,
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def read(self, token: str) -> Looking | None:
        """Whom the token was given to; None if it is not one of ours or no longer valid."""
        try:
            claims = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options={"require": list(_CLAIMS)})
        except jwt.InvalidTokenError:
            return None
        return Looking(claims["sub"], claims["sid"], claims["trial"], claims["alias"])


Answer = Callable[[Looking, ShownSeries, Request], Response]


def pixel_routes(tokens: PixelTokens, images: Images, session_of: Callable[[Request], str]) -> list[Route]:
    """The routes `/images/{series}/geometry`, `/slice/{number}` and `/token`.

    Parameters
    ----------
    session_of
        The session that a request comes from; a token serves only the one that it was given to.
    """

    noted = _Noted(images)

    def geometry(looking: Looking, series: ShownSeries, _request: Request) -> Response:
        found = images.geometry(series)
        if found is None:
            return _refused(404, "no such series")
        noted.opened(looking, series)
        return JSONResponse(dict(found), headers=HEADERS)

    def slice_(looking: Looking, series: ShownSeries, request: Request) -> Response:
        data = images.slice(series, request.path_params["number"])
        if data is None:
            return _refused(404, "no such slice")
        noted.sent(looking, series)
        return Response(data, media_type="application/octet-stream", headers={**HEADERS, "Content-Encoding": "gzip"})

    def token(looking: Looking, _series: ShownSeries, _request: Request) -> Response:
        return JSONResponse({"token": tokens.issue(looking)}, headers=HEADERS)

    def guarded(answer: Answer) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            looking = _asked_by(tokens, request, session_of(request))
            return await run_in_threadpool(_answered, images, looking, answer, request)

        return endpoint

    return [
        Route("/images/{series}/geometry", guarded(geometry)),
        Route("/images/{series}/slice/{number:int}", guarded(slice_)),
        Route("/images/{series}/token", guarded(token)),
    ]


class _Noted:
    """Tells the audit trail once of each series that is sent; what other processes have told, it sees for itself."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._known: set[tuple[Looking, str]] = set()

    def opened(self, looking: Looking, series: ShownSeries) -> None:
        self._images.opened(looking, series)
        self._known.add((looking, series.name))

    def sent(self, looking: Looking, series: ShownSeries) -> None:
        """A slice, whether or not the series was opened before."""
        if (looking, series.name) in self._known:
            return
        self._images.sent_ahead(looking, series)
        if len(self._known) >= _MOST_NOTED:
            self._known.clear()
        self._known.add((looking, series.name))


def _asked_by(tokens: PixelTokens, request: Request, session: str) -> Looking | None:
    """Whose token a request bears, if it comes from the session that the token was given to."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    looking = tokens.read(token) if scheme == "Bearer" else None
    return looking if looking is not None and hmac.compare_digest(looking.session.encode(), session.encode()) else None


def _answered(images: Images, looking: Looking | None, answer: Answer, request: Request) -> Response:
    if looking is None:
        return _refused(401, "sign in again: the token is not valid any more")
    series = images.find(looking, request.path_params["series"])
    if series is None:
        return _refused(403, "these images are not yours to see now")
    return answer(looking, series, request)


def _refused(status: int, because: str) -> JSONResponse:
    return JSONResponse({"detail": because}, status_code=status, headers=HEADERS)
