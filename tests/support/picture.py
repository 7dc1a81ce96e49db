"""Everything that a database holds, in one or two statements: for tests that look whether anything was changed."""

from collections import defaultdict
from collections.abc import Callable, Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.house import House
from tests.support.recycling import WRITTEN
from tillkey_server.store import tables

_LOOKED_AT = {
    table.name: [f'"{column.name}"' for column in table.columns if column.name != "last_used_at"]
    for table in tables.metadata.sorted_tables
    if table is not tables.rate_limit
}


def _union(names: Collection[str], row: Callable[[list[str]], str]) -> str:
    parts = (f"SELECT '{name}', {row(_LOOKED_AT[name])} FROM \"{name}\"" for name in names)
    return " UNION ALL ".join(parts)


_SQLITE = _union(_LOOKED_AT, lambda columns: " || ' ' || ".join(f"quote({one})" for one in columns))


async def _statement(tx: AsyncConnection) -> str:
    if tx.dialect.name == "sqlite":
        return _SQLITE
    written = set((await tx.exec_driver_sql(WRITTEN)).scalars()) & _LOOKED_AT.keys()
    return _union(sorted(written), lambda columns: f"ROW({', '.join(columns)})::text")


async def picture(house: House) -> dict[str, list[str]]:
    """Return every row by table, but for when a key was last used and how often somebody asked."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    async with house.services.db.reading() as tx:
        for name, row in await tx.exec_driver_sql(await _statement(tx)):
            found[name].append(row)
    return {name: sorted(found[name]) for name in _LOOKED_AT}
