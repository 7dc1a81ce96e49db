"""The fake server without its socket: a path and a body in, what HTTP would carry out (PROTOCOL sections 3 to 5)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Any, Callable, Optional

from tillkey.effects import Reply
from tillkey.testing import chain, enrolment, seat, support
from tillkey.testing.books import Activation, Books, License, Step, Ticket
from tillkey.testing.mint import Mint
from tillkey.testing.refusals import ASK, Refused, malformed
from tillkey.testing.terms import seconds_of
from tillkey.wire import strict_json
from tillkey.wire.answers import open_lease
from tillkey.wire.errors import WireError
from tillkey.wire.license_key import format_key, normalize
from tillkey.wire.request import Activate, Deactivate, Heartbeat, Move, Request, Support, open_request

PROBLEM = "application/problem+json"
_ADDRESS = re.compile(r"/v1/activations(?:/(?P<activation>[^/]+)/(?P<op>heartbeat|move|deactivate|support))?\Z")
_KEYSET = re.compile(r"/v1/keyset(?:/([^/]+))?\Z")
_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z")
_MEDIA_TYPE = re.compile(r'application/json\s*(?:;\s*charset="?utf-8"?\s*)?\Z', re.IGNORECASE)
_CHECK = "/v1/licenses/check"


class Office:
    """Answers requests from ``books`` at the time that ``clock`` tells; ``seen`` keeps the requests, in order."""

    def __init__(self, mint: Mint, clock: Callable[[], int]) -> None:
        """Take what signs, and where the server's time in epoch seconds comes from."""
        self.mint = mint
        self.books = Books()
        self.seen: list[Request] = []
        self.clock = clock
        self._secret = secrets.token_bytes(32)

    @property
    def asked(self) -> tuple[str, ...]:
        """The verbs asked so far; ``rebind`` is an ``activate`` that shows a lease."""
        return tuple("rebind" if isinstance(it.body, Activate) and it.body.lease else it.op for it in self.seen)

    def get(self, path: str) -> Reply:
        """Answer a GET: the keysets."""
        named = _KEYSET.match(path)
        version = str(self.mint.keyset.version) if named is None or named[1] is None else named[1]
        if named is not None and _VERSION.match(version) and int(version) in self.mint.texts:
            return Reply(200, "application/jose+json", self.mint.texts[int(version)].encode("ascii"))
        if _ADDRESS.match(path) or path == _CHECK:
            return _problem(Refused("method_not_allowed", signed=False))
        detail = None if named is None else "There is no such version of the keyset."
        return _problem(Refused("not_found", detail=detail, signed=False))

    def post(self, path: str, body: bytes, media_type: str = "application/json") -> Reply:
        """Answer a POST: a till's verbs, and the unsigned question about a license key."""
        try:
            if path == _CHECK:
                return _json(200, self._check(_members(body, media_type, "license_key", "product")))
            request = self._opened(path, body, media_type)
        except Refused as no:
            return _problem(no)
        self.seen.append(request)
        now = self.clock()
        try:
            status, members = self._serve(request, now)
        except Refused as no:
            statement = self.mint.refusal(request, no, now) if no.signed else None
            wait = None if no.retry_at is None else max(0, no.retry_at - now)
            return _problem(no, statement, wait)
        return _json(status, members)

    def _opened(self, path: str, body: bytes, media_type: str) -> Request:
        """Open a request and compare it with its address; raises ``Refused``."""
        address = _ADDRESS.match(path)
        if address is None:
            raise Refused("method_not_allowed" if _KEYSET.match(path) else "not_found", signed=False)
        try:
            request = open_request(_members(body, media_type, "request")["request"], aud=self.mint.issuer)
        except WireError as error:
            raise Refused(error.code, detail=f"{error.field}: {error.detail}", signed=False) from error
        op = address["op"] or "activate"
        if request.op != op:
            raise malformed(f"request.op: is not {op}, which the address asks for")
        if not isinstance(request.body, Activate) and request.body.activation != address["activation"]:
            raise malformed("request.activation: is not the one in the address")
        return request

    def _check(self, members: dict[str, str]) -> dict[str, Any]:
        """Tell whether a license key is known and usable (X-11)."""
        sold = self._by_key(members["license_key"], members["product"])
        if sold is None:
            return {"known": False, "usable": False, "code": None}
        try:
            chain.refuse_standing(sold, self.clock())
        except Refused as no:
            return {"known": True, "usable": False, "code": no.code}
        return {"known": True, "usable": True, "code": None}

    def _serve(self, request: Request, now: int) -> tuple[int, dict[str, Any]]:
        body = request.body
        if isinstance(body, Activate):
            held, step = self._activate(request, body, now) if body.lease is None else self._rebind(request, body, now)
            return (201 if step.created else 200), self._leased(held, step, now)
        found = self.books.activations.get(body.activation)
        if found is None or found.jkt != request.jkt:
            raise Refused("unknown_installation", options=("rebind",), signed=False)
        if isinstance(body, Deactivate):
            return 200, {"statement": self._release(request, found, now)}
        if isinstance(body, Support):
            chain.refuse_gone(found)
            return 200, support.answer(self.books.license_of(found), body, now)
        chain.refuse_ended(found, self.books.license_of(found), now)
        again = chain.told_before(self.books, request, found)
        step = again or chain.next_step(self.books, request, found, body.nonce)
        if isinstance(body, Heartbeat):
            found.fingerprint = dict(body.fingerprint)
        leased = self._leased(found, step, now)
        return 200, leased if not isinstance(body, Move) else {"ticket": self._ticket(found, step, body, now), **leased}

    def _leased(self, held: Activation, step: Step, now: int) -> dict[str, Any]:
        held.leased_at = now
        return {"lease": self.mint.lease(self.books.license_of(held), held, step, now)}

    def _by_key(self, text: str, product: str) -> Optional[License]:
        """Return the license that a key names, however it was typed, if it is the product's."""
        try:
            sold = self.books.licenses.get(normalize(text))
        except WireError:
            return None
        return sold if sold is not None and sold.product == product else None

    def _invalid(self, request: Request) -> Refused:
        """Return the refusal of a key or a lease that is none here, signed only for an installation that is known."""
        known = request.jkt in self.books.installations
        return Refused("license_invalid", ("K-14",), options=("check_license_key", *ASK), signed=known)

    def _activate(self, request: Request, body: Activate, now: int) -> tuple[Activation, Step]:
        books = self.books
        sold = self._by_key(body.license_key or "", body.product)
        if sold is None:
            raise self._invalid(request)
        own = next((one for one in books.holders(sold) if one.jkt == request.jkt), None)
        try:
            chain.refuse_standing(sold, now)
            again = chain.told_before(books, request, own)
            if again is not None and own is not None:
                return own, again
            asked = seat.Asked(books, sold, request, body, now)
            decided = seat.decide(asked)
        except Refused as no:
            raise no.about(None if own is None else own.id) from None
        if decided.held is None:
            return enrolment.begin(asked, decided)
        enrolment.bind(sold, decided.held, now)
        return decided.held, chain.forked(books, request, decided.held)

    def _rebind(self, request: Request, body: Activate, now: int) -> tuple[Activation, Step]:
        """Judge an ``activate`` that shows the last lease instead of the license key."""
        try:
            lease = open_lease(body.lease, self.mint.keyset)
        except WireError:
            raise self._invalid(request) from None
        sold = next((one for one in self.books.licenses.values() if one.id == lease.license), None)
        if sold is None or (lease.jkt, lease.aud, sold.product) != (request.jkt, body.product, body.product):
            raise self._invalid(request)
        held = self.books.activations.get(lease.sub)
        if held is None:
            return enrolment.adopt(self.books, request, body, sold, lease, now)
        if held.jkt != request.jkt or held.license != sold.id:
            raise self._invalid(request)
        chain.refuse_ended(held, sold, now)
        again = chain.told_before(self.books, request, held)
        return held, again or chain.next_step(self.books, request, held, lease.nonce, lease)

    def _release(self, request: Request, held: Activation, now: int) -> str:
        if held.ended_at is None and (request.jkt, request.rid) in self.books.steps:
            raise chain.stale(held.id)
        self.books.end(held, "released", now)
        return self.mint.statement(request, "activation_released", ("NX-07",), now, sub=held.id)

    def _ticket(self, held: Activation, step: Step, body: Move, now: int) -> str:
        """Return the ticket of a step: the same step always has the same one."""
        drawn = 0

        def draw(count: int) -> bytes:
            nonlocal drawn
            drawn += 1
            text = f"{drawn} {held.id} {step.seq} {step.rid}".encode("ascii")
            return hmac.new(self._secret, text, hashlib.sha256).digest()[:count]

        text = format_key("MOVE", draw)
        ends = now + seconds_of(self.books.license_of(held).terms.ticket_lifetime)
        self.books.tickets.setdefault(normalize(text), Ticket(held.license, body.environment, ends, held.id))
        return text


def _members(body: bytes, media_type: str, *names: str) -> dict[str, str]:
    """Read a JSON object with exactly these members, each a string; raises ``Refused``."""
    if not _MEDIA_TYPE.match(media_type):
        raise malformed("Content-Type: must be application/json")
    if len(body) > strict_json.MAX_BYTES:
        raise Refused("too_large", detail=f"body: is over {strict_json.MAX_BYTES} bytes", signed=False)
    try:
        document = strict_json.loads(body)
    except WireError as error:
        raise Refused(error.code, detail=f"{error.field}: {error.detail}", signed=False) from error
    if not isinstance(document, dict) or set(document) != set(names):
        raise malformed(f"body: must be an object with exactly {' and '.join(names)}")
    for name in names:
        if not isinstance(document[name], str):
            raise malformed(f"body.{name}: must be a string")
    return document


def _json(status: int, members: dict[str, Any]) -> Reply:
    return Reply(status, "application/json", strict_json.dumps(members))


def _problem(no: Refused, statement: Optional[str] = None, retry_after: Optional[int] = None) -> Reply:
    return Reply(no.status, PROBLEM, strict_json.dumps(no.document(statement)), retry_after)
