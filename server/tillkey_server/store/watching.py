"""What is told of a transaction that is over: for figures and traces, without a word of what it read or wrote (I16)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_STATEMENTS = "tillkey_statements"


class Kind(StrEnum):
    """Whether a transaction may write."""

    READ = "read"
    WRITE = "write"


class Outcome(StrEnum):
    """How a transaction ended: committed or read to its end, rolled back by an exception, or the database could not."""

    DONE = "done"
    ROLLED_BACK = "rolled_back"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Past:
    """One transaction that is over.

    `seconds` is all of its time and `waited` what of it passed before it had begun: its turn, the connection and, on
    SQLite, the write lock. `statements` is None where nobody has asked for them to be counted.
    """

    kind: Kind
    outcome: Outcome
    seconds: float
    waited: float
    statements: int | None


Watch = Callable[[Past], None]


class Stopwatch:
    """Takes the times of one transaction, from when it is asked for."""

    __slots__ = ("_asked", "_begun", "_kind", "_statements", "outcome")

    def __init__(self, kind: Kind) -> None:
        """Start; until it is said otherwise the outcome is that of an exception."""
        self._kind = kind
        self._asked = time.perf_counter()
        self._begun: float | None = None
        self._statements: int | None = None
        self.outcome = Outcome.ROLLED_BACK

    @contextmanager
    def running(self, connection: AsyncConnection, *, counting: bool) -> Iterator[None]:
        """Note when the transaction has begun and, while its connection is its own, how many statements it had."""
        self._begun = time.perf_counter()
        if not counting:
            yield
            return
        # Of the driver's connection: asked for now, since one that is lost has none.
        info = connection.info
        info[_STATEMENTS] = 0
        try:
            yield
        finally:
            self._statements = info[_STATEMENTS]

    def past(self) -> Past:
        """Return what there is to tell, now that it is over."""
        now = time.perf_counter()
        begun = now if self._begun is None else self._begun
        return Past(self._kind, self.outcome, now - self._asked, begun - self._asked, self._statements)


def count_statements(engine: AsyncEngine) -> None:
    """Count, from now on, what each connection of an engine is sent."""
    event.listen(engine.sync_engine, "before_cursor_execute", _count)


def _count(connection: Connection, *_rest: object) -> None:
    info = connection.info
    info[_STATEMENTS] = info.get(_STATEMENTS, 0) + 1
