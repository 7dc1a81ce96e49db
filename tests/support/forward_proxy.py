"""A forward proxy, as a shop's network has one: tunnels by CONNECT, and absolute addresses for plain HTTP."""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

PATIENCE = 30.0
DENIED = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
FAILED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


class ForwardProxy(socketserver.ThreadingTCPServer):
    """`asked` holds the first line of each request; `login` is the `name:password` it wants, or None."""

    daemon_threads = True
    allow_reuse_address = True
    login: str | None = None

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def admits(self, head: bytes) -> bool:
        """Tell whether a request's head carries the login that is wanted."""
        if self.login is None:
            return True
        token = base64.b64encode(self.login.encode())
        return b"proxy-authorization: basic " + token.lower() in head.lower()


class _Handler(socketserver.StreamRequestHandler):
    server: ForwardProxy

    def handle(self) -> None:
        self.request.settimeout(PATIENCE)
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        line, _, rest = head.partition(b"\r\n")
        if not line:
            return
        self.server.asked.append(line.decode())
        method, target, version = line.decode().split(" ")
        if not self.server.admits(head):
            self.wfile.write(DENIED)
            return
        url = urlsplit(target if "://" in target else f"//{target}")
        try:
            server = socket.create_connection((url.hostname, url.port), timeout=PATIENCE)
        except OSError:
            self.wfile.write(FAILED)
            return
        with server:
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(f"{method} {url.path or '/'} {version}\r\n".encode() + rest + b"\r\n")
            back = threading.Thread(target=_pump, args=(server, self.request), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                for piece in iter(lambda: self.rfile.read1(65536), b""):
                    server.sendall(piece)
                server.shutdown(socket.SHUT_WR)
            back.join(PATIENCE)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for piece in iter(lambda: source.recv(65536), b""):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def forward_proxy() -> Iterator[ForwardProxy]:
    """Run a proxy until the block ends."""
    proxy = ForwardProxy()
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
