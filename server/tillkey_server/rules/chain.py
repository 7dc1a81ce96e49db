"""The heartbeat chain: how a copy gives itself away, and an honest restore does not (PROTOCOL section 5).

The activation is live, its row is locked, and an ended or suspended license got its statement before. In this order:

1. (a) A known `rid` that is the last step's, with the same op, activation and way of naming the license, is that step
   again: same `seq`, same `nonce`, nothing is written.
2. (b) Any other known `rid` (an older step's, or one with another op, activation or license key) is stale: no alarm, no
   step.
3. (c) The current nonce is a step: `seq + 1` and a new nonce. It may be tested first only where the `rid` is known to
   be new.
4. (d) A nonce that was issued earlier is a fork and a step. The old tip's nonce becomes a tombstone.
5. Presenting a tombstone consumes it and counts a switch, besides the fork. A consumed one is a fork and no further
   switch.
6. An `activate` with the license key by the installation that holds it shows no nonce: a fork and a step.
7. (e) A nonce that is unknown: the till is told to rebind, which is an `activate` with its last lease.
8. In that `activate` a lease that the database does not know means that the server lost history: it is adopted, one
   above both `seq`, and nobody is blamed. The same for an activation that is not on record at all.
9. Where another activation holds the license by then, the later `iat` stays. At the same second it is the lease that
   the database lost: what it still knows was there before (a license that moves does so within a second).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.decision import Refusal


class Op(StrEnum):
    """The ops that take a step. `deactivate` takes none: see `release`."""

    ACTIVATE = "activate"
    HEARTBEAT = "heartbeat"
    MOVE = "move"


class NonceState(StrEnum):
    """What an issued nonce is to the chain; one that is current is `live` too."""

    LIVE = "live"
    TOMBSTONE = "tombstone"
    CONSUMED = "consumed"


class Row(StrEnum):
    """The rows of the protocol's table, and the adoption of a lease that the server forgot."""

    REPLAY = "a"
    STALE = "b"
    STEP = "c"
    FORK = "d"
    REBIND = "e"
    ADOPT = "adopt"


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """The chain's tip: the activation, its last step's `seq` and `nonce`."""

    activation_id: UUID
    seq: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Presented:
    """What the request shows.

    `activation_id`: the one it names (heartbeat, move), its lease names, or that this installation holds of the named
    license; None where it holds none. `nonce` is None for an `activate` with the license key. `lease_seq` is the `seq`
    of the lease in an `activate`, else None.
    """

    op: Op
    activation_id: UUID | None
    nonce: str | None = None
    lease_seq: int | None = None


@dataclass(frozen=True, slots=True)
class SeenRid:
    """The step that this installation key's `rid` made.

    `is_last`: it is its activation's last step. `same_key`: request and step name the license alike, both by the
    license key or both without it.
    """

    is_last: bool
    op: str
    activation_id: UUID
    same_key: bool


@dataclass(frozen=True, slots=True)
class IssuedNonce:
    """The presented nonce was issued in this activation."""

    state: NonceState


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """Which row applies and what to write.

    `seq`: of the step to write, or of the step to tell again (a); None where there is no step. `tombstone`: the nonce
    to mark as a tombstone. `consumed`: the tombstone to mark as consumed. `fork` and `switch`: the events to record.
    """

    row: Row
    seq: int | None = None
    tombstone: str | None = None
    consumed: str | None = None
    fork: bool = False
    switch: bool = False

    @property
    def is_step(self) -> bool:
        """Tell whether a new step (lease row, nonce) is to be written."""
        return self.row in {Row.STEP, Row.FORK, Row.ADOPT}

    @property
    def refusal(self) -> Refusal | None:
        """Return the code of the signed refusal, or None where a lease follows."""
        return {Row.STALE: Refusal.STALE_REQUEST, Row.REBIND: Refusal.REBIND_REQUIRED}.get(self.row)


def judge_rid(chain: ChainFacts | None, presented: Presented, seen: SeenRid | None) -> ChainVerdict | None:
    """Return the verdict of a known `rid` (sentences 1 and 2), or None for a new one.

    A use case asks this first, before it decides an activation: a replay is told again whatever the seat looks like
    now.
    """
    if seen is None:
        return None
    same = seen.op == presented.op and seen.activation_id == presented.activation_id and seen.same_key
    if chain is None or not same or not seen.is_last:
        return ChainVerdict(Row.STALE)
    return ChainVerdict(Row.REPLAY, seq=chain.seq)


def judge(
    chain: ChainFacts | None,
    presented: Presented,
    seen: SeenRid | None,
    issued: IssuedNonce | None,
) -> ChainVerdict:
    """Judge a request by the chain; see the module's sentences.

    `chain` is None only for an `activate` with the lease of an activation that is not on record. `issued` is the record
    of the presented nonce in this activation, None for an unknown one. Raises `BrokenInvariant` where a request without
    a nonce, or a heartbeat, meets no chain: such a one has been refused before.
    """
    known = judge_rid(chain, presented, seen)
    if known is not None:
        return known
    if chain is None:
        return _adopt(0, presented)
    if presented.nonce is None:
        return ChainVerdict(Row.FORK, chain.seq + 1, tombstone=chain.nonce, fork=True)
    if presented.nonce == chain.nonce:
        return ChainVerdict(Row.STEP, chain.seq + 1)
    if issued is not None:
        return _fork(chain, presented.nonce, issued)
    if presented.op is Op.ACTIVATE:
        return _adopt(chain.seq, presented)
    return ChainVerdict(Row.REBIND)


def lease_stays(lease_iat: datetime, holder_iat: datetime) -> bool:
    """Tell whether an adopted lease keeps the license against another activation's latest lease (sentence 9)."""
    return lease_iat >= holder_iat


def _fork(chain: ChainFacts, nonce: str, issued: IssuedNonce) -> ChainVerdict:
    switch = issued.state is NonceState.TOMBSTONE
    return ChainVerdict(
        Row.FORK,
        chain.seq + 1,
        tombstone=chain.nonce,
        consumed=nonce if switch else None,
        fork=True,
        switch=switch,
    )


def _adopt(seq: int, presented: Presented) -> ChainVerdict:
    if presented.op is not Op.ACTIVATE or presented.lease_seq is None:
        raise BrokenInvariant("only an activate with a lease is adopted")
    return ChainVerdict(Row.ADOPT, max(seq, presented.lease_seq) + 1)
