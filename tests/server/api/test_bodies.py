"""Bodies over a real connection: their size, their time, their form. Nothing that a stranger sends gets a 5xx."""

import asyncio
import gzip
import json
from contextlib import suppress

import httpx
import pytest

from tests.support.server import Serving
from tests.support.till import PROBLEM
from tillkey_server.api import bodies

JSON = {"Content-Type": "application/json"}
ADDRESS = "/v1/activations"
HEAD = b"POST /v1/activations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"


def problem_of(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == PROBLEM
    return response.status_code, response.json()["code"]


async def post(server: Serving, content: object, headers: dict[str, str] | None = None) -> httpx.Response:
    async with server.client() as http:
        return await http.post(ADDRESS, content=content, headers=JSON if headers is None else headers)


async def test_a_body_of_sixteen_kilobytes_is_read_and_one_byte_more_is_too_large(server):
    frame = len(json.dumps({"request": ""}))
    fits = json.dumps({"request": "x" * (bodies.MAX_BODY - frame)}).encode()
    assert len(fits) == 16 * 1024
    assert problem_of(await post(server, fits)) == (400, "malformed")
    assert problem_of(await post(server, fits + b" ")) == (413, "too_large")


async def test_a_chunked_body_without_a_length_is_bounded_too(server):
    async def chunks():
        for _ in range(40):
            yield b" " * 1024

    assert problem_of(await post(server, chunks())) == (413, "too_large")


async def test_a_body_of_many_megabytes_is_refused_with_an_answer_or_a_closed_connection(server):
    async def chunks():
        for _ in range(64):
            yield b" " * 64 * 1024

    with suppress(httpx.TransportError):
        assert problem_of(await post(server, chunks())) == (413, "too_large")
    assert (await post(server, b"{}")).status_code == 400, "the server goes on"


async def test_a_refusal_before_the_body_was_read_closes_the_connection(server):
    response = await post(server, b"x" * 20000)
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "application/jsonx"],
)
async def test_another_media_type_is_malformed_and_says_so(server, content_type):
    response = await post(server, b'{"request": "x"}', {"Content-Type": content_type} if content_type else {})
    assert problem_of(response) == (400, "malformed")
    assert "Content-Type" in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
async def test_json_is_json_however_it_is_written(server, content_type):
    response = await post(server, b'{"request": "x"}', {"Content-Type": content_type})
    assert "request" in response.json()["detail"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"request": 1}',
        b'{"request": null}',
        b'{"request": "a.b.c", "more": 1}',
        b'{"request": "a.b.c", "request": "a.b.c"}',
        b'{"request": "\\u0000"}',
        b'{"request": "\\ud800"}',
        b'{"request": NaN}',
        b'{"request": 9007199254740993}',
        b'{"request": ' + b"9" * 5000 + b"}",
        b"[" * 10000,
        b'{"request": "\xff"}',
        b"\xff\xfe{}",
        gzip.compress(b'{"request": "x"}', mtime=0),
        b'{"request": "' + b"." * 2000 + b'"}',
        b'{"request": "..' + b"A" * 8000 + b'"}',
    ],
)
async def test_whatever_is_no_request_is_malformed(server, content):
    assert problem_of(await post(server, content)) == (400, "malformed")


async def test_a_body_and_headers_that_drip_in_are_given_up_after_their_time(server):
    body, nothing = await asyncio.gather(drip(server, HEAD), drip(server, b"GET /healthz HTTP/1.1\r\nHost: "))
    head, _, problem = body.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(problem)["code"] == "request_timeout"
    assert nothing == b""


async def drip(server: Serving, beginning: bytes) -> bytes:
    """Send a byte every half second; return what the server says before it closes the connection, in its time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(beginning)
        started = asyncio.get_running_loop().time()
        answer = asyncio.create_task(reader.read())
        while not answer.done():
            writer.write(b" ")
            await asyncio.wait({answer}, timeout=0.5)
        took = asyncio.get_running_loop().time() - started
        assert bodies.BODY_SECONDS - 1 < took < bodies.BODY_SECONDS + 6
        return answer.result()
    finally:
        await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def test_headers_that_never_end_close_the_connection(server):
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * 40000 + b"\r\n")
        answered = await asyncio.wait_for(reader.read(), 8)
    finally:
        await hang_up(writer)
    assert answered.startswith(b"HTTP/1.1 400")


async def test_a_sender_that_hangs_up_leaves_no_defect_behind(server):
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /v1/activations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await post(server, b"{}")).status_code == 400
    assert "a request failed" not in server.log
