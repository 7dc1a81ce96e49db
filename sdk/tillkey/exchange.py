"""One request and its answer: make it durable, send it, believe nothing that is not signed for it (PROTOCOL section 4).

An answer is accepted iff its type is exact, its key is in the newest keyset held and was valid at ``iat``, ``iss`` is
the keyset's issuer (these three by ``wire``), ``aud`` is the own product, ``cnf.jkt`` the key that signed the
request, ``rid`` the pending one, and ``seq`` higher than held for this activation, or equal for the same ``rid``.
Everything else is ``Unreached`` and changes nothing; problem details without a statement are a refusal of this one
request, which lowers nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional, Union

from tillkey import state as states
from tillkey import trust as trusts
from tillkey._constants import MAX_KEYSET_STEPS
from tillkey.effects import (
    Answer,
    Declined,
    Draw,
    Effect,
    Fetch,
    Granted,
    Released,
    Reply,
    Save,
    Send,
    Sense,
    Unreached,
    WentBack,
)
from tillkey.fingerprint import fingerprint
from tillkey.state import Chain, Pending, State
from tillkey.timeline import confirm, observe
from tillkey.wire import b64, strict_json
from tillkey.wire.answers import ENDING_CODES, Lease, Statement, open_lease, open_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keys import PrivateKey
from tillkey.wire.request import (
    Activate,
    Body,
    ClockReading,
    Deactivate,
    Heartbeat,
    Move,
    Project,
    path_of,
    sign_request,
)

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_MAX_TICKET = 100
_OF_THE_LICENSE = frozenset(ENDING_CODES) - {"activation_superseded", "activation_released"}
_OK, _OK_END, _REFUSALS, _FAULTS = 200, 300, 400, 500
_TOO_MANY = 429
_OF_ANOTHER_SERVER = "request.aud"
_ITS_HINT = "The pinned keyset is another server's: check the address, or ship this server's keyset.json."


@dataclass(frozen=True)
class Machine:
    """What the host tells about itself with each request; ``traits`` as from ``traits.collect``."""

    app_version: str
    traits: Mapping[str, str]
    platform_version: Optional[str] = None


class Exchange:
    """The state, the keys believed, and how a request goes over; one for each call."""

    def __init__(self, state: State, trust: trusts.Trust, machine: Machine) -> None:
        """Take the state read under the lock, the keysets walked from it, and the machine."""
        self.state = state
        self.trust = trust
        self._machine = machine
        self._steps = 0

    def ask(self, pending: Pending) -> Generator[Effect, Any, Answer]:
        """Make a request durable, send it and read the answer.

        What a signed answer changes is saved before this returns.
        """
        sent = yield Sense()
        before = self.state.pending
        again = before is not None and before.rid == pending.rid
        self.state = replace(self.state, pending=pending, memory=observe(self.state.memory, sent))
        yield Save(self.state)
        key = self._key(pending)
        body = self._body(pending, sent)
        text = sign_request(
            body,
            aud=self.trust.newest.issuer,
            rid=pending.rid,
            keyset=self.trust.newest.version,
            iat=sent.wall,
            key=key,
        )
        reply = yield Send(path_of(body), strict_json.dumps({"request": text}))
        received = yield Sense()
        if isinstance(reply, Unreached):
            return reply
        # The answer to a rid that was sent before may be one that was held back, and so says nothing of how late it is:
        # a reading of no boot at all never sets the clock back (PROTOCOL section 6, Time).
        asked_at = replace(sent, boot_id="") if again else sent
        return (yield from self._read(reply, pending, key.public.thumbprint, (asked_at, received)))

    def drop(self) -> Generator[Effect, Any, None]:
        """Forget the pending request."""
        self.state = replace(self.state, pending=None)
        yield Save(self.state)

    def _key(self, pending: Pending) -> PrivateKey:
        seed = pending.seed or self.state.seed
        if seed is None:
            raise AssertionError("a pending request has an installation key")
        return PrivateKey.from_seed(seed)

    def _body(self, pending: Pending, sent: ClockReading) -> Body:
        machine = self._machine
        if pending.kind in {states.ACTIVATE, states.REBIND}:
            rebind = pending.kind == states.REBIND
            return Activate(
                product=self.state.product,
                project=Project(pending.project, pending.site) if pending.project is not None else None,
                environment=pending.environment or "",
                fingerprint=self._fingerprint(pending),
                app_version=machine.app_version,
                license_key=None if rebind else pending.license_key,
                lease=self.state.lease if rebind else None,
                platform_version=machine.platform_version,
                move_ticket=pending.move_ticket,
            )
        activation = pending.activation or ""
        if pending.kind == states.DEACTIVATE:
            return Deactivate(activation)
        if pending.kind == states.MOVE:
            return Move(activation, pending.nonce or "", pending.environment or "")
        return Heartbeat(
            activation, pending.nonce or "", pending.seq or 0, self._fingerprint(pending), machine.app_version, sent
        )

    def _fingerprint(self, pending: Pending) -> dict[str, str]:
        value = pending.license_value or self.state.license_value
        return fingerprint(value, self._machine.traits) if value else {}

    def _read(
        self, reply: Reply, pending: Pending, jkt: str, clocks: tuple[ClockReading, ClockReading]
    ) -> Generator[Effect, Any, Answer]:
        document = document_of(reply)
        if isinstance(document, Unreached):
            return document
        success = _OK <= reply.status < _OK_END
        wanted = "lease" if success and pending.kind != states.DEACTIVATE else "statement"
        if wanted not in document:
            return Unreached("bad_answer", f"it has no {wanted}") if success else hint_of(document)
        text = document[wanted]
        try:
            opened = yield from self._open(wanted, text)
            self._check(opened, pending, jkt)
            if isinstance(opened, Lease):
                ticket = _ticket(document, pending)
                return (yield from self._take_lease(opened, text, pending, clocks, ticket))
        except WireError as error:
            return Unreached("bad_answer", f"{error.field} {error.detail}")
        return (yield from self._take_statement(opened, text, pending, clocks, document if not success else None))

    def _open(self, wanted: str, text: Any) -> Generator[Effect, Any, Union[Lease, Statement]]:
        if trusts.names_unknown_key(self.trust, text):
            yield from self.walk()
        if wanted == "lease":
            return open_lease(text, self.trust.newest)
        return open_statement(text, self.trust.newest)

    def _check(self, opened: Union[Lease, Statement], pending: Pending, jkt: str) -> None:
        """Refuse an answer for another product, installation, request or activation; raises ``WireError``."""
        if opened.jkt != jkt:
            raise WireError("malformed", "cnf.jkt", "is another installation's")
        if opened.rid != pending.rid:
            raise WireError("malformed", "rid", "is another request's")
        if isinstance(opened, Lease) and opened.aud != self.state.product:
            raise WireError("malformed", "aud", "is another product")
        if pending.activation is not None and opened.sub not in {None, pending.activation}:
            raise WireError("malformed", "sub", "is another activation")

    def _take_lease(
        self,
        lease: Lease,
        text: str,
        pending: Pending,
        clocks: tuple[ClockReading, ClockReading],
        ticket: Optional[str],
    ) -> Generator[Effect, Any, Answer]:
        held = self.state.chain
        if held is not None and held.activation == lease.sub:
            same_step = lease.seq == held.seq and lease.rid == held.rid
            if lease.seq <= held.seq and not same_step:
                return WentBack()
        named = pending.kind in {states.ACTIVATE, states.REBIND}
        self.state = replace(
            self.state,
            seed=pending.seed or self.state.seed,
            lease=text,
            statement=None,
            license_value=pending.license_value or self.state.license_value,
            chain=Chain(lease.sub, lease.seq, lease.nonce, lease.rid),
            project=pending.project if named else self.state.project,
            site=pending.site if named else self.state.site,
            environment=lease.environment,
            pending=None,
            memory=confirm(self.state.memory, lease.iat, *clocks),
        )
        yield Save(self.state)
        if lease.min_keyset > self.trust.newest.version:
            yield from self.walk()
        return Granted(lease, ticket)

    def _take_statement(
        self,
        statement: Statement,
        text: str,
        pending: Pending,
        clocks: tuple[ClockReading, ClockReading],
        problem: Optional[Mapping[str, Any]],
    ) -> Generator[Effect, Any, Answer]:
        if problem is None and statement.code != "activation_released":
            return Unreached("bad_answer", "statement.code does not answer a deactivation")
        ends = self.ends_use(statement, pending)
        self.state = replace(
            self.state,
            statement=text if ends else self.state.statement,
            pending=None,
            memory=confirm(self.state.memory, statement.iat, *clocks),
        )
        yield Save(self.state)
        if problem is None:
            return Released(statement)
        return Declined(
            statement.code,
            statement.clauses,
            statement,
            _sentence(problem),
            statement.options,
            statement.retry_at,
        )

    def ends_use(self, statement: Statement, pending: Pending) -> bool:
        """Tell whether a verified statement ends or suspends what this till holds, rather than another license."""
        if statement.code not in ENDING_CODES or self.state.chain is None:
            return False
        if statement.sub is not None:
            return statement.sub == self.state.chain.activation
        if pending.kind != states.ACTIVATE:
            return True
        return statement.code in _OF_THE_LICENSE and pending.license_value == self.state.license_value

    def walk(self) -> Generator[Effect, Any, None]:
        """Fetch the keysets that follow, one by one.

        Until there is none, one does not follow, or this call has taken enough steps.
        """
        before = self.trust
        while self._steps < MAX_KEYSET_STEPS:
            self._steps += 1
            reply = yield Fetch(f"/v1/keyset/{self.trust.newest.version + 1}")
            if isinstance(reply, Unreached) or reply.status != _OK:
                break
            try:
                self.trust = self.trust.advanced(reply.body.decode("utf-8"))
            except ValueError:  # WireError and UnicodeDecodeError
                break
        if self.trust is not before:
            self.state = replace(self.state, keysets=self.trust.texts)
            yield Save(self.state)


def draw_rid() -> Generator[Effect, Any, str]:
    """Draw the name of a new request: base64url of 16 bytes."""
    return b64.encode((yield Draw(16)))


def unread(reply: Reply) -> Optional[Unreached]:
    """Return why a reply is no answer of a license server, by its status and type alone; None where it may be one."""
    if reply.status == _TOO_MANY:
        return Unreached("rate_limited", retry_after=reply.retry_after)
    if reply.status >= _FAULTS:
        return Unreached("http_5xx", f"HTTP status {reply.status}", reply.retry_after)
    refusal = reply.status >= _REFUSALS
    if not refusal and not _OK <= reply.status < _OK_END:
        return Unreached("redirected", f"HTTP status {reply.status}")
    kind = reply.content_type.split(";")[0].strip().lower()
    if refusal and kind != "application/problem+json":
        return Unreached("http_4xx", f"HTTP status {reply.status}", reply.retry_after)
    return None


def document_of(reply: Reply) -> Union[dict[str, Any], Unreached]:
    """Return the JSON object of a success or a refusal; everything else is nothing."""
    unreadable = unread(reply)
    if unreadable is not None:
        return unreadable
    try:
        document = strict_json.loads(reply.body)
    except WireError as error:
        return Unreached("not_json", error.detail)
    return document if isinstance(document, dict) else Unreached("not_json", "it is not an object")


def hint_of(problem: Mapping[str, Any]) -> Union[Declined, Unreached]:
    """Return an unsigned refusal, which lowers nothing; without a code it is nothing."""
    code = problem.get("code")
    if not isinstance(code, str) or not _CODE.match(code):
        return Unreached("http_4xx", "the refusal has no code")
    retry_at = problem.get("retry_at")
    detail = _sentence(problem)
    if code == "malformed" and _OF_ANOTHER_SERVER in detail:
        detail = f"{detail.rstrip('.')}. {_ITS_HINT}"
    return Declined(
        code,
        _texts(problem.get("clauses")),
        None,
        detail,
        _texts(problem.get("options")),
        retry_at if isinstance(retry_at, int) and not isinstance(retry_at, bool) else None,
    )


def _ticket(document: Mapping[str, Any], pending: Pending) -> Optional[str]:
    if pending.kind != states.MOVE:
        return None
    ticket = document.get("ticket")
    if not isinstance(ticket, str) or not 1 <= len(ticket) <= _MAX_TICKET:
        raise WireError("malformed", "ticket", "is missing or no ticket")
    return ticket


def _sentence(problem: Mapping[str, Any]) -> str:
    detail = problem.get("detail")
    if not isinstance(detail, str):
        return ""
    return "".join(symbol if symbol.isprintable() else " " for symbol in detail[:500]).strip()


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
