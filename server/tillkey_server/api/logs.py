"""Log lines as JSON on stderr, one object each, and the one line for each request.

No line holds a body, a key, a nonce, a query string or an e-mail address (invariant I16). A request's line names the
route's template rather than its path. An exception is told by its type and its frames: its message may repeat a
customer's data, as a database's complaint about a duplicate does. Whatever all this lets through is taken out by
`scrub`, which knows secrets by their look.

Every line of a request bears its number, `request`: the trace id of the `traceparent` that came with it (W3C Trace
Context, section 3.2) where that is well formed, else a new one. The answer repeats it as `X-Request-Id`.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tillkey_server import scrub
from tillkey_server.api import metrics, problems, responses
from tillkey_server.ids import new_id

log = logging.getLogger("tillkey_server.requests")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
REQUEST_ID = "X-Request-Id"
TRACE_ID_BYTES = 16

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class JsonFormatter(logging.Formatter):
    """One JSON object for each record: time, level, logger, message, and what `extra` gives."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        said: dict[str, Any] = {"message": record.getMessage()}
        said.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info and record.exc_info[1] is not None:
            said["exception"] = frames_of(record.exc_info[1])
        said = scrub.members(said)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **_numbered(),
            **said,
        }
        return json.dumps(line, ensure_ascii=False)


class PlainFormatter(logging.Formatter):
    """`ERROR: what happened`, for a person at a command line; scrubbed as the JSON lines are."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, with an exception's frames below it."""
        lines = [f"{record.levelname}: {record.getMessage()}"]
        if record.exc_info and record.exc_info[1] is not None:
            lines += frames_of(record.exc_info[1])
        return scrub.text("\n".join(lines))


def _numbered() -> dict[str, str]:
    number = _request_id.get()
    return {} if number is None else {"request": number}


def number_of(headers: Headers) -> str:
    """Return the number of a request, 32 hexadecimal digits: its trace's, or a new one."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        return trace.format_trace_id(span.trace_id)
    given = headers.getlist("traceparent")
    found = _TRACEPARENT.fullmatch(given[0]) if len(given) == 1 else None
    return found[1] if found else secrets.token_hex(TRACE_ID_BYTES)


def frames_of(error: BaseException) -> list[str]:
    """Return an exception's type and where it came from, and the same of its causes, without any message."""
    lines = []
    seen: BaseException | None = error
    while seen is not None:
        lines.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
        frames = traceback.extract_tb(seen.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        seen = seen.__cause__ or seen.__context__
    return lines


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log line of this process to stderr as JSON; uvicorn's own access log is off."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Other libraries' debug lines hold statements with their values: nonces, hashes, names (I16).
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level.upper()]))
    logging.getLogger("tillkey_server").setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True
    # Alembic announces each of its plugins when it is imported.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # uvicorn tells of its start and stop what `serve` tells itself.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


# A caller may write any word for a method: as a label each would be kept for ever.
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


class RequestLog:
    """The outermost layer: one log line per request, and a problem instead of an exception that nobody expected.

    A defect's answer says nothing of the inside; its number stands in the answer (`instance`, RFC 9457 section 3.1.5)
    and in the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = number_of(Headers(scope=scope))
        token = _request_id.set(number)
        try:
            await self._serve(scope, receive, send, number)
        finally:
            _request_id.reset(token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, number: str) -> None:
        started = time.perf_counter()
        status = 0
        noted: dict[str, str] = {}
        scope = {**scope, responses.NOTES: noted}
        if scope["method"] == "HEAD":
            # RFC 9110 section 9.3.2: as GET, without the content, which uvicorn leaves out by the method that came.
            scope["method"] = "GET"

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers[REQUEST_ID] = number
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            instance = f"urn:uuid:{new_id()}"
            log.exception("a request failed: %s", type(error).__name__, extra={"instance": instance})
            if not status:
                members = problems.document(problems.INTERNAL_ERROR, instance=instance)
                await responses.problem(members)(scope, receive, watch)
        finally:
            took = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "(none)")
            method = scope["method"] if scope["method"] in _METHODS else "(other)"
            line = {"method": method, "route": route, "status": status, "ms": round(took * 1000, 1), **noted}
            log.info("request", extra=line)
            metrics.count(method, route, status, took, noted.get("code"))
