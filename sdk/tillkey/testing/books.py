"""What the fake server remembers: plain rows in memory, which a test may copy as a backup."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

from tillkey.testing.terms import Terms, days_end, months_end
from tillkey.wire.license_key import normalize

if TYPE_CHECKING:
    from tillkey.testing.support import Said

LIVE, TOMBSTONE, CONSUMED = "live", "tombstone", "consumed"


@dataclass
class License:
    """One license sold; all times are epoch seconds, ends are exclusive, None is no end or has not happened."""

    id: str
    key: str = field(repr=False)
    product: str
    customer: str
    terms: Terms
    use_until: Optional[int]
    support_until: Optional[int]
    updates_until: Optional[int]
    refund_until: Optional[int]
    legal_hold_at: Optional[int] = None
    terminated_at: Optional[int] = None
    revoked_at: Optional[int] = None
    suspended_at: Optional[int] = None
    suspended_until: Optional[int] = None
    project: Optional[str] = None
    bound_at: Optional[int] = None
    takeovers: list[int] = field(default_factory=list)
    support: Optional[Said] = None


@dataclass
class Activation:
    """A license in use by one installation, with the tip of its chain."""

    id: str
    license: str
    product: str
    jkt: str
    project: str
    environment: str
    slot: str
    fingerprint: dict[str, str]
    started_at: int
    seq: int = 0
    nonce: str = field(default="", repr=False)
    nonces: dict[str, str] = field(default_factory=dict, repr=False)
    leased_at: int = 0
    ended_at: Optional[int] = None
    end_reason: Optional[str] = None
    forks: int = 0
    switches: int = 0


@dataclass(frozen=True)
class Step:
    """One step of a chain, found again by the installation's key and the ``rid``."""

    rid: str
    op: str
    activation: str
    seq: int
    nonce: str = field(repr=False)
    by_key: bool
    created: bool


@dataclass
class Ticket:
    """A move ticket; ``activation`` is the one it was asked on, None for an agent's."""

    license: str
    environment: str
    expires_at: int
    activation: Optional[str] = None
    used: bool = False


@dataclass
class Books:
    """Everything; licenses by the key's symbols, steps by key and ``rid``, tickets by their symbols."""

    licenses: dict[str, License] = field(default_factory=dict)
    activations: dict[str, Activation] = field(default_factory=dict)
    steps: dict[tuple[str, str], Step] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    installations: dict[str, str] = field(default_factory=dict)
    projects: dict[tuple[str, str], str] = field(default_factory=dict)

    def of_license(self, sold: License) -> Iterator[Activation]:
        """Yield a license's activations, the oldest first."""
        return (one for one in self.activations.values() if one.license == sold.id)

    def holders(self, sold: License) -> tuple[Activation, ...]:
        """Return who holds a license now."""
        return tuple(one for one in self.of_license(sold) if one.ended_at is None)

    def license_of(self, held: Activation) -> License:
        """Return an activation's license."""
        return next(one for one in self.licenses.values() if one.id == held.license)

    def end(self, held: Activation, reason: str, now: int) -> None:
        """End an activation; one that has ended keeps its end."""
        if held.ended_at is None:
            held.ended_at, held.end_reason = now, reason


def sell(key: str, product: str, customer: str, terms: Terms, now: int) -> License:
    """Return a license sold at ``now``, its clocks counted as its terms say; ``key`` is as people type it."""
    return License(
        id=str(uuid.uuid4()),
        key=normalize(key),
        product=product,
        customer=customer.casefold(),
        terms=terms,
        use_until=months_end(now, terms.use_months or None),
        support_until=months_end(now, terms.support_months),
        updates_until=months_end(now, terms.updates_months),
        refund_until=days_end(now, terms.refund_days),
    )
