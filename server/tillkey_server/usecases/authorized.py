"""Who is authorized to sell, to repair and to serve: by today's terms beside those that a license was sold under."""

from __future__ import annotations

from tillkey_server.errors import NotFound
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.warranty import Lists
from tillkey_server.rules.warranty_policy import Partner
from tillkey_server.usecases.services import Services


def lists_of(services: Services, policy: Policy) -> Lists:
    """Return who is authorized by today's terms of the same name, beside those of the sale (K-09: better counts)."""
    current = _current(services, policy)
    if current is None or current.warranty is None:
        return Lists()
    return Lists(current.warranty.installers, current.warranty.channels)


def partners_of(services: Services, policy: Policy) -> tuple[Partner, ...]:
    """Return who serves customers in the vendor's place by today's terms, or by those of the sale."""
    current = _current(services, policy)
    newest = policy if current is None or current.warranty is None else current
    return () if newest.warranty is None else newest.warranty.partners


def _current(services: Services, policy: Policy) -> Policy | None:
    try:
        return services.policies.offered(policy.name)
    except NotFound:
        return None
