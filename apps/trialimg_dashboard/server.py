"""The dashboard as one ASGI application: `uvicorn --factory apps.trialimg_dashboard.server:app`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.trialimg_dashboard.installation import RouteImages, installation
from apps.trialimg_dashboard.pixels import pixel_routes
from apps.trialimg_dashboard.sign_in import sign_in_routes

__all__ = ["app"]

_HEADERS = (
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


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


def app() -> st.App:
    """The pages of the dashboard, its sign-in and its pixel route."""
    house = installation()
    routes = [*sign_in_routes(house), *pixel_routes(house.tokens, RouteImages())]
    return st.App(Path(__file__).with_name("app.py"), routes=routes, middleware=[Middleware(GuardedHeaders)])
