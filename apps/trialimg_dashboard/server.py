"""The dashboard as one ASGI application: `uvicorn --factory apps.trialimg_dashboard.server:app`."""

from __future__ import annotations

import gc
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from apps.trialimg_dashboard.guard import GuardedHeaders, SignedInOnly
from apps.trialimg_dashboard.installation import RouteImages, actor_at, actor_of, installation, session_of
from apps.trialimg_dashboard.pixels import pixel_routes
from apps.trialimg_dashboard.sign_in import sign_in_routes
from apps.trialimg_dashboard.uploading import upload_routes
from trialimg.bootstrap import intake

__all__ = ["app"]


def app() -> st.App:
    """The pages of the dashboard, its sign-in and its pixel route, behind the door."""
    PagesManager.uses_pages_directory = False  # else whoever comes first would get every page of the folder
    house = installation()
    routes = [
        *sign_in_routes(house),
        *pixel_routes(house.tokens, RouteImages(), session_of),
        *upload_routes(house.records, intake(house.home), actor_at),
    ]
    middleware = [
        Middleware(GuardedHeaders),
        Middleware(SignedInOnly, is_live=lambda token: actor_of(token) is not None),
    ]
    gc.freeze()  # what was imported stays; nothing looks through it again and again
    return st.App(Path(__file__).with_name("app.py"), routes=routes, middleware=middleware)
