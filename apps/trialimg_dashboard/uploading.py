"""The way by which files come in: streamed to disk, judged, answered one by one; nothing of them is ever sent back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trialimg.core.access import Action, Actor
from trialimg.core.errors import AccessError, TrialimgError
from trialimg.services.journal import Records
from trialimg.services.uploads import LARGEST_FILE_BYTES, Intake, Received, receive_file, upload_of

__all__ = ["MARK", "upload_routes"]

MARK = "x-trialimg-upload"
"""A header that no form of another site can send; its value is the file's name, percent-encoded."""
_HEADERS = {"Cache-Control": "no-store"}
_LONGEST_NAME = 500


def upload_routes(records: Records, intake: Intake, actor_of: Callable[[Request], Actor | None]) -> list[Route]:
    """The route `/uploads/{trial}/{upload}`: one file, or one archive, as the body of a POST.

    Parameters
    ----------
    actor_of
        Who is signed in at the browser that a request comes from.
    """

    async def received(request: Request) -> Response:
        actor = await run_in_threadpool(actor_of, request)
        if actor is None:
            return _refused(401, "sign in again")
        if MARK not in request.headers:
            return _refused(400, "files are sent by the page for uploads")
        if _length(request) > LARGEST_FILE_BYTES:
            return _refused(413, f"one file may have {LARGEST_FILE_BYTES} bytes")
        name = unquote(request.headers[MARK])[:_LONGEST_NAME]
        upload = f"{request.path_params['trial']}/{request.path_params['upload']}"
        try:
            path = await run_in_threadpool(_place, records, actor, intake, upload, _length(request))
            await _streamed(request, path)
            judged = await run_in_threadpool(_judged, records, actor, intake, upload, path, name)
        except AccessError as refused:
            return _refused(403, str(refused))
        except TrialimgError as refused:
            return _refused(409, str(refused))
        except ClientDisconnect:
            return _refused(400, "the connection ended before the file did")
        return JSONResponse({"files": [_said(one) for one in judged]}, headers=_HEADERS)

    return [Route("/uploads/{trial}/{upload}", received, methods=["POST"])]


def _place(records: Records, actor: Actor, intake: Intake, upload: str, size: int) -> Path:
    """Where the file is written until it is judged; the right is asked before a byte is taken."""
    folder = intake.of(upload_of(records, actor, upload, action=Action.UPLOAD_IMAGES))
    folder.require_room(size)
    return folder.incoming / secrets.token_hex(16)


async def _streamed(request: Request, path: Path) -> None:
    size, is_whole = 0, False
    try:
        with path.open("xb") as file:
            async for part in request.stream():
                size += len(part)
                if size > LARGEST_FILE_BYTES:
                    raise TrialimgError(f"one file may have {LARGEST_FILE_BYTES} bytes")
                await run_in_threadpool(file.write, part)
        is_whole = True
    finally:
        if not is_whole:
            path.unlink(missing_ok=True)


def _judged(
    records: Records, actor: Actor, intake: Intake, upload: str, path: Path, name: str
) -> list[Received]:  # fmt: skip
    return list(receive_file(records, actor, intake, upload, path=path, name=name))


def _said(one: Received) -> dict[str, object]:
    because = "; ".join(fault.message for fault in one.faults)
    return {"name": one.name, "is_accepted": one.receipt.is_accepted, "because": because}


def _length(request: Request) -> int:
    said = request.headers.get("content-length", "")
    return int(said) if said.isdigit() else 0


def _refused(status: int, because: str) -> JSONResponse:
    return JSONResponse({"detail": because}, status_code=status, headers=_HEADERS)
