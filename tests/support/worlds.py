"""Two license servers that a till cannot tell apart: the SDK's fake, and the real one, whose clock is the fake's.

Both are worked alike: tills come over HTTP, the vendor's people by name, and time passes when a test turns it. The
real one runs on SQLite alone: what differs between the engines is proved elsewhere.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

import uvicorn
from sqlalchemy import make_url

from tests.support.databases import Databases
from tests.support.house import furnished, opened
from tests.support.premises import EXEMPT, OWNER
from tests.support.proxy import Line, dropped_after, dropped_before
from tillkey.testing import FakeClock, FakeServer, Terms
from tillkey_server.app import create_app
from tillkey_server.clock import Clock
from tillkey_server.rules.standing import Event
from tillkey_server.store import activations
from tillkey_server.store import licenses as rows
from tillkey_server.usecases import license as licenses
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.forced_deactivation import force_deactivate
from tillkey_server.usecases.move import IssuedTicket, issue_move_ticket
from tillkey_server.usecases.release import release
from tillkey_server.usecases.services import Services

AGENT = "agent:test"
PATIENCE = 30.0
Result = TypeVar("Result")


class World(Protocol):
    """What a story needs of either server; the verbs are those of `FakeServer`."""

    clock: FakeClock

    @property
    def url(self) -> str: ...
    @property
    def direct(self) -> str: ...
    @property
    def keyset(self) -> str: ...
    def license(self, product: str = "pos-core", *, customer: str = OWNER) -> str: ...
    def turn(self, **by: float) -> None: ...
    def revoke(self, key: str) -> None: ...
    def suspend(self, key: str, *, until: datetime | None = None) -> None: ...
    def resume(self, key: str) -> None: ...
    def terminate(self, key: str) -> None: ...
    def renew(self, key: str, use_for: timedelta) -> None: ...
    def hold(self, key: str) -> None: ...
    def lift_hold(self, key: str) -> None: ...
    def release(self, key: str) -> None: ...
    def force_deactivate(self, key: str) -> None: ...
    def move_ticket(self, key: str, environment: str = "production") -> str: ...
    def suspicions(self, key: str) -> tuple[int, int]: ...
    def go_down(self) -> None: ...
    def come_up(self) -> None: ...
    def drop_next_answer(self) -> None: ...
    def back_up(self) -> Any: ...
    def restore(self, backup: Any) -> None: ...


TERMS = {
    EXEMPT: Terms(
        name="prestashop-care",
        staging_exempt=True,
        project_binding="permanent_from_first_activation",
        takeover_limit=5,
        granted=("sell", "care"),
    )
}
"""What a policy of the example catalogue says that a till can notice."""


class FakeWorld(FakeServer):
    """The fake, with the example catalogue's terms and with what support reads of a license."""

    def license(self, product: str = "pos-core", **options: Any) -> str:
        return super().license(product, **{"terms": TERMS.get(product), **options})

    @property
    def direct(self) -> str:
        return self.url

    def suspicions(self, key: str) -> tuple[int, int]:
        """Return how many forks and switches a license's chains have shown."""
        seats = self.seats(key)
        return sum(one.forks for one in seats), sum(one.switches for one in seats)


class _ServerClock(Clock):
    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now


