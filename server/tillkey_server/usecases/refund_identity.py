"""By what a customer is known again whose purchase was refunded, beside the account: keyed hashes, never an address."""

from __future__ import annotations

from dataclasses import dataclass, field

from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_policy import KnownBy
from tillkey_server.signing.pepper import Pepper
from tillkey_server.store.customers import CustomerRow

_EMAIL, _DOMAIN = "refund_email", "refund_domain"
"""What the hashes are for, so that they are equal to no other of the same words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The hashes that the terms ask for; None: they do not."""

    email: bytes | None = field(default=None, repr=False)
    domain: bytes | None = field(default=None, repr=False)


def identity_of(pepper: Pepper, customer: CustomerRow, policy: Policy) -> Identity:
    """Return by what a customer is known again under terms (CJ-05)."""
    asked = () if policy.refund is None else policy.refund.repurchase_known_by
    return Identity(
        pepper.hash_word(_EMAIL, customer.email_key) if KnownBy.EMAIL in asked else None,
        pepper.hash_word(_DOMAIN, customer.email_key.rpartition("@")[2]) if KnownBy.DOMAIN in asked else None,
    )
