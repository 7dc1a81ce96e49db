"""A write that is asked for twice happens once (I6), whatever dies in between."""

import asyncio

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound, Unavailable
from tillkey_server.ids import new_id, new_token
from tillkey_server.rules.decision import Refusal
from tillkey_server.store import customers
from tillkey_server.store import idempotency as stored
from tillkey_server.store.access_tables import idempotency
from tillkey_server.store.customers import CustomerRow
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.idempotency import CLAIM_SECONDS, Kept, once

OWNER = "owner"


class Writing:
    """Work that inserts one customer each time it is run."""

    def __init__(self, house):
        self.house = house
        self.runs = 0

    async def __call__(self):
        self.runs += 1
        address = f"{self.runs}@shop.example"
        row = CustomerRow(self.house.ids[self.runs], address, address, self.house.clock.now())
        async with self.house.services.db.writing() as tx:
            await customers.insert(tx, row)
        return Kept(201, f"answer {self.runs}".encode())

    async def effects(self):
        """Return how many of its customers are in the database."""
        async with self.house.services.db.reading() as tx:
            found = [await customers.by_id(tx, one) for one in self.house.ids]
        return sum(one is not None for one in found)


@pytest.fixture
def writing(house):
    house.ids = [new_id() for _ in range(10)]
    return Writing(house)


def asked(house, work, *, key="k-1", request=b"same", owner=OWNER):
    return once(house.services, owner=owner, key=key, request=request, work=work)


@pytest.mark.clause("I6")
async def test_the_same_key_and_request_give_the_same_answer_and_one_effect(house, writing):
    first, second = await asked(house, writing), await asked(house, writing)
    assert (first, second) == (Kept(201, b"answer 1"), Kept(201, b"answer 1"))
    assert (writing.runs, await writing.effects()) == (1, 1)


@pytest.mark.clause("I6")
async def test_another_request_under_the_key_is_refused(house, writing):
    await asked(house, writing)
    refused = await asked(house, writing, request=b"other")
    assert isinstance(refused, RefusalAnswer)
    assert refused.decision_code is Refusal.IDEMPOTENCY_KEY_REUSED
    assert await writing.effects() == 1


async def test_another_owner_may_use_the_same_key(house, writing):
    await asked(house, writing)
    assert await asked(house, writing, owner="other") == Kept(201, b"answer 2")


async def test_while_the_first_runs_another_is_told_to_wait(house, writing):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow():
        begun.set()
        await go_on.wait()
        return await writing()

    # Only the claim is on disk yet: on SQLite the transaction that follows would hold the one lock.
    hashed = house.services.pepper.hash_idempotency_key(OWNER, "k-1")
    first = asyncio.create_task(_claimed_only(house, hashed, begun, go_on, writing))
    await begun.wait()
    refused = await asked(house, slow)
    go_on.set()
    await first
    assert isinstance(refused, RefusalAnswer)
    assert refused.decision_code is Refusal.REQUEST_IN_PROGRESS


async def _claimed_only(house, hashed, begun, go_on, writing):
    """Claim the key as an attempt does, and go no further before `go_on`."""
    same = house.services.pepper.hash_request(b"same")
    row = stored.IdempotencyRow(OWNER, hashed, same, new_token(), house.clock.now())
    async with house.services.db.writing() as tx:
        assert await stored.claim(tx, row)
    begun.set()
    await go_on.wait()
    return row


async def test_an_attempt_that_died_is_taken_over_after_a_minute_and_not_before(house, writing):
    free = asyncio.Event()
    free.set()
    await _claimed_only(house, house.services.pepper.hash_idempotency_key(OWNER, "k-1"), asyncio.Event(), free, writing)
    house.clock.turn(seconds=CLAIM_SECONDS - 1)
    early = await asked(house, writing)
    house.clock.turn(seconds=1)
    assert isinstance(early, RefusalAnswer)
    assert await asked(house, writing) == Kept(201, b"answer 1")


async def test_an_attempt_that_wakes_up_after_it_was_taken_over_commits_nothing(house, writing):
    async def asleep():
        kept = await writing()
        async with house.services.db.writing() as tx:
            # What a later attempt does in its own transaction, at the moment when it hurts most.
            await tx.execute(update(idempotency).values(claim="x" * 22))
        return kept

    with pytest.raises(Unavailable):
        await asked(house, asleep)
    assert await writing.effects() == 0


async def test_an_attempt_that_was_taken_over_answers_as_one_that_comes_later(house, writing):
    async def asleep():
        kept = await writing()
        if writing.runs == 1:
            async with house.services.db.writing() as tx:
                await tx.execute(update(idempotency).values(claim="x" * 22))
        return kept

    assert await asked(house, asleep) == Kept(201, b"answer 2")
    assert await writing.effects() == 1


async def test_a_key_that_is_given_back_while_another_asks_for_it_is_asked_for_again(house, writing, monkeypatch):
    free = asyncio.Event()
    free.set()
    await _claimed_only(house, house.services.pepper.hash_idempotency_key(OWNER, "k-1"), asyncio.Event(), free, writing)
    known = stored.get

    async def given_back(tx, owner, key_hash):
        # Between the insert that found the key and this look at it: its attempt failed, and forgot it.
        await tx.execute(delete(idempotency))
        monkeypatch.setattr(stored, "get", known)
        return await known(tx, owner, key_hash)

    monkeypatch.setattr(stored, "get", given_back)
    refused = await asked(house, writing)
    assert isinstance(refused, RefusalAnswer)
    assert refused.decision_code is Refusal.REQUEST_IN_PROGRESS


async def test_what_the_work_runs_into_by_a_defect_is_not_called_a_race(house, writing):
    async def twice():
        await writing()
        writing.runs -= 1
        return await writing()

    with pytest.raises(IntegrityError):
        await asked(house, twice)
    assert await writing.effects() == 0


@pytest.mark.parametrize("error", [BadInput("name", "is wrong"), NotFound("license", "x"), BrokenInvariant("never")])
async def test_what_failed_left_nothing_and_may_be_sent_again(house, writing, error):
    async def failing():
        await writing()
        raise error

    with pytest.raises(type(error)):
        await asked(house, failing)
    assert await writing.effects() == 0
    assert await asked(house, writing) == Kept(201, b"answer 2")


async def test_an_answer_is_kept_encrypted_and_opens_only_under_its_own_key(house, writing):
    async def secret():
        return Kept(201, b'{"license_key":"POS-SECRET"}')

    await asked(house, secret)
    async with house.services.db.reading() as tx:
        row = (await tx.execute(select(idempotency))).one()
    assert b"POS" not in row.answer
    with pytest.raises(BrokenInvariant):
        house.services.pepper.open_answer(OWNER, "k-2", row.answer)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "é"])
async def test_a_key_that_is_none_is_refused_by_name(house, writing, key):
    with pytest.raises(BadInput, match="Idempotency-Key"):
        await asked(house, writing, key=key)


@pytest.mark.clause("I6")
async def test_twenty_at_once_have_one_effect(house, writing):
    answers = await asyncio.gather(*(asked(house, writing) for _ in range(20)))
    done = [one for one in answers if isinstance(one, Kept)]
    waiting = [one.decision_code for one in answers if isinstance(one, RefusalAnswer)]
    assert set(done) == {Kept(201, b"answer 1")}
    assert set(waiting) <= {Refusal.REQUEST_IN_PROGRESS}
    assert await writing.effects() == 1
