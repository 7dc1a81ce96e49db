"""Refunds at the same instant as whatever else may happen to a license: one comes first, and the money is right.

`make races` runs each ten thousand times.
"""

import asyncio
import os
from uuid import UUID

import pytest
from sqlalchemy import func, select

from tests.support.premises import premises, servers  # noqa: F401 - fixtures
from tests.support.race import ROUNDS
from tests.support.server import IssuedKey
from tests.support.till import RawTill
from tests.support.volley import shot, taking, volley
from tillkey.wire.request import ClockReading, Heartbeat
from tillkey_server.money import Money
from tillkey_server.store import balances, leases, licenses, tables
from tillkey_server.usecases import license as issuing
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.balance import spend_balance
from tillkey_server.usecases.refund import decide_pending, request_refund
from tillkey_server.usecases.refund_asking import Asking
from tillkey_server.usecases.refund_payout import pay_out, payout_failed

PRODUCT = "nexopos-multistore"
AGENT = "agent:test"


async def sell(services):
    """Sell a license whose refund goes to the balance of a customer of its own."""
    email = f"{os.urandom(6).hex()}@shop.example"
    issued = await issuing.issue(services, product=PRODUCT, customer_email=email, actor=AGENT)
    return IssuedKey(str(issued.licenses[0].license_id), issued.licenses[0].license_key)


async def mistaken(services, sold):
    return await request_refund(services, UUID(sold.license_id), Asking(("mistake",)), actor=AGENT)


def codes(answers):
    """Return the code of each answer, granted or refused."""
    return sorted(str(one.decision_code if isinstance(one, RefusalAnswer) else one["code"]) for one in answers)


async def looked_at(services, sold):
    """Return a license, how many hold it, and what its owner has to the credit."""
    async with services.db.reading() as tx:
        row = await licenses.by_id(tx, UUID(sold.license_id))
        held = tables.activation.c
        active = select(func.count()).where(held.license_id == row.id, held.ended_at.is_(None))
        count = (await tx.execute(active)).scalar_one()
        return row, count, (await balances.sums(tx, row.customer_id)).get("USD", 0)


@pytest.mark.clause("NX-33", "K-11", "X-10")
async def test_of_a_refund_and_an_activation_at_once_the_first_one_wins(premises, servers):  # noqa: F811
    """I1, I3, I7: a license is refunded and never activated, or activated and not refunded; nothing in between."""
    async with premises.services() as agent:
        for n in range(ROUNDS):
            sold = await sell(agent)
            till = RawTill(None, premises.keyset, product=PRODUCT)
            request = shot(till, servers[n % 2], taking(till, sold.license_key))
            done, [reply] = await asyncio.gather(mistaken(agent, sold), volley([request]))
            row, active, credit = await looked_at(agent, sold)
            if isinstance(done, RefusalAnswer):
                assert (codes([done]), reply.status) == (["ref_denied_mistake_activated"], 201)
                assert (row.refunded_at, active, credit) == (None, 1, 0)
            else:
                assert (reply.status, reply.code) == (403, "license_revoked")
                assert (row.refunded_at is not None, active, credit) == (True, 0, 7900)


@pytest.mark.clause("X-10", "K-07")
async def test_of_two_refunds_asked_for_at_once_one_is_paid(premises):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            sold = await sell(ours)
            answers = await asyncio.gather(*(mistaken(one, sold) for one in (ours, theirs, ours, theirs)))
            assert codes(answers) == ["ref_denied_already_refunded"] * 3 + ["ref_granted_mistake"]
            assert (await looked_at(ours, sold))[1:] == (0, 7900)


@pytest.mark.clause("X-10", "NX-31")
async def test_two_who_decide_at_once_decide_once_and_two_who_ask_at_once_ask_once(premises):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            sold = await sell(ours)
            asking = Asking(("my_own_word",))
            asked = await asyncio.gather(
                *(request_refund(one, UUID(sold.license_id), asking, actor=AGENT) for one in (ours, theirs))
            )
            assert len({one["id"] for one in asked}) == 1
            refund_id = UUID(asked[0]["id"])
            answers = await asyncio.gather(
                *(decide_pending(one, refund_id, grant=True, reason="good", actor=AGENT) for one in (ours, theirs))
            )
            assert codes(answers) == ["ref_granted_by_person", "ref_not_pending"]
            assert (await looked_at(ours, sold))[2] == 7900


@pytest.mark.clause("NX-36", "K-12", "X-04")
async def test_no_lease_outlives_what_a_refund_told_and_none_comes_after_it(premises, servers):  # noqa: F811
    """I3: every lease that was committed before is behind the refund, and none comes after."""
    async with premises.services() as agent:
        for n in range(ROUNDS):
            sold = await sell(agent)
            till = RawTill(None, premises.keyset, product=PRODUCT)
            await volley([shot(till, servers[0], taking(till, sold.license_key))])
            asked = await request_refund(agent, UUID(sold.license_id), Asking(("my_own_word",)), actor=AGENT)
            held = till.held
            beat = Heartbeat(held.sub, held.nonce, held.seq, till.fingerprint, "1.0", ClockReading(1, 1000, "boot-1"))
            done, _ = await asyncio.gather(
                decide_pending(agent, UUID(asked["id"]), grant=True, reason="good", actor=AGENT),
                volley([shot(till, servers[n % 2], beat)]),
            )
            async with agent.db.reading() as tx:
                latest = await leases.latest_exp_of_license(tx, UUID(sold.license_id))
            assert done["granted"]["effective_latest_at"] == latest.strftime("%Y-%m-%dT%H:%M:%SZ")
            [after] = await volley([shot(till, servers[n % 2], beat)])
            assert after.code == "activation_released"


@pytest.mark.clause("NX-31", "K-07", "X-10")
async def test_a_balance_that_several_spend_at_once_never_falls_below_nothing(premises):  # noqa: F811
    async with premises.services() as ours, premises.services() as theirs:
        for n in range(ROUNDS):
            sold = await sell(ours)
            customer = UUID((await mistaken(ours, sold))["customer_id"])
            spending = (
                spend_balance(one, customer, amount=Money(3000, "USD"), reference=f"{n}-{k}", actor=AGENT)
                for k, one in enumerate((ours, theirs, ours, theirs))
            )
            answers = await asyncio.gather(*spending)
            assert [isinstance(one, RefusalAnswer) for one in answers].count(True) == 2
            assert (await looked_at(ours, sold))[2] == 1900


@pytest.mark.clause("NX-36", "X-10")
async def test_a_payout_that_is_done_and_fails_at_once_is_closed_in_some_order(premises):  # noqa: F811
    """The money is there and the license ended, or neither: an entry and its reversal at most once each."""
    async with premises.services() as ours, premises.services() as theirs:
        for _ in range(ROUNDS):
            sold = await sell(ours)
            refund_id = UUID((await mistaken(ours, sold))["id"])
            answers = await asyncio.gather(
                pay_out(ours, refund_id, actor=AGENT),
                payout_failed(theirs, refund_id, failure="closed", actor=AGENT),
                payout_failed(ours, refund_id, failure="closed", actor=AGENT),
            )
            refused = [one for one in answers if isinstance(one, RefusalAnswer)]
            assert {str(one.decision_code) for one in refused} == {"ref_payout_closed"}
            row, _, credit = await looked_at(ours, sold)
            assert (row.refunded_at, credit) == (None, 0)
