"""The installation that this server shows: its records, its images, its tokens; made once per process."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.requests import Request

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.pixels import SECRET_BYTES, PixelTokens
from trialimg.bootstrap import identity, kept_masks, kept_series, make_folder, records, segmenter
from trialimg.core.access import Actor
from trialimg.core.errors import AccessError, TrialimgError
from trialimg.services.case_images import CaseImages, Looking, ShownSeries
from trialimg.services.decoded_slices import DecodedSlices
from trialimg.services.journal import Records
from trialimg.services.people_sessions import SESSIONS, SessionPolicy, session_key
from trialimg.services.ports import Identity, Segmenter
from trialimg.services.prompted import KeptMasks
from trialimg.services.sign_in import resume

__all__ = ["Installation", "RouteImages", "actor_at", "actor_of", "installation", "line_segmenter", "session_of"]


@dataclass(frozen=True)
class Installation:
    """What every page and route of one server works on."""

    home: Path
    records: Records
    identity: Identity
    images: CaseImages
    masks: KeptMasks
    tokens: PixelTokens
    sessions: SessionPolicy = SESSIONS

    @property
    def demo_accounts(self) -> Path:
        """Where a demonstration keeps its accounts; no other installation has such a file."""
        return self.home / "demo-accounts.json"


@lru_cache(maxsize=1)
def installation() -> Installation:
    """The installation under TRIALIMG_HOME (default ~/.trialimg), with the database of TRIALIMG_DATABASE_URL.

    Raises
    ------
    TrialimgError
        If TRIALIMG_PIXEL_SECRET is too short, or TRIALIMG_IDLE_MINUTES is no number of minutes up to 12 hours.
    """
    home = Path(os.environ.get("TRIALIMG_HOME", "~/.trialimg")).expanduser()
    make_folder(home)
    kept = records(home, os.environ.get("TRIALIMG_DATABASE_URL"))
    secret = _pixel_secret()
    names, tokens = (hmac.digest(secret, use, "sha256") for use in (b"series names", b"tokens"))
    images = CaseImages(kept, kept_series(home, at_hand=DecodedSlices()), names)
    return Installation(home, kept, identity(), images, kept_masks(home), PixelTokens(tokens), _sessions())


def _pixel_secret() -> bytes:
    """What several processes of one installation share, so that each knows the others' tokens; else made anew."""
    given = os.environ.get("TRIALIMG_PIXEL_SECRET", "").encode()
    if given and len(given) < SECRET_BYTES:
        raise TrialimgError(f"TRIALIMG_PIXEL_SECRET needs {SECRET_BYTES} characters or more: `openssl rand -hex 32`")
    return given or secrets.token_bytes(SECRET_BYTES)


def _sessions() -> SessionPolicy:
    """How long a sign-in lasts without use, as TRIALIMG_IDLE_MINUTES says it."""
    given = os.environ.get("TRIALIMG_IDLE_MINUTES", "")
    if not given:
        return SESSIONS
    try:
        return SESSIONS.idle_after(float(given))
    except ValueError as wrong:
        raise TrialimgError(f"TRIALIMG_IDLE_MINUTES is {given!r}: {wrong}") from None


@lru_cache(maxsize=1)
def line_segmenter() -> Segmenter:
    """What answers a drawn line with a lesion."""
    return segmenter("classical")


def actor_of(token: str) -> Actor | None:
    """Who is signed in by this token; None where nobody is any more."""
    try:
        house = installation()
        return resume(house.records, token, policy=house.sessions) if token else None
    except AccessError:
        return None


def actor_at(request: Request) -> Actor | None:
    """Who is signed in at the browser that a request comes from."""
    return actor_of(request.cookies.get(COOKIE, ""))


def session_of(request: Request) -> str:
    """The session that a request's cookie names, whether or not it lasts."""
    return session_key(request.cookies.get(COOKIE, ""))


class RouteImages:
    """The images as the pixel route asks for them: every request against the live session and assignment."""

    def find(self, looking: Looking, name: str) -> ShownSeries | None:
        return installation().images.may_view(looking, name)

    def opened(self, looking: Looking, series: ShownSeries) -> None:
        installation().images.note_opened(looking, series)

    def sent_ahead(self, looking: Looking, series: ShownSeries) -> None:
        installation().images.note_sent_ahead(looking, series)

    def geometry(self, series: ShownSeries) -> Mapping[str, Any] | None:
        """What places the slices, without the frame of reference, which would tell that two cases are one subject's."""
        found = installation().images.kept.geometry(series.uid)
        return None if found is None else {name: value for name, value in found.items() if name != "frame"}

    def slice(self, series: ShownSeries, number: int) -> bytes | None:
        return installation().images.kept.slice(series.uid, number)
