"""Signing in and out: plain forms outside of the pages, so that the session lies in a cookie no script can read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import pyotp
from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from apps.trialimg_dashboard.guard import COOKIE
from apps.trialimg_dashboard.installation import Installation
from apps.trialimg_dashboard.words import LANGUAGES, text
from trialimg.core.access import Role
from trialimg.core.errors import TrialimgError
from trialimg.services.sign_in import Proof, change_password, sign_in, sign_out
from trialimg.services.training import ACCOUNTABILITY

__all__ = ["LANGUAGE_COOKIE", "demo_accounts", "demo_hint", "demo_proof", "sign_in_routes"]

LANGUAGE_COOKIE = "trialimg_language"
_MOST_BYTES = 10_000
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=select_autoescape(), trim_blocks=True
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",  # noqa: E501  one header
}
_PERSONS = tuple(role.value for role in Role if role is not Role.DEVICE)


@dataclass(frozen=True)
class _Answer:
    """What a form comes to."""

    fault: str = ""
    said: str = ""
    secret: str = ""
    token: str = ""


def demo_accounts(house: Installation) -> dict[str, dict[str, str]]:
    """The accounts of a demonstration by role; empty in every other installation."""
    try:
        accounts: dict[str, dict[str, str]] = json.loads(house.demo_accounts.read_text())
    except FileNotFoundError:
        return {}
    return accounts


def demo_proof(account: dict[str, str]) -> tuple[str, str]:
    """Password and present code of a demonstration account."""
    return account["password"], pyotp.TOTP(account["seed"]).now()


def demo_hint(house: Installation, user: str) -> tuple[str, str] | None:
    """Password and present code of a demonstration's account; None for everybody else."""
    account = next((one for one in demo_accounts(house).values() if one["user"] == user), None)
    return None if account is None else demo_proof(account)


def sign_in_routes(house: Installation) -> list[Route]:
    """`/sign-in`, `/password`, `/sign-out`, and `/alive`, by which a page says that somebody uses it."""

    async def shown(request: Request) -> Response:
        return _page(house, request, _Answer())

    async def signed_in(request: Request) -> Response:
        answer = await run_in_threadpool(_sign_in, house, await _form(request))
        if not answer.token:
            return _page(house, request, answer)
        response = RedirectResponse("/", status_code=303)
        is_secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, answer.token, httponly=True, samesite="strict", secure=is_secure, path="/")
        return response

    async def replaced(request: Request) -> Response:
        return _page(house, request, await run_in_threadpool(_replace_password, house, await _form(request)))

    async def signed_out(request: Request) -> Response:
        if token := request.cookies.get(COOKIE, ""):
            await run_in_threadpool(sign_out, house.records, token)
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def alive(_request: Request) -> Response:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})  # who is not signed in never comes here

    return [
        Route("/sign-in", shown, methods=["GET"]),
        Route("/sign-in", signed_in, methods=["POST"]),
        Route("/password", replaced, methods=["POST"]),
        Route("/sign-out", signed_out, methods=["GET"]),
        Route("/alive", alive, methods=["GET"]),
    ]


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form of usual size."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > _MOST_BYTES:
            return {}
    fields = parse_qs(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}


def _sign_in(house: Installation, form: dict[str, str]) -> _Answer:
    user, password, code = form.get("user", ""), form.get("password", ""), form.get("code", "")
    role = form.get("role", "")
    if (account := demo_accounts(house).get(form.get("demo", ""))) is not None:
        user, role = account["user"], account["role"]
        password, code = demo_proof(account)
    try:
        proof = Proof(password, code, house.identity)
        accepts = ACCOUNTABILITY.version if form.get("accepts") else ""
        wanted = Role(role) if role in _PERSONS else None
        return _Answer(token=sign_in(house.records, user, proof, role=wanted, accepts=accepts).token)
    except TrialimgError as refused:
        return _Answer(fault=str(refused))


def _replace_password(house: Installation, form: dict[str, str]) -> _Answer:
    try:
        proof = Proof(form.get("password", ""), form.get("code", ""), house.identity)
        seed = change_password(house.records, form.get("user", ""), proof, form.get("new_password", ""))
    except TrialimgError as refused:
        return _Answer(fault=str(refused))
    return _Answer(said="password_replaced", secret=seed or "")


def _page(house: Installation, request: Request, answer: _Answer) -> HTMLResponse:
    language = request.query_params.get("language") or request.cookies.get(LANGUAGE_COOKIE, "en")
    language = language if language in LANGUAGES else "en"

    def words(key: str) -> str:
        return text(key, language)

    page = _PAGES.get_template("sign_in.html").render(
        t=words,
        language=language,
        languages=LANGUAGES,
        roles=_PERSONS,
        policy=ACCOUNTABILITY.text,
        answer=answer,
        demo=demo_accounts(house),
    )
    response = HTMLResponse(page, status_code=401 if answer.fault else 200, headers=_HEADERS)
    response.set_cookie(LANGUAGE_COOKIE, escape(language), samesite="strict", path="/")
    return response
