"""Which versions of the code a database serves: old and new servers run on it together (invariant I18, ADR 0014).

Each migration says in `oldest_code` the revision of the oldest code that goes on running on its tables. Whoever
migrates writes the revisions from there to the newest into the database, in the migration's own transaction: code
that is older than the database cannot know the migrations that came after it, and finds its answer there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.store.tables import served_code

if TYPE_CHECKING:
    from alembic.script import Script


def revisions_served(scripts: ScriptDirectory, reached: str) -> tuple[str, ...]:
    """Return the revisions of code that may run on a database at revision `reached`, the newest first.

    The demands of every migration up to there count, also of one that was followed by others.
    """
    applied = [*scripts.walk_revisions(head=reached)]
    known = [script.revision for script in applied]
    # Of all demands the one nearest to the newest is the strictest.
    strictest = min(known.index(_oldest_code(script, known)) for script in applied)
    return tuple(known[: strictest + 1])


def record(connection: Connection, scripts: ScriptDirectory, reached: str | None) -> None:
    """Write which code the database serves from now on; a database of before the table serves its own code alone."""
    if reached is None or not inspect(connection).has_table(served_code.name):
        return
    connection.execute(served_code.delete())
    connection.execute(
        served_code.insert(), [{"revision": revision} for revision in revisions_served(scripts, reached)]
    )


def serves(connection: Connection, revision: str) -> bool:
    """Tell whether the database says that it serves the code of that revision."""
    if not inspect(connection).has_table(served_code.name):
        return False
    found = connection.execute(select(served_code.c.revision).where(served_code.c.revision == revision))
    return found.first() is not None


def _oldest_code(script: Script, known: list[str]) -> str:
    """Return what a migration says in `oldest_code`: itself or one before it."""
    oldest = getattr(script.module, "oldest_code", None)
    if oldest not in known[known.index(script.revision) :]:
        raise BrokenInvariant(f"migration {script.revision} says in oldest_code no revision up to its own")
    return str(oldest)
