"""Requests about a matter that the customer caused himself (NX-29).

1. Each request about the matter that was closed as the customer's own doing counts, at the instant of its closing. A
   matter is the customer's, whichever of its licenses and installations it is told of, and none of another customer's.
2. Once the vendor's own change brings the matter back, what was counted before counts no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tillkey_server.rules.support_record import SupportEvent, SupportEventKind

CUSTOMER_ACTION = "customer_action"
"""The cause that a request is closed with where it was the customer's own doing."""
VENDOR_FAULT = "vendor"
"""The cause that a request is closed with where the vendor's own change brought a matter back."""


def self_inflicted(events: Iterable[SupportEvent]) -> tuple[datetime, ...]:
    """Return when a matter was closed as the customer's own doing, oldest first; `events` are those of all requests."""
    closings = sorted((one for one in events if one.kind is SupportEventKind.CLOSED), key=lambda one: one.at)
    counted: list[datetime] = []
    for one in closings:
        cause = one.details.get("cause")
        if cause == VENDOR_FAULT:
            counted.clear()
        elif cause == CUSTOMER_ACTION:
            counted.append(one.at)
    return tuple(counted)
