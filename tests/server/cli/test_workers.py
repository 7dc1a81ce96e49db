"""`serve --workers N`: several real processes on PostgreSQL, and what becomes of them."""

import asyncio
import os
import signal
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support.server import READY, Installation, Serving
from tests.support.till import RawTill

COUNT = 2
SECONDS = 20.0


@pytest.fixture(scope="module")
def installation(databases, tmp_path_factory):
    url = databases.create("postgresql")
    yield Installation(tmp_path_factory.mktemp("workers") / "data", database_url=url).init()
    databases.drop(url)


@pytest.fixture(scope="module")
def server(installation):
    """A server that tests may disturb but not end."""
    with closing(Serving(installation, more=("--workers", str(COUNT))).start()) as serving:
        yield serving


@pytest.fixture
def own_server(installation):
    with closing(Serving(installation, more=("--workers", str(COUNT))).start()) as serving:
        yield serving


def workers_of(server):
    """The ids of the supervisor's children."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        if int(rest.split()[1]) == server._process.pid:
            found.append(int(name.split()[0]))
    return set(found)


def any_runs(pids):
    return any(Path(f"/proc/{pid}").exists() for pid in pids)


def eventually(truth):
    """Wait until something becomes true, which it does by an event that a test cannot wait for otherwise."""
    deadline = time.monotonic() + SECONDS
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(server):
    return httpx.get(f"{server.url}/readyz", trust_env=False).status_code == 200


def test_the_server_is_ready_once_and_its_workers_serve(server):
    assert server.log.count(READY) == 1
    assert len(workers_of(server)) == COUNT
    assert all(answers(server) for _ in range(10))


def test_a_worker_that_was_killed_is_replaced(server):
    before = workers_of(server)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: len(workers_of(server) - {victim}) == COUNT)
    assert before - {victim} < workers_of(server)
    eventually(lambda: "a worker ended and is replaced" in server.log)
    assert all(answers(server) for _ in range(10))


async def test_a_stop_finishes_the_answers_on_their_way_and_leaves_no_process(own_server):
    before = workers_of(own_server)
    reader, writer = await asyncio.open_connection("127.0.0.1", own_server.port)
    head = b"POST /v1/activations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    writer.write(head + b"{")
    await writer.drain()
    await asyncio.sleep(0.3)
    own_server._process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    writer.write(b"}")
    answered = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    assert answered.startswith(b"HTTP/1.1 400")
    assert await asyncio.to_thread(own_server.wait) == 0
    assert not any_runs(before)


def test_no_worker_outlives_a_supervisor_that_was_killed(own_server):
    before = workers_of(own_server)
    own_server.kill()
    eventually(lambda: not any_runs(before))


async def test_workers_are_renewed_one_by_one_while_a_till_beats_on(server, installation):
    before = workers_of(server)
    sold = installation.issue()
    async with server.client() as http:
        till = RawTill(http, installation.keyset)
        assert (await till.activate(sold.license_key)).status == 201
        server._process.send_signal(signal.SIGHUP)
        while workers_of(server) & before:
            async with server.client() as fresh:
                till.http = fresh
                assert (await till.heartbeat()).status == 200
        eventually(lambda: len(workers_of(server)) == COUNT)


def test_workers_that_cannot_start_end_the_server_with_their_exit_code(installation):
    nowhere = {"TILLKEY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    assert installation.run("serve", "--port", "0", "--workers", "2", environment=nowhere).exit_code == 3


def test_several_workers_on_sqlite_are_refused(installation):
    sqlite = {"TILLKEY_DATABASE_URL": f"sqlite:///{installation.data_dir}/tillkey.sqlite"}
    result = installation.run("serve", "--port", "0", "--workers", "2", environment=sqlite)
    assert result.exit_code == 2
    assert "use PostgreSQL" in result.stderr
