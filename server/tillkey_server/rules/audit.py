"""The chain over the audit log: what a seal's hash covers, and what a flaw in the chain is called.

1. A seal covers one committed row of the log. Its hash is SHA-256 over `LINK`, the hash before it, and the canonical
   JSON of its own number, the time of sealing and every column of the row. The hash before the first is SHA-256 over
   `GENESIS` and the issuer, so that no chain can be passed off as another server's.
2. Numbers of seals have no gap. Rows may commit in another order than that of their ids: a late one is sealed later, so
   ids in the chain need not rise.
3. Canonical JSON is ASCII, without spaces, with sorted members. A column that is added to the log later is left out
   where it is null, so that hashes of before stay what they are.
4. A row that turns up behind its neighbours although the sealer was at work for `LATE` since its decision was put there
   by somebody: an honest transaction lasts seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

GENESIS = b"tillkey audit chain v1: genesis\0"
LINK = b"tillkey audit chain v1: link\0"
LATE = timedelta(hours=2)


class Flaw(StrEnum):
    """What can be wrong with the log. A seal that does not fit its row reads as a changed row: one of them was."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    INSERTED = "inserted"
    SEAL_MISSING = "seal_missing"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class BadRow:
    """The first place where the chain is not whole; `event_id` is None where no row is known for it."""

    flaw: Flaw
    seq: int | None
    event_id: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a chain has been walked: the last seal's number and hash, and what the next one is judged by."""

    seq: int
    hash: bytes
    highest_event: int = 0
    sealed_at: datetime | None = None
    sealed_before: datetime | None = None
    """The time of the last seal that was made in an earlier batch than `sealed_at`."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One seal and what its row says now: the columns as `link` takes them, None where the row is gone."""

    seq: int
    event_id: int
    hash: bytes
    sealed_at: datetime
    event: Mapping[str, object] | None
    event_at: datetime | None


def start(issuer: str) -> Position:
    """Return the place before the first seal of an issuer's chain."""
    return Position(0, hashlib.sha256(GENESIS + issuer.encode()).digest())


def link(previous: bytes, seq: int, sealed_at: datetime, event: Mapping[str, object]) -> bytes:
    """Return the hash of a seal (sentence 1). In: the columns by name, moments in seconds, ids as text."""
    told = {"seq": seq, "sealed_at": int(sealed_at.timestamp()), "event": event}
    canonical = json.dumps(told, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(LINK + previous + canonical.encode("ascii")).digest()


def fits(previous: bytes, sealed: Sealed, event: Mapping[str, object]) -> bool:
    """Tell whether a row is the one that was sealed; what JSON cannot say never was, since no server wrote it."""
    try:
        return link(previous, sealed.seq, sealed.sealed_at, event) == sealed.hash
    except (TypeError, ValueError, RecursionError):
        return False


def advance(position: Position, sealed: Sealed) -> Position | BadRow:
    """Return the place after the next seal, or what is wrong with it."""
    if sealed.seq != position.seq + 1:
        return BadRow(Flaw.SEAL_MISSING, position.seq + 1, None)
    if sealed.event is None:
        return BadRow(Flaw.REMOVED, sealed.seq, sealed.event_id)
    if not fits(position.hash, sealed, sealed.event):
        return BadRow(Flaw.CHANGED, sealed.seq, sealed.event_id)
    before = position.sealed_before if sealed.sealed_at == position.sealed_at else position.sealed_at
    if is_late(sealed.event_id, sealed.event_at, highest=position.highest_event, worked_at=before):
        return BadRow(Flaw.INSERTED, sealed.seq, sealed.event_id)
    highest = max(position.highest_event, sealed.event_id)
    return Position(sealed.seq, sealed.hash, highest, sealed.sealed_at, before)


def is_late(event_id: int, at: datetime | None, *, highest: int, worked_at: datetime | None) -> bool:
    """Tell whether a row came too late to be honest (sentence 4).

    In: the highest id that was sealed before it, and when the sealer was at work without finding it.
    """
    return event_id < highest and at is not None and worked_at is not None and worked_at - at > LATE
