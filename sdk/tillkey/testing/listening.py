"""Real HTTP on 127.0.0.1 for the fake server, in a thread, with the weather that a test asks for."""

from __future__ import annotations

import os
import socketserver
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Optional

from tillkey.effects import Reply
from tillkey.testing.office import Office

_HOST = "127.0.0.1"
_NO_PROXY = ("no_proxy", "NO_PROXY")
_POLL = 0.02
_LONGEST_BODY = 1024 * 1024


class _Direct:
    """While a server listens, no proxy of the environment stands between a till, or a program it starts, and it."""

    def __init__(self) -> None:
        self._listening = 0
        self._before: dict[str, Optional[str]] = {}

    def begin(self) -> None:
        if not self._listening:
            self._before = {name: os.environ.get(name) for name in _NO_PROXY}
            # The lower-case name has precedence where both are set (urllib.request.getproxies).
            known = next(filter(None, self._before.values()), None)
            os.environ.update(dict.fromkeys(_NO_PROXY, f"{known},{_HOST}" if known else _HOST))
        self._listening += 1

    def end(self) -> None:
        self._listening -= 1
        if not self._listening:
            for name, known in self._before.items():
                os.environ.pop(name, None)
                if known is not None:
                    os.environ[name] = known


_direct = _Direct()


class Listener(socketserver.ThreadingMixIn, HTTPServer):
    """Answers as an office does, one request at a time, until ``close``.

    While ``down`` every connection is closed unanswered; of the next ``lost`` requests the answer is.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, office: Office, turn: threading.RLock) -> None:
        """Listen on a free port; ``turn`` is held while a request is answered."""
        super().__init__((_HOST, 0), _Handler)
        self.office = office
        self.turn = turn
        self.down = False
        self.lost = 0
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_POLL,), name="tillkey-fake-server", daemon=True
        )
        self._thread.start()
        _direct.begin()

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://{_HOST}:{self.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()
        self._thread.join()
        _direct.end()

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, as ``http.server`` would."""
        socketserver.TCPServer.server_bind(self)

    def reply(self, handler: BaseHTTPRequestHandler) -> Optional[Reply]:
        """Answer one request; None where nothing is to be sent."""
        if self.down:
            return None
        posted = handler.command == "POST"
        length = handler.headers.get("Content-Length", "")
        body = handler.rfile.read(min(int(length), _LONGEST_BODY)) if posted and length.isdigit() else b""
        with self.turn:
            if posted:
                reply = self.office.post(handler.path, body, handler.headers.get("Content-Type", ""))
            else:
                reply = self.office.get(handler.path)
            if self.lost:
                self.lost -= 1
                return None
        return reply

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing where a till has gone before its answer; a fault of the server's own is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def date_time_string(self, timestamp: Optional[float] = None) -> str:
        """Return what ``Date`` says: the server's own time, which is the one that it judges by."""
        return super().date_time_string(self.server.office.clock() if timestamp is None else timestamp)

    def _answer(self) -> None:
        reply = self.server.reply(self)
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Cache-Control", "no-store")
        if reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET" if self.command == "POST" else "POST")
        if reply.retry_after is not None:
            self.send_header("Retry-After", str(reply.retry_after))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST = _answer  # noqa: N815 - the names are http.server's

    def log_message(self, *_: object) -> None:
        """Write nothing to the test's standard error."""
