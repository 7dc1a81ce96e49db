"""Whether an update that was offered for payment is one of new functions at all (BC-16).

1. The customer may dispute it, once for each offer; no clock stops or moves for that.
2. A person finds whether it is free or paid, with his evidence, of the oldest dispute first; nothing else decides it.
3. What was found free is offered for payment no more; who finds otherwise later says so upon another dispute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord

_K = SupportEventKind


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute about an offered version; until `decided_at` it waits for a person, and `paid` is None."""

    version: str
    disputed_at: datetime
    decided_at: datetime | None = None
    paid: bool | None = None


def disputes_of(record: SupportRecord) -> tuple[Dispute, ...]:
    """Return the disputes of a request, oldest first."""
    found: list[Dispute] = []
    offer: SupportEvent | None = None
    for event in record.of(_K.UPDATE_OFFERED, _K.UPDATE_DISPUTED, _K.UPDATE_CLASSIFIED):
        if event.kind is _K.UPDATE_OFFERED:
            offer = event
        elif event.kind is _K.UPDATE_CLASSIFIED:
            found = _decided(found, event)
        elif offer is not None:
            found.append(Dispute(str(offer.details["version"]), event.at))
    return tuple(found)


def is_disputable(record: SupportRecord) -> bool:
    """Tell whether the newest offer is for payment and was not disputed (sentence 1)."""
    newest = record.last(_K.UPDATE_OFFERED, _K.UPDATE_DISPUTED)
    return newest is not None and newest.kind is _K.UPDATE_OFFERED and newest.details.get("paid") is True


def open_dispute(record: SupportRecord) -> Dispute | None:
    """Return the oldest dispute that waits for a person."""
    return next((one for one in disputes_of(record) if one.decided_at is None), None)


def is_found_free(record: SupportRecord, version: str) -> bool:
    """Tell whether the newest finding about a version says that it is free (sentence 3)."""
    decided = [one for one in disputes_of(record) if one.version == version and one.decided_at is not None]
    return bool(decided) and decided[-1].paid is False


def _decided(found: list[Dispute], event: SupportEvent) -> list[Dispute]:
    """Return disputes of which a person decided the oldest that was open."""
    waiting = next((one for one in found if one.decided_at is None), None)
    decided_at, paid = event.at, bool(event.details["paid"])
    return [replace(one, decided_at=decided_at, paid=paid) if one is waiting else one for one in found]
