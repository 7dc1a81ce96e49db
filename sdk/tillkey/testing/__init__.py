"""A fake license server with a clock that a test turns, so that a vendor tests its till without a server of ours.

::

    from tillkey.testing import FakeServer

    with FakeServer() as server:
        key = server.license("pos-core")
        client = server.client("pos-core", state_dir)
        client.activate(key, project="Corner Shop")
        server.go_down()
        server.turn(days=8)
        assert client.check().status == "grace"

It speaks the real protocol over real HTTP on 127.0.0.1, signs with keys of its own, and says no as the server does:
the same codes, statuses and sentences. The SDK's own tests hold it to the real server. What it leaves out: limits on
agents and on guessing, payments, offline requests, software updates, releases of installations that nobody hears of,
sites that a license is bound to.

``import tillkey`` never loads it.
"""

from __future__ import annotations

from tillkey.testing.clock import FakeClock
from tillkey.testing.server import FakeServer, Seat
from tillkey.testing.terms import Terms

__all__ = ["FakeClock", "FakeServer", "Seat", "Terms"]
