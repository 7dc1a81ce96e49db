"""The audit log: read it, prove that nobody changed it, and take checkpoints that a rewritten log cannot match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tillkey.wire import b64
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.audit import LATE, BadRow, Flaw, Position, Sealed, advance, fits, start
from tillkey_server.rules.decision import instant
from tillkey_server.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from tillkey_server.signing.keyring import KeyState
from tillkey_server.store import audit, seals
from tillkey_server.store.audit import AuditFilters, AuditRow
from tillkey_server.store.seals import SealRow
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.sealing import columns_of
from tillkey_server.usecases.services import Services

BATCH = 1000
_UNREADABLE = (ValueError, TypeError, OverflowError, OSError, RecursionError)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """What is asked for; all that is given must match. `since` is included, `until` is not."""

    license_id: UUID | None = None
    activation_id: UUID | None = None
    actor: str | None = None
    action: str | None = None
    outcome: str | None = None
    code: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_audit(
    services: Services,
    search: AuditSearch | None = None,
    *,
    scope: Scope = EVERYTHING,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
) -> Page:
    """Return a page of the decisions that match, the oldest first; `-id` begins with the newest.

    A caller with limits sees what was decided about licenses within them (I13). Raises BadInput, naming the field.
    """
    paging = paging_of(after=after, limit=limit, sort=sort, number_keys=True)
    wanted = search or AuditSearch()
    filters = AuditFilters(**{name: getattr(wanted, name) for name in AuditFilters.__slots__})
    async with services.db.reading() as tx:
        found = await audit.page(tx, paging, filters, scope=scope)
    return page_of(found, paging, show=shown, key=lambda row: row.id)


def shown(row: AuditRow) -> dict[str, object]:
    """Return a decision as people see it."""
    policy = None if row.policy_name is None else {"name": row.policy_name, "version": row.policy_version}
    return {**columns_of(row), "at": instant(row.at), "policy": policy} | {"facts": dict(row.facts)}


async def count_unsealed(services: Services) -> int:
    """Return how many decisions wait for the sealer."""
    async with services.db.reading() as tx:
        return await seals.count_unsealed(tx)


async def audit_checkpoint(services: Services) -> dict[str, object]:
    """Return the chain's head, signed, to be kept elsewhere; and how many rows are not under it yet."""
    async with services.db.reading() as tx:
        head = await seals.head(tx)
        unsealed = await seals.count_unsealed(tx)
    seq, hash_ = (0, start(services.keyring.issuer).hash) if head is None else (head.seq, head.hash)
    taken = Checkpoint(seq, hash_, services.clock.now())
    text = sign_checkpoint(taken, services.keyring)
    return {"checkpoint": text, **_told(taken), "unsealed": unsealed}


async def verify_audit(
    services: Services, checkpoint: str | None = None, *, progress: Progress | None = None
) -> dict[str, object]:
    """Walk the chain and return whether it is whole, the first bad row, and how many rows are not sealed yet.

    In: a checkpoint's text, with which a chain that was cut off or rewritten is told from ours; `progress` is told the
    seals seen and the last one's number. Raises BadInput for a checkpoint that this server never signed. Changes
    nothing, and holds a thousand rows at most.
    """
    now = services.clock.now()
    given = None if checkpoint is None else open_checkpoint(checkpoint, services.keyring, now)
    async with services.db.reading() as tx:
        head = await seals.head(tx)
    walk = _Walk(services, None if given is None else given[0], 0 if head is None else head.seq, progress)
    bad = await walk.run() or await walk.left_out()
    async with services.db.reading() as tx:
        unsealed = await seals.count_unsealed(tx)
    return {
        "ok": bad is None,
        "bad": None if bad is None else {"flaw": bad.flaw.value, "seq": bad.seq, "event_id": bad.event_id},
        "sealed": walk.position.seq,
        "hash": b64.encode(walk.position.hash),
        "unsealed": unsealed,
        "checkpoint": None if given is None else _compared(*given),
    }


class _Walk:
    """One walk along the chain, a batch for each transaction."""

    def __init__(self, services: Services, checkpoint: Checkpoint | None, last: int, progress: Progress | None) -> None:
        self._services = services
        self._checkpoint = checkpoint
        self._last = last
        self._progress = progress
        self.position = start(services.keyring.issuer)

    async def run(self) -> BadRow | None:
        """Go to the chain's end; return the first flaw on the way."""
        bad = self._rewritten()
        while bad is None:
            batch = await self._next()
            if isinstance(batch, BadRow):
                return batch
            if not batch:
                return self._truncated()
            bad = self._along(batch)
            if self._progress is not None:
                self._progress(self.position.seq, self._last)
        return bad

    async def left_out(self) -> BadRow | None:
        """Return a row without a seal that should long have had one: somebody put it between the others."""
        worked_at = self.position.sealed_at
        if worked_at is None:
            return None
        async with self._services.db.reading() as tx:
            found = await seals.first_unsealed(tx, below=self.position.highest_event, before=worked_at - LATE)
        return None if found is None else BadRow(Flaw.INSERTED, None, found)

    def _along(self, batch: Sequence[Sealed]) -> BadRow | None:
        for number, sealed in enumerate(batch):
            step = advance(self.position, sealed)
            if isinstance(step, BadRow):
                return _named(step, self.position, batch[number:])
            self.position = step
            bad = self._rewritten()
            if bad is not None:
                return bad
        return None

    async def _next(self) -> Sequence[Sealed] | BadRow:
        """Return the next seals with their rows, or the row that cannot even be read: no server wrote that."""
        seq = self.position.seq
        try:
            return await self._read(seq, BATCH)
        except _UNREADABLE:
            pass
        try:
            return await self._read(seq, 1)
        except _UNREADABLE:
            async with self._services.db.reading() as tx:
                ids = await seals.next_ids(tx, seq)
            return BadRow(Flaw.CHANGED, *(ids or (seq + 1, None)))

    async def _read(self, seq: int, limit: int) -> Sequence[Sealed]:
        async with self._services.db.reading() as tx:
            found = await seals.after(tx, seq, limit)
        return [_sealed(seal, row) for seal, row in found]

    def _rewritten(self) -> BadRow | None:
        given = self._checkpoint
        if given is None or given.seq != self.position.seq or given.hash == self.position.hash:
            return None
        return BadRow(Flaw.REWRITTEN, given.seq, None)

    def _truncated(self) -> BadRow | None:
        given = self._checkpoint
        if given is None or given.seq <= self.position.seq:
            return None
        return BadRow(Flaw.TRUNCATED, self.position.seq + 1, None)


def _sealed(seal: SealRow, row: AuditRow | None) -> Sealed:
    columns = None if row is None else columns_of(row)
    return Sealed(seal.seq, seal.event_id, seal.hash, seal.sealed_at, columns, None if row is None else row.at)


def _named(bad: BadRow, position: Position, rest: Sequence[Sealed]) -> BadRow:
    """Tell a row in another's place from a changed one: then some later row of the batch fits the seal."""
    seal = rest[0]
    if bad.flaw is not Flaw.CHANGED:
        return bad
    others = (other.event for other in rest[1:] if other.event is not None)
    moved = any(fits(position.hash, seal, event) for event in others)
    return replace(bad, flaw=Flaw.REORDERED) if moved else bad


def _told(checkpoint: Checkpoint) -> dict[str, object]:
    return {"seq": checkpoint.seq, "hash": b64.encode(checkpoint.hash), "at": instant(checkpoint.at)}


def _compared(checkpoint: Checkpoint, state: KeyState) -> dict[str, object]:
    return {**_told(checkpoint), "key_state": state.value}
