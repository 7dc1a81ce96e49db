"""A write that is asked for twice happens once (I6).

1. The caller names a write with a key of its own choice. The same key with the same request gets the same answer and
   has one effect; with another request it is refused (`idempotency_key_reused`).
2. While the first attempt still runs, another is told to wait (`request_in_progress`), on both databases and across
   processes.
3. The answer is recorded in the transaction of the effect, so that either both are there or neither is. An attempt
   that died is taken over after `CLAIM_SECONDS`; should it wake up then, it finds its claim gone, commits nothing and
   answers as one that comes later.
4. What was not done is not remembered: wrong input, and an object that is not there, may be sent again under the key.
5. An answer may hold a license key. It is kept encrypted under the caller's key, of which only a hash is stored.
6. A repeated answer is given only after a write of its own: the row that was found might not have been replicated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tillkey_server.errors import BadInput
from tillkey_server.ids import new_token
from tillkey_server.rules.decision import Refusal
from tillkey_server.store import idempotency
from tillkey_server.store.idempotency import IdempotencyRow
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.services import Raced, Services, settled

CLAIM_SECONDS = 60
MAX_KEY = 255
_CLAUSES = ("I6",)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is sent and kept: its status and its bytes."""

    status: int
    body: bytes = field(repr=False)


async def once(
    services: Services, *, owner: str, key: str, request: bytes, work: Callable[[], Awaitable[Kept]]
) -> Kept | RefusalAnswer:
    """Do `work` unless the owner's `key` has been used; return its answer, now or again.

    In: `request` is what makes two requests the same. `work` runs use cases, whose transactions become parts of one.
    Raises BadInput for a key that is none, Unavailable where others kept coming first, and whatever `work` raises.
    """
    if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise BadInput("Idempotency-Key", f"must be 1 to {MAX_KEY} printable characters of ASCII")
    hashed = services.pepper.hash_idempotency_key(owner, key)
    same = services.pepper.hash_request(request)

    async def attempt() -> Kept | RefusalAnswer:
        mine = IdempotencyRow(owner, hashed, same, new_token(), services.clock.now())
        known = await _claimed(services, mine)
        if known is not None:
            return _repeated(services, known, mine, key)
        try:
            return await _done(services, mine, key, work)
        except BaseException:
            async with services.db.writing() as tx:
                await idempotency.forget(tx, mine)
            raise

    # Not the database's uniqueness: what of that the work lets out is a defect, and is to be seen as one.
    return await settled(attempt, races=(Raced,))


async def _claimed(services: Services, mine: IdempotencyRow) -> IdempotencyRow | None:
    """Take the key; return None where it is ours now, else what is known. Raises Raced for one just given back."""
    async with services.db.writing() as tx:
        if await idempotency.claim(tx, mine):
            return None
        known = await idempotency.get(tx, mine.owner, mine.key_hash)
        if known is None:
            raise Raced
        dead = known.done_at is None and known.claimed_at + timedelta(seconds=CLAIM_SECONDS) <= mine.claimed_at
        if dead and known.request_hash == mine.request_hash:
            taken = await idempotency.take_over(tx, known, claim=mine.claim, at=mine.claimed_at)
            return None if taken else known
        if known.done_at is not None:
            await idempotency.touch(tx, known)
        return known


def _repeated(services: Services, known: IdempotencyRow, mine: IdempotencyRow, key: str) -> Kept | RefusalAnswer:
    if known.request_hash != mine.request_hash:
        return RefusalAnswer(Refusal.IDEMPOTENCY_KEY_REUSED, "", _CLAUSES)
    if known.answer is None or known.status is None:
        return RefusalAnswer(Refusal.REQUEST_IN_PROGRESS, "", _CLAUSES)
    return Kept(known.status, services.pepper.open_answer(known.owner, key, known.answer))


async def _done(services: Services, mine: IdempotencyRow, key: str, work: Callable[[], Awaitable[Kept]]) -> Kept:
    async with services.db.writing() as tx:
        with services.db.joined(tx):
            kept = await work()
        sealed = services.pepper.seal_answer(mine.owner, key, kept.body)
        if not await idempotency.finish(tx, mine, status=kept.status, answer=sealed, at=services.clock.now()):
            raise Raced
    return kept