class LoopThread:
    """An event loop in a thread of its own, so that a till may block while the server answers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="real server", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


class RealWorld:
    """The real server behind uvicorn, with a line in front of it that a test may break."""

    def __init__(self, thread: LoopThread, services: Services, clock: FakeClock, line: Line) -> None:
        self._thread = thread
        self._services = services
        self._line = line
        self._sold: dict[str, UUID] = {}
        self._outage = ExitStack()
        self._backups = 0
        self.clock = clock

    @property
    def url(self) -> str:
        return self._line.url

    @property
    def direct(self) -> str:
        """The address without the line in front, which passes nothing that is no HTTP of a till's."""
        return self._line.server

    @property
    def keyset(self) -> str:
        return self._services.keyring.text

    def license(self, product: str = "pos-core", *, customer: str = OWNER) -> str:
        issued = self._thread.run(
            licenses.issue(self._services, product=product, customer_email=customer, actor=AGENT)
        ).licenses[0]
        assert issued.license_key is not None
        self._sold[issued.license_key] = issued.license_id
        return issued.license_key

    def turn(self, **by: float) -> None:
        self.clock.turn(**by)

    def revoke(self, key: str) -> None:
        self._change(key, Event.REVOKE)

    def suspend(self, key: str, *, until: datetime | None = None) -> None:
        self._change(key, Event.SUSPEND, until)

    def resume(self, key: str) -> None:
        self._change(key, Event.RESUME)

    def hold(self, key: str) -> None:
        self._change(key, Event.HOLD)

    def lift_hold(self, key: str) -> None:
        self._change(key, Event.RELEASE_HOLD)

    def terminate(self, key: str) -> None:
        self._write(key, terminated_at=self.clock.now)

    def renew(self, key: str, use_for: timedelta) -> None:
        self._write(key, use_until=self.clock.now + use_for)

    def release(self, key: str) -> None:
        done = release(self._services, self._holder(key), actor=AGENT, reason="asked for")
        assert self._thread.run(done).decision.allowed

    def force_deactivate(self, key: str) -> None:
        done = force_deactivate(self._services, self._holder(key), actor=AGENT, reason="burnt", confirm=True)
        assert self._thread.run(done).decision.allowed

    def move_ticket(self, key: str, environment: str = "production") -> str:
        made = issue_move_ticket(self._services, self._sold[key], actor=AGENT, reason="burnt", environment=environment)
        issued = self._thread.run(made)
        assert isinstance(issued, IssuedTicket), issued
        return issued.ticket

    def suspicions(self, key: str) -> tuple[int, int]:
        chain: Any = self._thread.run(explain(self._services, self._sold[key]))["chain"]
        return chain["forks"], chain["switches"]

    def go_down(self) -> None:
        self._outage.enter_context(self._line.always(dropped_before))

    def come_up(self) -> None:
        self._outage.close()

    def drop_next_answer(self) -> None:
        self._line.next(dropped_after)

    def back_up(self) -> Path:
        self._backups += 1
        backup = self._database.with_suffix(f".backup-{self._backups}")
        _copy(self._database, backup)
        return backup

    def restore(self, backup: Path) -> None:
        _copy(backup, self._database)

    @property
    def _database(self) -> Path:
        return Path(str(make_url(self._services.settings.database_url).database))

    def _change(self, key: str, event: Event, until: datetime | None = None) -> None:
        changed = licenses.change_standing(
            self._services, self._sold[key], event=event, actor=AGENT, reason="told", until=until
        )
        assert self._thread.run(changed).allowed

    def _write(self, key: str, **moments: datetime) -> None:
        """Write what comes with money and its data: no person does it by hand."""

        async def write() -> None:
            async with self._services.db.writing() as tx:
                await rows.set_moments(tx, self._sold[key], moments)

        self._thread.run(write())

    def _holder(self, key: str) -> UUID:
        async def held() -> UUID:
            async with self._services.db.reading() as tx:
                return (await activations.active_of_license(tx, self._sold[key]))[0].id

        return self._thread.run(held())


@contextmanager
def real_world(databases: Databases, folder: Path) -> Iterator[RealWorld]:
    """Serve the real application over a new database, from the fake's morning on."""
    clock = FakeClock()
    url = databases.create("sqlite", furnished)
    thread = LoopThread()
    services = thread.run(opened(folder / "data", url, _ServerClock(clock)))
    with socket.create_server(("127.0.0.1", 0)) as door, ExitStack() as closing_time:
        closing_time.callback(thread.close)
        closing_time.callback(lambda: thread.run(services.close()))
        server = uvicorn.Server(uvicorn.Config(create_app(services), log_config=None, access_log=False))
        serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[door]), thread.loop)
        closing_time.callback(lambda: serving.result(PATIENCE))
        closing_time.callback(lambda: setattr(server, "should_exit", True))
        line = Line(f"http://127.0.0.1:{door.getsockname()[1]}")
        closing_time.callback(line.close)
        yield RealWorld(thread, services, clock, line)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
