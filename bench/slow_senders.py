"""`python -m bench.slow_senders`: heartbeats beside 2,000 idle connections and some hundred slow senders, in one run.

A second process lays siege to the server, so that the measuring client is not what gets slow: connections on which
nothing ever comes, heads and bodies that come byte by byte. Whatever the server closes is opened again at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.tills import Crowd
from tests.support.databases import DIALECTS
from tests.support.postgres import Postgres
from tests.support.server import Installation

ROOT = Path(__file__).resolve().parents[1]
IDLE, SLOW_HEADS, SLOW_BODIES = 2000, 200, 200
_DRIP_SECONDS = 0.5
_UP = "up"
_HEAD = b"POST /v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n"


def main() -> None:
    """Measure on each database, and print how much is left of the speed under siege."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--tills", type=int, default=300)
    words.add_argument("--siege", metavar="URL", help=argparse.SUPPRESS)
    asked = words.parse_args()
    _allow_many_files()
    if asked.siege:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_besiege(asked.siege))
        return
    told = {dialect: asyncio.run(_measured(dialect, asked.rounds, asked.tills)) for dialect in DIALECTS}
    print(json.dumps(told, indent=2))


async def _measured(dialect: str, rounds: int, tills: int) -> dict[str, object]:
    """Return heartbeats a second before, during and after the siege, and the share that was left."""
    with ExitStack() as opened, TemporaryDirectory() as folder:
        url = opened.enter_context(Postgres()).create_database() if dialect == "postgresql" else None
        installation = Installation(Path(folder) / "data", database_url=url).init()
        issued = installation.issue_many(tills)
        server = opened.enter_context(installation.serving())
        crowd = Crowd(server.url, installation.keyset, [one.license_key for one in issued])
        await crowd.activate()
        await crowd.heartbeat()
        before = [await crowd.heartbeat() for _ in range(rounds)]
        with _siege(server.url):
            during = [await crowd.heartbeat() for _ in range(rounds)]
        after = [await crowd.heartbeat() for _ in range(rounds)]
    calm = median(before + after)
    return {
        "heartbeats_per_second_calm": round(calm),
        "heartbeats_per_second_besieged": round(median(during)),
        "share_left": round(median(during) / calm, 2),
        "share_left_lowest_and_highest": [round(one / calm, 2) for one in (min(during), max(during))],
    }


@contextmanager
def _siege(url: str) -> Iterator[None]:
    """Lay siege in a process of its own; the block begins when every connection stands."""
    words = [sys.executable, "-m", "bench.slow_senders", "--siege", url]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != _UP:
                raise RuntimeError("the siege did not stand")
            yield
            if process.poll() is not None:
                raise RuntimeError("the siege broke down before the measure was over")
        finally:
            process.terminate()


async def _besiege(url: str) -> None:
    address = urlsplit(url)
    standing = asyncio.Semaphore(0)
    kinds = [(IDLE, b"", b""), (SLOW_HEADS, b"GET / HTTP/1.1\r\nX-Slow: ", b"x"), (SLOW_BODIES, _HEAD + b"\r\n", b" ")]
    async with asyncio.TaskGroup() as group:
        for count, begin, drip in kinds:
            for _ in range(count):
                group.create_task(_hold(str(address.hostname), address.port or 80, begin, drip, standing))
        for _ in range(IDLE + SLOW_HEADS + SLOW_BODIES):
            await standing.acquire()
        print(_UP, flush=True)


async def _hold(host: str, port: int, begin: bytes, drip: bytes, standing: asyncio.Semaphore) -> None:
    """Hold one connection for ever, sending `begin` and then `drip` again and again; open it anew when it is closed."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(begin)
            standing.release()
            closed = asyncio.ensure_future(reader.read())
            while not closed.done():
                writer.write(drip)
                await asyncio.wait({closed}, timeout=_DRIP_SECONDS if drip else None)
            writer.close()


def _allow_many_files() -> None:
    """Let this process and the ones that it starts have as many connections as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
