"""Requests that leave together: signed and connected beforehand, then written in one turn of the event loop.

A client library spends about a millisecond on a request, so that the last of 64 would leave when the first is answered.
Here all 64 are on their way within two or three milliseconds, and the servers find them in their queues at once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.support.till import RawTill, Reply, new_rid
from tillkey.wire.request import Activate, Body, Project, path_of

ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Shot:
    """One signed request, the till it belongs to and the server that it goes to."""

    till: RawTill
    url: str
    path: str
    rid: str
    text: str = field(repr=False)


def shot(till: RawTill, url: str, body: Body, *, rid: str | None = None) -> Shot:
    """Sign a request now, to be sent later."""
    rid = rid or new_rid()
    return Shot(till, url, path_of(body), rid, till.sign(body, rid=rid))


def taking(
    till: RawTill,
    license_key: str | None,
    *,
    project: str = "Corner Shop",
    environment: str = "production",
    move_ticket: str | None = None,
) -> Activate:
    """An `activate`: with the license key, or without one with the till's last lease."""
    return Activate(
        product=till.product,
        project=Project(project),
        environment=environment,
        fingerprint=till.fingerprint,
        app_version="1.0",
        license_key=license_key,
        lease=till.lease_text if license_key is None else None,
        platform_version="test",
        move_ticket=move_ticket,
    )


async def volley(shots: Sequence[Shot]) -> list[Reply]:
    """Send all of them at the same instant; return the answers in their order, each checked against its request."""
    async with AsyncExitStack() as opened:
        lines = await asyncio.gather(*(Line.open(one.url) for one in shots))
        for line in lines:
            opened.push_async_callback(line.close)
        for line, one in zip(lines, shots, strict=True):
            line.send(one.path, one.text)
        async with asyncio.timeout(ANSWER_SECONDS):
            answers = await asyncio.gather(*(line.answer() for line in lines))
    return [one.till.read(answer, rid=one.rid) for one, answer in zip(shots, answers, strict=True)]


class Line:
    """One connection to a server: HTTP/1.1 by hand, one request at a time."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the server at `url`."""
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        return cls(address.netloc, reader, writer)

    def send(self, path: str, text: str) -> None:
        """Put a signed request on its way; an empty socket takes it at once."""
        content = json.dumps({"request": text}).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    async def answer(self) -> httpx.Response:
        """Wait for the answer."""
        status_line, *fields = (await self._reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        headers = httpx.Headers([tuple(line.split(": ", 1)) for line in fields if line])
        content = await self._reader.readexactly(int(headers["content-length"]))
        return httpx.Response(int(status_line.split()[1]), headers=headers, content=content)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        await self._writer.wait_closed()
