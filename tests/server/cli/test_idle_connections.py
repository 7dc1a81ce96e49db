"""Connections on which nothing comes: more of them than a process may usually have files do not stop a till."""

import resource
import signal
import socket
from contextlib import ExitStack, contextmanager

from tests.support.server import Installation
from tests.support.till import RawTill

USUAL_LIMIT = 256
IDLE = 600


@contextmanager
def soft_limit(files):
    """Let the processes that are started in the block begin with that many open files."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))


async def test_a_till_is_served_beside_more_idle_connections_than_the_limit_of_open_files(tmp_path):
    installation = Installation(tmp_path / "data").init()
    sold = installation.issue()
    with ExitStack() as idle:
        with soft_limit(USUAL_LIMIT):
            server = idle.enter_context(installation.serving())
        for _ in range(IDLE):
            idle.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        async with server.client() as http:
            till = RawTill(http, installation.keyset)
            assert (await till.activate(sold.license_key)).status == 201
            assert (await till.heartbeat()).status == 200


def test_a_request_that_comes_on_a_new_connection_right_after_the_stop_is_answered(tmp_path):
    installation = Installation(tmp_path / "data").init()
    with installation.serving() as server, socket.create_connection(("127.0.0.1", server.port), 5) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\n")
        server._process.send_signal(signal.SIGTERM)
        refused_from_now_on(server.port)
        line.sendall(b"Host: till.example\r\nConnection: close\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 200 ")
        assert server._process.wait(10) == 0


def refused_from_now_on(port: int) -> None:
    """Wait until nobody listens any more: the stop has begun."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionError:
            return
