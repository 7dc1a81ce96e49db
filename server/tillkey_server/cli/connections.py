"""uvicorn, made fit to stand at the edge.

1. What comes before a request's body is bounded in size and in time: uvicorn bounds neither with its fast parser, so
   that idle connections could fill a server that has no proxy in front. The body's own bounds are `api.bodies`'.
2. The server says when it is ready, and a stop that was asked for is no failure: uvicorn alone exits with 143.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 10.0


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with at most `HEAD_BYTES` of address and headers, complete within `HEAD_SECONDS`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Take what uvicorn gives."""
        super().__init__(*arguments, **named)
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection on which nothing comes is closed too."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser and count what has come of a head that is not complete.

        The parser collects a long header by itself and tells nobody, so the bytes are counted where they come in: a
        head may exceed its bound by no more than one read of the socket.
        """
        super().data_received(data)
        if self.transport.is_closing():
            return
        if getattr(self.cycle, "response_complete", True):
            self._wait_for_head()
        if self._head_timer is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            self.send_400_response("The headers are too long.")

    def on_headers_complete(self) -> None:
        """Stop the clock: the body has its own."""
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_begin(self) -> None:
        """Start the clock for the next request of this connection."""
        self._wait_for_head()
        super().on_message_begin()

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class Server(uvicorn.Server):
    """uvicorn's server; `ready` is called once when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        """Take what uvicorn takes, and whom to tell."""
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, _frame: Any) -> None:
        """Stop; a second Ctrl-C does not wait for the answers on their way out."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def configured(application: Any, *, stop_seconds: int) -> uvicorn.Config:
    """Return how the application is served; a stop waits `stop_seconds` for the answers on their way out."""
    return uvicorn.Config(
        application,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # A header that anybody can write names no address: the limit of `check` would count by it.
        proxy_headers=False,
        timeout_graceful_shutdown=stop_seconds,
    )
