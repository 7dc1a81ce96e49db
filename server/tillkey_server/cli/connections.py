"""uvicorn, made fit to stand at the edge.

1. What comes before a request's body is bounded in size and in time: uvicorn bounds neither with its fast parser, so
   that idle connections could fill a server that has no proxy in front. The body's own bounds are `api.bodies`'.
2. The server says when it is ready, and a stop that was asked for is no failure: uvicorn alone exits with 143.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tillkey_server.errors import ConfigError

HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 10.0
ARRIVING_SECONDS = 0.5
"""How long a stop waits for the request of a connection that was just made."""


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

    @property
    def awaits_head(self) -> bool:
        """Tell whether a request's head is on its way, or a new connection's first one."""
        return self._head_timer is not None

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

    def __init__(self, config: uvicorn.Config, ready: Callable[[Server], None]) -> None:
        """Take what uvicorn takes, and whom to tell."""
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so; whoever does not finish the handshake of TLS is let go as who sends no head."""
        loop = asyncio.get_running_loop()
        if self.config.ssl is not None:
            listen = partial(loop.create_server, ssl_handshake_timeout=HEAD_SECONDS)
            # uvicorn has no setting for it.
            loop.create_server = listen  # type: ignore[method-assign]
        await super().startup(sockets)
        self._ready(self)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and let those that were just made say what they want before the idle are closed.

        uvicorn alone resets a connection whose request is on its way, which a renewed worker's till would notice.
        """
        for listener in self.servers:
            listener.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + ARRIVING_SECONDS
        while self._arriving() and loop.time() < until and not self.force_exit:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)

    def _arriving(self) -> bool:
        return any(one.awaits_head for one in self.server_state.connections if isinstance(one, BoundedProtocol))

    def handle_exit(self, sig: int, _frame: Any) -> None:
        """Stop; a second Ctrl-C does not wait for the answers on their way out."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def tls_context(cert: Path, key: Path) -> ssl.SSLContext:
    """Return what HTTPS is served with: TLS 1.2 or later. Raises ConfigError, naming the setting."""

    def refused() -> str:
        raise ConfigError(
            "TILLKEY_TLS_KEY: is locked by a passphrase, which nobody could type at a restart; name a file without one"
            " (`openssl pkey -in LOCKED -out KEY`)"
        )

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for name, path in (("TILLKEY_TLS_CERT", cert), ("TILLKEY_TLS_KEY", key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise ConfigError(f"{name}: {path}: {error.strerror}; name a PEM file that this user may read") from error
    try:
        context.load_cert_chain(cert, key, refused)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"TILLKEY_TLS_CERT, TILLKEY_TLS_KEY: {cert} and {key} are no PEM certificate with its key; name the"
            " certificate with its chain, and the key that it was made for"
        ) from error
    return context


def configured(application: Any, *, stop_seconds: int, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    """Return how the application is served; a stop waits `stop_seconds` for the answers on their way out."""
    return uvicorn.Config(
        application,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # A header that anybody can write names no address; `api.proxies` knows whom to believe.
        proxy_headers=False,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        timeout_graceful_shutdown=stop_seconds,
    )
