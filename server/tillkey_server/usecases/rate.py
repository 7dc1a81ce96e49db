"""Counting who asks how often, in the database: every process counts in the same place (`rules.rate`)."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.rate import Limit, decide_rate
from tillkey_server.store import rates
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.services import Services

_IPV6_SITE_BITS = 64


async def take(services: Services, limit: Limit, subject: str) -> int:
    """Count a question in a transaction of its own; return 0 where it is allowed, else the seconds to wait.

    Who is over the limit is told so without a write: a flood must not queue up with the tills' writes.
    """
    bucket = services.pepper.hash_bucket(limit.scope, subject)
    async with services.db.reading() as tx:
        known = decide_rate(await rates.due(tx, bucket), limit, services.clock.now())
    if not known.allowed:
        return max(1, known.wait)
    async with services.db.writing() as tx:
        return await take_in(services, tx, limit, subject)


async def take_in(services: Services, tx: AsyncConnection, limit: Limit, subject: str) -> int:
    """Count a question as a part of another transaction; return as `take` does."""
    bucket = services.pepper.hash_bucket(limit.scope, subject)
    now = services.clock.now()
    if await rates.take(tx, bucket, limit, now):
        return 0
    return max(1, decide_rate(await rates.due(tx, bucket), limit, now).wait)


def refused(services: Services, wait: int) -> RefusalAnswer:
    """Return the no to somebody who asks too often: unsigned, so that it changes nothing for a till."""
    retry_at = services.clock.now() + timedelta(seconds=wait)
    return RefusalAnswer(Refusal.RATE_LIMITED, f"Ask again in {wait} s.", retry_at=retry_at)


def site_of(address: str) -> str:
    """Return what is counted as one asker: an IPv4 address, the /64 of an IPv6 address, or the text as it stands."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, _IPV6_SITE_BITS), strict=False))
    return str(parsed)
