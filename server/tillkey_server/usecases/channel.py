"""What a sales channel tells of a payment: its own name, the number that it knows it by, and when it was paid."""

from __future__ import annotations

from datetime import UTC, datetime

from tillkey_server.errors import BadInput
from tillkey_server.rules.order_line import DIRECT, TRIAL

MAX_NUMBER = 100
MAX_CHANNEL = 64
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing was paid or published before; further back a calendar of another time zone ends."""
RESERVED = frozenset({DIRECT, TRIAL})
"""The channels whose numbers the server makes itself."""


def channel_of(text: str) -> str:
    """Return the name of a channel that tells a payment. Raises BadInput."""
    if text.strip() in RESERVED:
        raise BadInput("channel", f"must be none of {', '.join(sorted(RESERVED))}: the server numbers those itself")
    return _word("channel", text, MAX_CHANNEL)


def number_of(text: str) -> str:
    """Return the number that a channel knows a payment by. Raises BadInput."""
    return _word("number", text, MAX_NUMBER)


def paid_at_of(told: datetime | None, now: datetime) -> datetime:
    """Return when the money came; None is now. Raises BadInput."""
    check_past("paid_at", told or now, now, "give the time at which the money came")
    return told or now


def check_past(field: str, at: datetime, now: datetime, mend: str) -> None:
    """Raise BadInput, telling the mend, for an instant that lies ahead or too far back."""
    if not EARLIEST <= at <= now:
        raise BadInput(field, f"lies ahead, or before {EARLIEST.year}: {mend}")


def _word(field: str, text: str, most: int) -> str:
    word = text.strip()
    if not (word and len(word) <= most and word.isprintable()):
        raise BadInput(field, f"must be 1 to {most} printable characters")
    return word
