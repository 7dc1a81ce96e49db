"""The client's side of the protocol as a state machine without I/O, time or randomness (PROTOCOL sections 3 to 5).

Each verb is a generator of ``effects`` that returns an ``Outcome``; whoever drives it does the I/O, under the state
folder's lock.

1. What is pending is settled first: sent again with its ``rid``, since the server may have taken the step. The same
   content keeps its ``rid``. Evidence that changes by itself (clocks, fingerprint, versions) is not content: a new
   ``rid`` with an old nonce would look like a copy. An ``activate`` by hand replaces what is pending, since a person
   has changed their mind.
2. ``activate`` on a till that holds a lease for that license, project and environment is a heartbeat, and where that
   does not reach the server the till goes on with what it holds (``holds``).
3. ``stale_request`` (signed): drop the ``rid`` and draw anew. ``rebind_required`` (signed) or
   ``unknown_installation`` (a hint): activate with the last lease. A genuine answer that is not newer: the server
   went back; drop the ``rid`` and rebind.
4. ``installation_key_in_use`` (signed): make a new key and ask once more. The old key stays until the new one is
   granted something.
5. A signed end of the activation ends the call, also one of ``activate``: a superseded till does not take the seat
   back by itself.
6. Anything unsigned or not for this request ends the call, and what was asked stays pending: it may be another
   server's word, and the seat may be taken already. An activation is forgotten on the unsigned ``license_invalid``,
   which is what a server tells a stranger, and where it keeps another call from what the till holds.
7. A call sends at most ``MAX_ROUNDS`` signed requests.
"""

from __future__ import annotations

import hashlib
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Optional, Union

from tillkey import state as states
from tillkey import trust as trusts
from tillkey._constants import MAX_ROUNDS
from tillkey.effects import (
    Answer,
    Declined,
    Draw,
    Effect,
    Flow,
    Granted,
    Nothing,
    Outcome,
    Released,
    Result,
    Unreached,
    WentBack,
)
from tillkey.exchange import Exchange, draw_rid
from tillkey.fingerprint import license_value
from tillkey.state import Pending, State
from tillkey.verdict import Evidence
from tillkey.wire import strict_json
from tillkey.wire.answers import ENDING_CODES

_GONE = frozenset({"activation_superseded", "activation_released"})
_CHAINED = frozenset({states.HEARTBEAT, states.MOVE, states.REBIND})
_SEED_BYTES = 32

_NextRequest = Generator[Effect, Any, Optional[Pending]]


@dataclass(frozen=True)
class Ask:
    """What a person asks of ``activate``.

    ``license_key`` is normalized (``wire.license_key``), ``project`` as it was typed.
    """

    license_key: str = field(repr=False)
    environment: str
    project: Optional[str] = None
    site: Optional[str] = None
    move_ticket: Optional[str] = field(default=None, repr=False)

    def content(self) -> str:
        """Return what tells one request from another, without the key in clear."""
        asked = [self.license_key, self.project, self.environment, self.site, self.move_ticket]
        return hashlib.sha256(strict_json.dumps(asked)).hexdigest()


def activate(exchange: Exchange, ask: Ask, *, spare_seed: Optional[bytes] = None) -> Flow:
    """Take the license into use, or beat where this till holds it.

    ``spare_seed`` is the key that the folder's other products have.
    """
    return _run(exchange, _Activation(exchange, ask, spare_seed))


def holds(held: State, evidence: Evidence, ask: Ask) -> bool:
    """Tell whether the till may go on with what it holds where ``activate`` did not reach the server.

    That takes a lease which is verified, this installation's, for that license, project and environment, and not
    ended by a signed statement.
    """
    lease, statement = evidence.lease, evidence.statement
    if lease is None or (lease.jkt, lease.aud) != (evidence.jkt, evidence.product):
        return False
    return _is_asked(held, ask) and (statement is None or statement.code not in ENDING_CODES)


def heartbeat(exchange: Exchange) -> Flow:
    """Renew the lease, or settle what is pending."""
    return _run(exchange, _Beat(exchange))


def move(exchange: Exchange, environment: str) -> Flow:
    """Ask for the ticket with which another installation takes the license to ``environment``."""
    return _run(exchange, _Moving(exchange, environment))


def deactivate(exchange: Exchange) -> Flow:
    """Give the license back; works whatever state the license is in (NX-50)."""
    return _run(exchange, _Deactivation(exchange))


