"""A real HTTP server on a local port, in a thread: it hands requests to a function and sends what that returns."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.sdk.license_server import LicenseServer
from tillkey.effects import Reply

Answerer = Callable[[BaseHTTPRequestHandler, bytes], "Reply | None"]


class LocalServer(ThreadingHTTPServer):
    """`answer` may be replaced at any time; None from it means that it has written to the socket itself."""

    daemon_threads = True
    answer: Answerer

    @property
    def address(self) -> str:
        scheme = "https" if isinstance(self.socket, ssl.SSLSocket) else "http"
        return f"{scheme}://127.0.0.1:{self.server_address[1]}"

    def serve(self, server: LicenseServer) -> None:
        """Answer as this license server."""
        self.answer = lambda handler, body: server.post(handler.path, body) if body else server.get(handler.path)


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        reply = self.server.answer(self, body)
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.retry_after is not None:
            self.send_header("Retry-After", str(reply.retry_after))
        if 300 <= reply.status < 400:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = _handle  # noqa: N815 - the names are http.server's

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def local_server(tls: ssl.SSLContext | None = None) -> Iterator[LocalServer]:
    """Serve on a free port until the block ends, HTTPS where a context is given."""
    server = LocalServer(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def broken(server: LicenseServer, http: LocalServer, reply: Callable[[LicenseServer], Reply]) -> None:
    """Let the license server take each request and send something else."""

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> Reply:
        server.post(handler.path, body)
        return reply(server)

    http.answer = answer


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
