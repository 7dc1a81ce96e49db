"""Yesterday's backup of a database, and the server that is restored from it."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from tests.support.premises import Premises


async def back_up(premises: Premises) -> None:
    """Keep the database as it stands; nothing may be connected to it."""
    url = make_url(premises.url)
    if premises.dialect == "sqlite":
        with closing(sqlite3.connect(str(url.database))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(str(url.database), f"{url.database}.backup")
        return
    await _admin(premises, f'CREATE DATABASE "{url.database}_backup" TEMPLATE "{url.database}"')


async def restore(premises: Premises) -> None:
    """Put the backup in the database's place; the backup is used up. No server may run."""
    url = make_url(premises.url)
    if premises.dialect == "sqlite":
        _put_back(Path(str(url.database)))
        return
    await _admin(
        premises,
        f'DROP DATABASE "{url.database}" WITH (FORCE)',
        f'ALTER DATABASE "{url.database}_backup" RENAME TO "{url.database}"',
    )


def _put_back(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    path.with_name(f"{path.name}.backup").rename(path)


async def _admin(premises: Premises, *statements: str) -> None:
    url = make_url(premises.url)
    connection = await asyncpg.connect(host=url.query["host"], user=url.username, database="postgres")
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