def _run(exchange: Exchange, goal: _Goal) -> Flow:
    """Ask and react until the goal is reached, refused or out of reach."""
    pending = yield from goal.following()
    renewed = False
    for _ in range(MAX_ROUNDS):
        if pending is None:
            return Outcome(exchange.state, Nothing())
        answer = yield from exchange.ask(pending)
        if isinstance(answer, (Granted, Released)) and goal.reached(pending, answer):
            return Outcome(exchange.state, answer)
        if _wants_new_key(pending, answer) and not renewed:
            renewed = True
            pending = replace(pending, rid=(yield from draw_rid()), seed=(yield Draw(_SEED_BYTES)))
            continue
        steered = yield from _steer(exchange, goal, pending, answer)
        if not isinstance(steered, Pending):
            return Outcome(exchange.state, steered)
        pending = steered
    return Outcome(exchange.state, Unreached("gave_up", f"no end after {MAX_ROUNDS} requests"))


def _wants_new_key(asked: Pending, answer: Answer) -> bool:
    """Tell whether another activation holds the installation key (rule 4).

    A key made for that purpose is not replaced again.
    """
    if not isinstance(answer, Declined) or answer.code != "installation_key_in_use" or answer.statement is None:
        return False
    return asked.kind == states.ACTIVATE and asked.seed is None


def _steer(
    exchange: Exchange, goal: _Goal, asked: Pending, answer: Answer
) -> Generator[Effect, Any, Union[Pending, Result]]:
    """Return the request that follows an answer which did not reach the goal, or what the call comes to."""
    if isinstance(answer, Unreached):
        return answer
    if isinstance(answer, WentBack):
        yield from exchange.drop()
        if asked.kind == states.REBIND:
            return Unreached("bad_answer", "the lease that answers the rebind is older than the one held")
        return (yield from _rebind(exchange))
    if isinstance(answer, Declined):
        if answer.statement is None and answer.code in {"stale_request", "rebind_required"}:
            return Unreached("bad_answer", f"{answer.code} is not signed")
        if answer.code in {"rebind_required", "unknown_installation"} and _can_rebind(exchange, asked):
            rebind = yield from _rebind(exchange)
            # An unsigned hint may be a lie, and the request that it answers may arrive later: with the same rid it is
            # then a known one of another op (rule b), and never looks like a copy.
            return rebind if answer.statement is not None else replace(rebind, rid=asked.rid)
        if answer.statement is None and asked.kind in {states.ACTIVATE, states.REBIND}:
            if answer.code != "license_invalid" and not _in_the_way(exchange, goal, asked, answer):
                return answer
            yield from exchange.drop()
        if answer.code != "stale_request" and not goal.goes_on(asked, answer):
            return answer
    pending = yield from goal.following()
    return Nothing() if pending is None else pending


def _in_the_way(exchange: Exchange, goal: _Goal, asked: Pending, no: Declined) -> bool:
    """Tell whether an activation that another call left keeps this one from what the till holds."""
    return asked.kind == states.ACTIVATE and exchange.state.chain is not None and goal.goes_on(asked, no)


def _can_rebind(exchange: Exchange, asked: Pending) -> bool:
    return asked.kind not in {states.ACTIVATE, states.REBIND} and exchange.state.lease is not None


def _rebind(exchange: Exchange) -> Generator[Effect, Any, Pending]:
    held = exchange.state
    return Pending(
        states.REBIND,
        (yield from draw_rid()),
        states.REBIND,
        environment=held.environment,
        project=held.project,
        site=held.site,
    )


def _beat(exchange: Exchange) -> Generator[Effect, Any, Optional[Pending]]:
    chain = exchange.state.chain
    if chain is None:
        return None
    rid = yield from draw_rid()
    return Pending(
        states.HEARTBEAT, rid, states.HEARTBEAT, activation=chain.activation, nonce=chain.nonce, seq=chain.seq
    )


def _ends(no: Declined) -> bool:
    return no.statement is not None and no.code in ENDING_CODES


