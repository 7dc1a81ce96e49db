"""Sealing the audit log: committed rows are chained by hash, behind the writers' backs and never in their way (law 8).

1. Rows are read and hashed outside any writing transaction; that holds no more than the chain's head and the new seals.
2. A row that commits late, with a lower id, is found in the next round: near the newest ids always, everywhere in a
   thorough round.
3. Two sealers at once are harmless: the database gives each number and each row one seal (law 6). The lease only saves
   the work.
4. Killed anywhere, a batch is there or is not; the next round goes on from the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.exc import IntegrityError

from tillkey_server.clock import to_epoch
from tillkey_server.rules.audit import link, start
from tillkey_server.store import seals, worker_leases
from tillkey_server.store.audit import AuditRow
from tillkey_server.store.seals import SealRow
from tillkey_server.usecases.services import Services

WORK = "audit-sealer"
LEASE = timedelta(seconds=15)
BATCH = 500
WINDOW = 10_000
"""How many ids under the highest sealed one a quick round looks through for late rows."""


async def seal(services: Services, *, holder: str | None = None, thorough: bool = True) -> int:
    """Seal what is committed; return how many rows were sealed.

    In: with a `holder`, nothing is done while another process holds the work; `thorough` looks through the whole log.
    """
    sealed, above = 0, 0
    if not thorough:
        async with services.db.reading() as tx:
            above = max(0, await seals.highest_event(tx) - WINDOW)
    while True:
        batch = await _batch(services, above, holder)
        if not batch:
            return sealed
        sealed += len(batch)
        above = batch[-1].event_id


async def give_up(services: Services, holder: str) -> None:
    """Give the work back at a graceful stop."""
    async with services.db.writing() as tx:
        await worker_leases.release(tx, WORK, holder)


def columns_of(row: AuditRow) -> dict[str, object]:
    """Return a row's columns as a seal covers them."""
    return {
        "id": row.id,
        "at": to_epoch(row.at),
        "actor": row.actor,
        "action": row.action,
        "outcome": row.outcome,
        "code": row.code,
        "clauses": list(row.clauses),
        "policy_name": row.policy_name,
        "policy_version": row.policy_version,
        "license_id": None if row.license_id is None else str(row.license_id),
        "activation_id": None if row.activation_id is None else str(row.activation_id),
        "facts": row.facts,
    }


async def _batch(services: Services, above: int, holder: str | None) -> Sequence[SealRow]:
    """Seal the next rows above an id; empty where there are none, or another process was faster."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        if holder is not None and not await worker_leases.is_free(tx, WORK, holder, now=now):
            return ()
        head = await seals.head(tx)
        rows = await seals.unsealed(tx, above=above, limit=BATCH)
    if not rows:
        return ()
    chained = _chained(services, head, rows)
    try:
        async with services.db.writing() as tx:
            mine = holder is None or await worker_leases.take(tx, WORK, holder, now=now, until=now + LEASE)
            if not mine or await seals.head(tx) != head:
                return ()
            await seals.append(tx, chained)
    except IntegrityError:
        return ()
    return chained


def _chained(services: Services, head: SealRow | None, rows: Sequence[AuditRow]) -> Sequence[SealRow]:
    now = services.clock.now().replace(microsecond=0)
    seq, previous = (head.seq, head.hash) if head is not None else (0, start(services.keyring.issuer).hash)
    found = []
    for row in rows:
        seq += 1
        previous = link(previous, seq, now, columns_of(row))
        found.append(SealRow(seq, row.id, previous, now))
    return found
