"""An audit log with many rows, sealed, for tests that then change it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from tests.support.house import House
from tillkey_server.ids import new_id
from tillkey_server.store import audit
from tillkey_server.store.access_tables import audit_seal
from tillkey_server.store.tables import audit_event
from tillkey_server.usecases.audit import verify_audit
from tillkey_server.usecases.sealing import seal


async def decide(house: House, count: int, *, at: datetime | None = None) -> list[int]:
    """Append decisions in one transaction; return their numbers."""
    async with house.services.db.writing() as tx:
        return [
            await audit.append(
                tx,
                at=at or house.clock.now(),
                actor="till",
                action="activate",
                outcome="allow",
                code="license_active",
                clauses=["K-1", "K-2"],
                facts={"number": number, "name": "caf\u00e9", "share": 0.1, "nothing": None},
                policy_name="default",
                policy_version=1,
                license_id=new_id(),
                activation_id=new_id(),
            )
            for number in range(count)
        ]


async def sealed_log(house: House, count: int = 10) -> list[int]:
    """Append decisions and seal them; return their numbers."""
    numbers = await decide(house, count)
    await seal(house.services)
    return numbers


async def seals(house: House) -> list[tuple[int, int]]:
    """Return number and row of every seal, in the chain's order."""
    async with house.services.db.reading() as tx:
        found = await tx.execute(select(audit_seal.c.seq, audit_seal.c.event_id).order_by(audit_seal.c.seq))
        return [(row.seq, row.event_id) for row in found]


async def write(house: House, *statements: Any) -> None:
    """Do to the database what no server does."""
    async with house.services.db.writing() as tx:
        for statement in statements:
            await tx.execute(statement)


async def bad(house: House, checkpoint: str | None = None) -> Any:
    """Return what is found first: what it is, the seal's number, the row's number; None where all is whole."""
    found = await verify_audit(house.services, checkpoint)
    told = found["bad"]
    assert found["ok"] is (told is None)
    return None if told is None else tuple(told.values())  # type: ignore[attr-defined]


def changed(number: int, **columns: Any) -> Any:
    """Return the UPDATE of one row of the log."""
    return audit_event.update().where(audit_event.c.id == number).values(**columns)