class _Goal(ABC):
    """What a call is for: which request comes next, and which answer ends the call."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    @abstractmethod
    def following(self) -> _NextRequest:
        """Return the request to be sent now, or None where there is nothing to do it with."""

    @abstractmethod
    def reached(self, asked: Pending, answer: Union[Granted, Released]) -> bool:
        """Tell whether the answer is what the call is for."""

    def goes_on(self, asked: Pending, no: Declined) -> bool:
        """Tell whether the call goes on after a no.

        Where it was to an activation that another call had left, and ends nothing.
        """
        return asked.kind == states.ACTIVATE and not _ends(no)


class _Beat(_Goal):
    def following(self) -> _NextRequest:
        return self.exchange.state.pending or (yield from _beat(self.exchange))

    def reached(self, asked: Pending, answer: Union[Granted, Released]) -> bool:  # noqa: ARG002 - any end is an end
        return True

    def goes_on(self, asked: Pending, no: Declined) -> bool:
        return self.exchange.state.chain is not None and super().goes_on(asked, no)


class _Activation(_Goal):
    def __init__(self, exchange: Exchange, ask: Ask, spare_seed: Optional[bytes]) -> None:
        super().__init__(exchange)
        self._ask = ask
        self._value = license_value(ask.license_key)
        self._spare_seed = spare_seed
        self._by_key = False

    def following(self) -> _NextRequest:
        pending = self.exchange.state.pending
        # A deactivation of unknown outcome is settled first: its bytes may still arrive, and free the seat taken now.
        if pending is not None and (self._is_mine(pending) or pending.kind == states.DEACTIVATE):
            return pending
        if self._held() and not self._by_key and (pending is None or pending.kind in _CHAINED):
            return pending or (yield from _beat(self.exchange))
        return (yield from self._by_license_key())

    def reached(self, asked: Pending, answer: Union[Granted, Released]) -> bool:
        if isinstance(answer, Released):
            return False
        return self._is_mine(asked) or (asked.kind in _CHAINED and self._held())

    def goes_on(self, asked: Pending, no: Declined) -> bool:
        if self._is_mine(asked) or _ends(no):
            return False
        self._by_key = True
        return asked.kind in {states.REBIND, states.MOVE}

    def _is_mine(self, pending: Pending) -> bool:
        return pending.kind == states.ACTIVATE and pending.content == self._ask.content()

    def _held(self) -> bool:
        """Tell whether this till holds a lease for that license, project and environment, as far as it knows."""
        held = self.exchange.state
        if held.lease is None or not _is_asked(held, self._ask):
            return False
        statement = trusts.held_statement(self.exchange.trust, held.statement)
        return statement is None or statement.code not in _GONE

    def _by_license_key(self) -> Generator[Effect, Any, Pending]:
        if self.exchange.state.seed is None:
            seed = self._spare_seed or (yield Draw(_SEED_BYTES))
            # Saved together with the request's rid, in one write (PROTOCOL section 2).
            self.exchange.state = replace(self.exchange.state, seed=seed)
        return Pending(
            states.ACTIVATE,
            (yield from draw_rid()),
            self._ask.content(),
            environment=self._ask.environment,
            project=self._ask.project,
            site=self._ask.site,
            license_value=self._value,
            license_key=self._ask.license_key,
            move_ticket=self._ask.move_ticket,
        )


class _Moving(_Goal):
    def __init__(self, exchange: Exchange, environment: str) -> None:
        super().__init__(exchange)
        self._environment = environment

    def following(self) -> _NextRequest:
        pending, chain = self.exchange.state.pending, self.exchange.state.chain
        if pending is not None or chain is None:
            return pending
        return Pending(
            states.MOVE,
            (yield from draw_rid()),
            states.MOVE,
            activation=chain.activation,
            nonce=chain.nonce,
            seq=chain.seq,
            environment=self._environment,
        )

    def reached(self, asked: Pending, answer: Union[Granted, Released]) -> bool:
        return asked.kind == states.MOVE and asked.environment == self._environment and isinstance(answer, Granted)


class _Deactivation(_Goal):
    def following(self) -> _NextRequest:
        pending, chain = self.exchange.state.pending, self.exchange.state.chain
        # An activation of unknown outcome is settled first: it may be the one that holds the seat.
        if pending is not None and pending.kind in {states.ACTIVATE, states.DEACTIVATE}:
            return pending
        if chain is None:
            return None
        rid = yield from draw_rid()
        return Pending(states.DEACTIVATE, rid, states.DEACTIVATE, activation=chain.activation)

    def reached(self, asked: Pending, answer: Union[Granted, Released]) -> bool:  # noqa: ARG002 - as above
        return isinstance(answer, Released)


def _is_asked(held: State, ask: Ask) -> bool:
    """Tell whether an activation is held for that license, project and environment."""
    if held.chain is None or held.license_value != license_value(ask.license_key):
        return False
    return held.environment == ask.environment and _same_project(held.project, ask.project)


def _same_project(held: Optional[str], asked: Optional[str]) -> bool:
    """Tell whether two names are one project, as the server sees it; who names none asks for no other."""
    return asked is None or (held is not None and _plain_name(held) == _plain_name(asked))


def _plain_name(name: str) -> str:
    """NFKC, case folded, single spaces: two spellings of one project's name (DESIGN section 4)."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
