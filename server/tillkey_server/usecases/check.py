"""Whether a license key is known and usable: no personal data, and one answer for unknown and foreign keys (X-11)."""

from __future__ import annotations

from dataclasses import dataclass

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import normalize
from tillkey_server.rules.rate import LICENSE_KEY_GUESSES
from tillkey_server.rules.standing import standing
from tillkey_server.store import licenses, products
from tillkey_server.usecases import rate
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.services import Services


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`code` is the refusal that use of a known license would meet, None while it is usable or where it is unknown."""

    known: bool
    usable: bool
    code: str | None


_UNKNOWN = CheckResult(known=False, usable=False, code=None)


async def check(services: Services, license_key: str, product: str, address: str = "") -> CheckResult | RefusalAnswer:
    """Tell how a license key of a product stands.

    `address` is where the question comes from: unknown keys are counted by it, known ones are answered whatever else
    came from there.
    """
    found = await _look(services, license_key, product)
    if not found.known:
        wait = await rate.take(services, LICENSE_KEY_GUESSES, rate.site_of(address))
        if wait:
            return rate.refused(services, wait)
    return found


async def _look(services: Services, license_key: str, product: str) -> CheckResult:
    try:
        body = normalize(license_key)
    except WireError:
        return _UNKNOWN
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await licenses.by_key_hash(tx, services.pepper.hash_key(body))
        sold = await products.by_code(tx, product)
        if row is None or sold is None or row.product_id != sold.id:
            return _UNKNOWN
        policy = await services.policies.of(tx, row.policy_ref)
    found = standing(row.facts, policy, now)
    return CheckResult(known=True, usable=found.refusal is None, code=found.refusal and found.refusal.value)
