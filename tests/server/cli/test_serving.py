"""`serve` as a real process: ready, graceful, refused where it must not start."""

import asyncio
import signal
import socket

import pytest

from tests.support.databases import DIALECTS
from tests.support.server import READY, Installation, Serving
from tests.support.till import RawTill


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = Installation(tmp_path_factory.mktemp("serve") / "data")
    # Cold, as an operator starts it.
    made.succeed("init", "--examples")
    return made


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_till_activates_over_http_and_a_command_reaches_the_running_server(dialect, fresh_database, tmp_path):
    installation = Installation(tmp_path / "data", database_url=fresh_database(dialect)).init()
    with installation.serving() as server:
        key = installation.issue()
        async with server.client() as http:
            till = RawTill(http, installation.keyset)
            assert (await till.activate(key.license_key)).status == 201
            items = installation.command("activation", "list")["items"]
            assert till.held.sub in [item["id"] for item in items]
            installation.command("license", "suspend", key.license_id, "--reason", "a test")
            refused = await till.heartbeat()
            assert (refused.status, refused.code) == (403, "license_suspended")
            assert refused.statement is not None
        told = server.log
        for secret in (key.license_key, key.license_key[4:9], till.held.nonce, till.held.rid, "owner@shop.example"):
            assert secret not in told


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_that_was_asked_for_ends_with_exit_code_0(installation, how):
    server = Serving(installation).start()
    assert server.log.count(READY) == 1
    server._process.send_signal(how)
    assert server.wait() == 0


async def test_an_answer_on_its_way_out_is_still_given_at_a_stop(installation):
    server = Serving(installation).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = b"POST /v1/activations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
    writer.write(head + b"{")
    await writer.drain()
    await asyncio.sleep(0.3)
    server._process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    writer.write(b"}")
    answered = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    assert answered.startswith(b"HTTP/1.1 400")
    assert b"malformed" in answered
    assert await asyncio.to_thread(server.wait) == 0


def test_a_killed_server_starts_again_on_its_port_and_knows_everything(installation):
    key = installation.issue()
    with installation.serving() as server:
        port = server.port

        async def talk(*, first: bool) -> None:
            async with server.client() as http:
                till = RawTill(http, installation.keyset, seed=b"k" * 32)
                assert (await till.activate(key.license_key)).status == (201 if first else 200)

        asyncio.run(talk(first=True))
        assert server.kill() == -signal.SIGKILL
        assert server.restart().port == port
        asyncio.run(talk(first=False))


def test_a_port_that_is_taken_is_a_usage_error(installation):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = installation.run("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "cannot listen" in result.stderr


def test_a_crash_point_outside_tests_is_refused(installation):
    result = installation.run("serve", "--port", "0", environment={"TILLKEY_CRASH_AT": "before_commit"})
    assert result.exit_code == 2
    assert "TILLKEY_CRASH_AT" in result.stderr


def test_an_unreachable_database_keeps_the_server_from_starting(installation):
    nowhere = {"TILLKEY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    assert installation.run("serve", "--port", "0", environment=nowhere).exit_code == 3
