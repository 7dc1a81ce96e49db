"""What a heartbeat costs the database, counted: at most three statements, and no lock."""

import pytest

from tests.support.premises import own_premises  # noqa: F401 - fixture
from tests.support.statements import counted, locks
from tests.support.till import RawTill, new_rid
from tillkey.wire.request import ClockReading, Heartbeat, open_request
from tillkey_server.usecases.answers import LeaseAnswer
from tillkey_server.usecases.heartbeat import heartbeat

MOST = 3


def beat_of(till, *, nonce=None, app_version="1.0"):
    held = till.held
    clock = ClockReading(wall=1, boottime=1, boot_id="boot")
    body = Heartbeat(held.sub, nonce or held.nonce, held.seq, till.fingerprint, app_version, clock)
    return open_request(till.sign(body, rid=new_rid()), aud=till.keyset.issuer)


async def holding(premises):
    async with premises.in_process() as http:
        till = RawTill(http, premises.keyset)
        await till.activate(premises.license().license_key)
        return till


@pytest.mark.clause("K-12")
async def test_a_plain_heartbeat_takes_at_most_three_statements_and_no_lock(own_premises):  # noqa: F811
    till = await holding(own_premises)
    async with own_premises.services() as services:
        with counted(services.db) as sent:
            answer = await heartbeat(services, beat_of(till))
    assert isinstance(answer, LeaseAnswer)
    assert [statement.split()[0] for statement in sent] == ["SELECT", "UPDATE", "INSERT"]
    assert len(sent) <= MOST
    assert locks(sent) == []


async def test_a_fork_takes_more_statements_and_on_postgresql_the_lock_of_the_chain(own_premises):  # noqa: F811
    till = await holding(own_premises)
    async with own_premises.services() as services:
        await heartbeat(services, beat_of(till))
        with counted(services.db) as sent:
            answer = await heartbeat(services, beat_of(till))
    assert isinstance(answer, LeaseAnswer)
    assert len(sent) > MOST
    assert len(locks(sent)) == (1 if own_premises.dialect == "postgresql" else 0), sent
