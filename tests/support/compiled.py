"""Statements are compiled once for a process of tests, as in a server that runs for months, not for each test's engine.

SQLAlchemy keeps what it compiled with each engine, and knows it by the engine's own object of the dialect; here all
engines of a kind of database share it.
"""

from typing import Any

from sqlalchemy.util import LRUCache

from tillkey_server.store import engines

_SIZE = 4000


class Compiled(LRUCache[tuple[Any, ...], Any]):
    """SQLAlchemy's own cache, with the dialect's name and driver in place of the object."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_shared(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(_shared(key), compiled)


def _shared(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (dialect.name, dialect.driver, *rest)


def share() -> None:
    """Let every engine that the server makes in this process keep what it compiled in one place."""
    make, compiled = engines.create_async_engine, Compiled(_SIZE)

    def made(*arguments: Any, **named: Any) -> Any:
        engine = make(*arguments, **named)
        engine.sync_engine._compiled_cache = compiled
        return engine

    engines.create_async_engine = made
