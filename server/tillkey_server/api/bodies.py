"""Reading a request's body: bounded in size and in time, and parsed strictly (PROTOCOL section 3).

1. The media type is `application/json`. The one parameter tolerated is `charset=utf-8`, which has no meaning (RFC 8259
   section 11) but which HTTP libraries add.
2. A body has at most 16 KiB, counted as it comes: neither a missing nor a false Content-Length gets round it.
3. A body is complete within `BODY_SECONDS`, however slowly its sender drips: uvicorn has no such deadline.
4. An answer that is given before the body was read closes the connection. A body that is too large is first read away,
   within limits, since closing on unread data would reset the connection and lose the answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request

from tillkey.wire import strict_json
from tillkey.wire.errors import WireError
from tillkey_server.api import problems
from tillkey_server.api.responses import CLOSE, Refused, ill_formed
from tillkey_server.rules.decision import Refusal

MAX_BODY = strict_json.MAX_BYTES
BODY_SECONDS = 10.0
_DRAIN_BYTES = 256 * 1024
_DRAIN_SECONDS = 2.0


async def read_members(request: Request, *names: str) -> dict[str, str]:
    """Return the members of a JSON object that has exactly these names, each with a string.

    Raises `Refused` (400, 408, 413).
    """
    return _members((await read_json(request))[1], names)


async def read_json(request: Request) -> tuple[bytes, Any]:
    """Return a body's bytes, and the JSON document that they are. Raises `Refused` (400, 408, 413)."""
    _check_media_type(request)
    body = await _read(request)
    try:
        return body, strict_json.loads(body, max_bytes=MAX_BODY)
    except WireError as error:
        raise ill_formed(error) from error


def _members(document: Any, names: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(document, dict) or set(document) != set(names):
        raise Refused(Refusal.MALFORMED, f"body: must be an object with exactly {' and '.join(names)}")
    for name in names:
        if not isinstance(document[name], str):
            raise Refused(Refusal.MALFORMED, f"body.{name}: must be a string")
    return document


def _check_media_type(request: Request) -> None:
    given = request.headers.getlist("content-type")
    words = [word.strip().lower() for word in given[0].split(";")] if len(given) == 1 else []
    if words[:1] != ["application/json"] or words[1:] not in ([], ["charset=utf-8"], ['charset="utf-8"']):
        raise Refused(Refusal.MALFORMED, "Content-Type: must be application/json", headers=CLOSE)


async def _read(request: Request) -> bytes:
    loop = asyncio.get_running_loop()
    body = bytearray()
    over = _declared(request) > MAX_BODY
    received = 0
    deadline = loop.time() + BODY_SECONDS
    try:
        async with asyncio.timeout_at(deadline) as timer:
            if over:
                timer.reschedule(loop.time() + _DRAIN_SECONDS)
            async for chunk in request.stream():
                received += len(chunk)
                if not over and received > MAX_BODY:
                    over = True
                    timer.reschedule(min(deadline, loop.time() + _DRAIN_SECONDS))
                if not over:
                    body += chunk
                elif received > _DRAIN_BYTES:
                    break
    except TimeoutError:
        if not over:
            detail = f"body: must be complete within {BODY_SECONDS:.0f} s"
            raise Refused(problems.REQUEST_TIMEOUT, detail, headers=CLOSE) from None
    if over:
        raise Refused(Refusal.TOO_LARGE, f"body: is over {MAX_BODY} bytes", headers=CLOSE)
    return bytes(body)


def _declared(request: Request) -> int:
    """Return the Content-Length, 0 where there is none: the server's HTTP parser has refused what is no number."""
    text = request.headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() else 0
