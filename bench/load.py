"""Sending requests as fast as a server answers: prepared bytes over a few connections that stay open."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

CONNECTIONS = 16
ANSWER_SECONDS = 60.0
_BAD = 400


@dataclass(frozen=True)
class Prepared:
    """One request, ready to be written."""

    content: bytes

    @classmethod
    def post(cls, url: str, path: str, document: object, headers: str = "") -> Prepared:
        """Make a POST of a JSON document."""
        body = json.dumps(document).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return cls(head.encode() + body)

    @classmethod
    def get(cls, url: str, path: str, headers: str = "") -> Prepared:
        """Make a GET."""
        return cls(f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{headers}\r\n".encode())


@dataclass(frozen=True)
class Volley:
    """What came of a volley: how many requests a second, and each answer's body in the order of the requests."""

    per_second: float
    bodies: list[bytes]


async def fire(url: str, requests: Sequence[Prepared], *, connections: int = CONNECTIONS) -> Volley:
    """Send every request, `connections` at a time, and return what came back.

    Connecting is not counted. Raises RuntimeError for an answer that is no success: a refusal is faster than the work.
    """
    address = urlsplit(url)
    lines = [await asyncio.open_connection(address.hostname, address.port) for _ in range(connections)]
    bodies: list[bytes] = [b""] * len(requests)
    waiting = iter(range(len(requests)))

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for index in waiting:
            writer.write(requests[index].content)
            bodies[index] = await _answer(reader)

    started = time.perf_counter()
    async with asyncio.timeout(ANSWER_SECONDS):
        await asyncio.gather(*(work(*line) for line in lines))
    took = time.perf_counter() - started
    for _, writer in lines:
        writer.close()
    return Volley(len(requests) / took, bodies)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
    body = await reader.readexactly(length)
    if int(head.split(" ", 2)[1]) >= _BAD:
        raise RuntimeError(body.decode())
    return body
