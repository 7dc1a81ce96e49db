"""What a database is sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")


@contextmanager
def counted(database) -> Iterator[list[str]]:
    """Collect the statements that a database is sent, but for what begins and ends a transaction."""
    sent: list[str] = []

    def note(_conn, _cursor, statement, *_rest) -> None:
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
