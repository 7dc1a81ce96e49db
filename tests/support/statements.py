"""What a database is sent, as text."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import event

from tillkey_server.store.db import Database

_LOCK = re.compile(r"\bFOR (NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b")
_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Collect the statements that a database is sent, but for what begins and ends a transaction."""
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(_FRAME):
            sent.append(statement)

    engines = {database._writer.sync_engine}
    if database.dialect == "sqlite":
        # PostgreSQL's is the writing one with an option, and has its events.
        engines.add(database._reader.sync_engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def locks(statements: Sequence[str]) -> list[str]:
    """Return those that take a lock on rows by asking for it."""
    return [statement for statement in statements if _LOCK.search(statement)]
