"""What is asked when a refund is, as callers give it, as the rule takes it, and as its row keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tillkey_server.errors import BadInput
from tillkey_server.rules.decision import instant
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.refund_facts import Asked, Item

MAX_REASONS = 20


@dataclass(frozen=True, slots=True)
class Asking:
    """A request for a refund as a caller gives it; `received_at` is when the customer's message came (None: now).

    `support_request_id` is the request for support that it rests on; `renewal_id` names the one renewal that is asked
    back, and goes with `Item.RENEWAL` alone. `reasons` are the customer's, `found` those that
    a person of the vendor's found true, `findings` what was found of the software. `written_at` is when it was asked
    for in writing, where that was not with the first message.
    """

    reasons: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    item: Item = Item.PRODUCT
    support_request_id: UUID | None = None
    received_at: datetime | None = None
    sender_verified: bool | None = None
    by_email: bool = False
    written_at: datetime | None = None
    order_number: str | None = None
    explanation: str | None = field(default=None, repr=False)
    renewal_id: UUID | None = None

    def at(self, now: datetime) -> Asked:
        """Return it as the rule takes it. Raises BadInput, naming the field."""
        if self.received_at is not None and self.received_at > now:
            raise BadInput("received_at", "lies ahead: give the time at which the customer's message came")
        if len(self.reasons) + len(self.found) > MAX_REASONS:
            raise BadInput("reasons", f"are {MAX_REASONS} at most")
        if (self.renewal_id is None) == (self.item is Item.RENEWAL):
            raise BadInput("renewal", "names the renewal that is asked back, and goes with no other item")
        return Asked(
            asked_at=self.received_at or now,
            reasons=self.reasons,
            found=self.found,
            findings=frozenset(self.findings),
            item=self.item,
            sender_verified=self.sender_verified,
            by_email=self.by_email,
            written_at=self.written_at,
            order_number=self.order_number,
            explanation=self.explanation,
        )

    def kept(self) -> dict[str, object]:
        """Return it as its row keeps it, without when it came."""
        return {
            "reasons": list(self.reasons),
            "found": list(self.found),
            "findings": [one.value for one in self.findings],
            "item": self.item.value,
            "support_request_id": None if self.support_request_id is None else str(self.support_request_id),
            "sender_verified": self.sender_verified,
            "by_email": self.by_email,
            "written_at": instant(self.written_at),
            "order_number": self.order_number,
            "explanation": self.explanation,
            "renewal_id": None if self.renewal_id is None else str(self.renewal_id),
        }


def asking_of(kept: Mapping[str, Any], received_at: datetime) -> Asking:
    """Return what a row keeps."""
    named, renewal = kept["support_request_id"], kept.get("renewal_id")
    return Asking(
        reasons=tuple(kept["reasons"]),
        found=tuple(kept["found"]),
        findings=tuple(Finding(one) for one in kept["findings"]),
        item=Item(kept["item"]),
        support_request_id=None if named is None else UUID(named),
        received_at=received_at,
        sender_verified=kept["sender_verified"],
        by_email=kept["by_email"],
        written_at=_instant_of(kept.get("written_at")),
        order_number=kept["order_number"],
        explanation=kept["explanation"],
        renewal_id=None if renewal is None else UUID(renewal),
    )


def item_of(told: Item, renewal_id: UUID | None) -> Item:
    """Return what is asked back: naming a renewal says it already."""
    return Item.RENEWAL if renewal_id is not None and told is Item.PRODUCT else told


def _instant_of(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


def is_the_same(kept: Mapping[str, Any], asking: Asking) -> bool:
    """Tell whether an open request is about the same: the same thing, for the same reasons."""
    named = asking.kept()
    # Rows of older code name no renewal.
    return all(kept.get(name) == named[name] for name in ("reasons", "item", "support_request_id", "renewal_id"))
