"""Alembic's environment for SQLite and PostgreSQL.

The server's own commands hand in a connection (`store.migrate`); the `alembic` command opens one itself, from
`-x url=…`. Both run through the same lock and the same transaction. There is no offline mode: the first thing a
migration needs is the lock.
"""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection

from tillkey_server.store import migrate


def main() -> None:
    """Migrate over the connection that was handed in, or over one of our own."""
    if context.is_offline_mode():
        raise SystemExit("migrations run only with a connection: leave out --sql")
    connection = context.config.attributes.get("connection")
    if isinstance(connection, Connection):
        migrate.run_in(connection)
        return
    url = context.get_x_argument(as_dictionary=True).get("url") or context.config.get_main_option("sqlalchemy.url")
    if not url:
        raise SystemExit(
            "name the database: alembic -c migrations/alembic.ini -x url=sqlite:///tillkey.sqlite upgrade head"
        )
    asyncio.run(migrate.run_at(url))


main()
