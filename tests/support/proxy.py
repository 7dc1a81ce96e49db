"""The line between a till and its server: a real TCP proxy that can do to each request what networks do.

A `Line` passes everything until `next(…)` gives it deeds, one for each of the next requests. A deed is a function of a
`Passage`: it may forward the request, and tell the till what it likes, or nothing.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from tillkey.wire import b64
from tillkey.wire.keys import PrivateKey

PATIENCE = 30.0
JSON = "application/json"
PROBLEM = "application/problem+json"
HTML = "text/html; charset=utf-8"


@dataclass
class Passage:
    """One request on its way.

    `claims` are the signed request's, `answer` the server's bytes if it was reached; `over` is set when all was done.
    """

    method: str
    path: str
    claims: dict[str, Any]
    raw: bytes = field(repr=False)
    target: tuple[str, int] = field(repr=False)
    till: socket.socket = field(repr=False)
    answer: bytes | None = field(default=None, repr=False)
    over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def rid(self) -> str:
        return self.claims["rid"]

    @property
    def op(self) -> str:
        return self.claims["op"]

    @property
    def document(self) -> dict[str, Any]:
        """The JSON that the server answered."""
        assert self.answer is not None, "the server was not reached"
        return json.loads(self.answer.partition(b"\r\n\r\n")[2])

    def forward(self, url: str | None = None) -> bytes:
        """Bring the request to its server, or to the one at `url`, and return the whole answer."""
        target = self.target if url is None else address_of(url)
        with socket.create_connection(target, timeout=PATIENCE) as server:
            server.sendall(self.raw)
            self.answer = b"".join(iter(lambda: server.recv(65536), b""))
        return self.answer

    def tell(self, raw: bytes) -> None:
        """Send bytes to the till."""
        self.till.sendall(raw)


Deed = Callable[[Passage], None]


def passed(passage: Passage) -> None:
    passage.tell(passage.forward())


def dropped_before(passage: Passage) -> None:
    """The connection breaks before the server hears of the request."""


def dropped_after(passage: Passage) -> None:
    """The server does what was asked, and the answer is lost."""
    passage.forward()


def cut_short(passage: Passage) -> None:
    """The connection breaks in the middle of the answer."""
    answer = passage.forward()
    passage.tell(answer[: len(answer) - 40])


def fault(status: int, *, reached: bool = False) -> Deed:
    """A gateway's page with a status of its own, whether or not the server was reached."""

    def deed(passage: Passage) -> None:
        if reached:
            passage.forward()
        passage.tell(reply(status, HTML, b"<html><h1>Sorry</h1></html>"))

    return deed


portal = fault(200)
"""The Wi-Fi's log-in page."""

firewall = fault(403)
"""A web application firewall that does not like the request."""


def telling(answer: Callable[[Passage], bytes] | bytes, *, reached: bool = False) -> Deed:
    """Tell the till something else in the answer's place."""

    def deed(passage: Passage) -> None:
        if reached:
            passage.forward()
        passage.tell(answer if isinstance(answer, bytes) else answer(passage))

    return deed


def rewritten(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Deed:
    """Tell the till what the server answered, changed."""

    def deed(passage: Passage) -> None:
        answer = passage.forward()
        kind = PROBLEM if PROBLEM.encode() in answer else JSON
        passage.tell(reply(status_of(answer), kind, json.dumps(change(passage.document)).encode()))

    return deed


def misled(url: str) -> Deed:
    """The request comes to another server."""

    def deed(passage: Passage) -> None:
        passage.tell(passage.forward(url))

    return deed


def held(until: threading.Event, then: Deed = dropped_before) -> Deed:
    """The line is open and silent until an event."""

    def deed(passage: Passage) -> None:
        until.wait(PATIENCE)
        then(passage)

    return deed


def reply(status: int, kind: str, body: bytes) -> bytes:
    """Return the bytes of an HTTP answer."""
    head = f"HTTP/1.1 {status} Told\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode("ascii") + body


def status_of(answer: bytes) -> int:
    """Return the status of an HTTP answer's bytes."""
    return int(answer.split(b" ", 2)[1])


class Line:
    """A proxy at `url` in front of a server.

    `passages` are all requests so far, in the order in which they were read.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.passages: list[Passage] = []
        self._deeds: list[Deed] = []
        self._always: Deed | None = None
        self._came = threading.Condition()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, name="line", daemon=True)]
        self._threads[0].start()

    def next(self, *deeds: Deed) -> Self:
        """Do this to the next requests, one deed each."""
        self._deeds.extend(deeds)
        return self

    @contextlib.contextmanager
    def always(self, deed: Deed) -> Iterator[None]:
        """Do this to every request until the block ends."""
        self._always = deed
        try:
            yield
        finally:
            self._always = None

    def wait_for(self, number: int, seconds: float = PATIENCE) -> bool:
        """Wait until so many requests came since the line was made; tell whether they did."""
        with self._came:
            return self._came.wait_for(lambda: len(self.passages) >= number, seconds)

    @property
    def last(self) -> Passage:
        return self.passages[-1]

    @property
    def rids(self) -> list[str]:
        """The `rid` of each signed request so far."""
        return [passage.rid for passage in self.passages if passage.claims]

    @property
    def ops(self) -> list[str]:
        """What each signed request so far asked for."""
        return [passage.op for passage in self.passages if passage.claims]

    def close(self) -> None:
        """Take no more requests, and wait until those under way are over."""
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                till, _ = self._door.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(till,), name="passage", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, till: socket.socket) -> None:
        # A till that was killed, or that gave up waiting, is no fault of the line's.
        with till, contextlib.suppress(OSError):
            till.settimeout(PATIENCE)
            passage = _read(till, address_of(self.server))
            if passage is None:
                return
            with self._came:
                deed = self._deeds.pop(0) if self._deeds else self._always or passed
                self.passages.append(passage)
                self._came.notify_all()
            try:
                deed(passage)
            finally:
                passage.over.set()


def address_of(url: str) -> tuple[str, int]:
    """Return the host and port of a server's address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 80


def _read(till: socket.socket, target: tuple[str, int]) -> Passage | None:
    """Read one request whole; None where the till went away before."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        chunk = till.recv(65536)
        if not chunk:
            return None
        raw += chunk
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    lengths = [int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += till.recv(65536)
    method, path, _ = lines[0].decode("ascii").split(" ")
    # The server closes when it has answered, so that the answer is all that comes.
    whole = b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body
    return Passage(method, path, _claims(body), whole, target, till)


def _claims(body: bytes) -> dict[str, Any]:
    """Return what a signed request claims, or nothing for any other request."""
    try:
        return claims_of(json.loads(body)["request"])
    except (ValueError, KeyError, TypeError):
        return {}


def resigned(text: str, key: PrivateKey, *, kid: str | None = None, **claims: Any) -> str:
    """Return a compact JWS with some claims changed, signed by a key, under its own name or another's."""
    header = json.loads(b64.decode(text.split(".", maxsplit=1)[0])) | {"kid": kid or key.public.thumbprint}
    signed = ".".join(b64.encode(json.dumps(part).encode()) for part in (header, claims_of(text) | claims))
    return f"{signed}.{b64.encode(key.sign(signed.encode('ascii')))}"


def claims_of(text: str) -> dict[str, Any]:
    """Return the claims of a compact JWS, its signature unchecked."""
    return json.loads(b64.decode(text.split(".")[1]))
