"""A license server of one page that signs real answers: what the SDK's tests talk to.

It keeps rules a to e of the heartbeat chain (PROTOCOL section 5) for licenses of one seat, and nothing of policies or
databases. `snapshot` and `restore` are its backup. It is no stand-in for the format: every document is made and opened
by `tillkey.wire`.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from tillkey.effects import Reply
from tillkey.wire import b64, strict_json
from tillkey.wire.answers import Lease, Statement, open_lease, sign_lease, sign_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset, OnlineKey, sign_keyset
from tillkey.wire.license_key import format_key, normalize
from tillkey.wire.request import Activate, Deactivate, Move, Request, open_request

START = 1_760_000_000
HOUR = 3600
DAY = 24 * HOUR
PROJECT_ID = "0190d000-0000-7000-8000-000000000001"


def key_from(name: str) -> PrivateKey:
    """Make the same key for the same name."""
    return PrivateKey.from_seed(hashlib.sha256(name.encode()).digest())


def license_key(number: int = 1) -> str:
    """Make the same license key for the same number."""
    draws = itertools.count(number * 1000)
    return format_key("POS", lambda size: hashlib.sha512(str(next(draws)).encode()).digest()[:size])


@dataclass
class License:
    """What is sold: `ended` is the code of its end, `holder` the activation in force."""

    id: str
    ended: str | None = None
    holder: str | None = None
    use_until: int | None = None


@dataclass
class Activation:
    """One use of a license by one installation, with its chain."""

    id: str
    license: str
    jkt: str
    environment: str
    seq: int = 0
    nonce: str = ""
    last_rid: str = ""
    old_nonces: set[str] = field(default_factory=set)
    steps: dict[str, str] = field(default_factory=dict)
    ended: str | None = None
    forks: int = 0


@dataclass
class Rows:
    """The database."""

    licenses: dict[str, License] = field(default_factory=dict)
    activations: dict[str, Activation] = field(default_factory=dict)
    tickets: dict[str, tuple[str, str]] = field(default_factory=dict)


class Refusal(Exception):
    """A no on its way out."""

    def __init__(self, status: int, code: str, *, signed: bool = True, sub: str | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.signed, self.sub = status, code, signed, sub


class LicenseServer:
    """Answers requests given as path and bytes; `seen` keeps them, opened."""

    def __init__(self, issuer: str = "tillkey-test", product: str = "pos-core") -> None:
        self.issuer, self.product = issuer, product
        self.now = START
        self.rows = Rows()
        self.seen: list[Request] = []
        self.keyset_fetches: list[int] = []
        self.root = key_from(f"{issuer} root")
        self.online = key_from(f"{issuer} online 1")
        self.keysets: dict[int, str] = {}
        self.min_keyset = 1
        self._numbers = itertools.count(1)
        self.publish([self.online])

    def publish(self, keys: list[PrivateKey]) -> str:
        """Publish the next keyset with these online keys; the last one signs from now on."""
        version = len(self.keysets) + 1
        online = tuple(OnlineKey(key.public, 0, None) for key in keys)
        keyset = Keyset(self.issuer, version, 1, (self.root.public,), online, self.now)
        self.keysets[version] = sign_keyset(keyset, [self.root])
        self.keyset, self.online = keyset, keys[-1]
        return self.keysets[version]

    def sell(self, number: int = 1, **facts: Any) -> str:
        """Issue a license and return its key."""
        text = license_key(number)
        self.rows.licenses[normalize(text)] = License(str(uuid.UUID(int=number)), **facts)
        return text

    def license(self, number: int = 1) -> License:
        """Return a sold license."""
        return self.rows.licenses[normalize(license_key(number))]

    def holder(self, number: int = 1) -> Activation:
        """Return the activation that holds a license."""
        holder = self.license(number).holder
        assert holder is not None
        return self.rows.activations[holder]

    def snapshot(self) -> Rows:
        """Back the database up."""
        return copy.deepcopy(self.rows)

    def restore(self, rows: Rows) -> None:
        """Go back to a backup."""
        self.rows = copy.deepcopy(rows)

    def ops(self) -> list[str]:
        """Return the verbs asked so far; `rebind` for an activation with a lease."""
        return ["rebind" if isinstance(it.body, Activate) and it.body.lease else it.op for it in self.seen]

    def get(self, path: str) -> Reply:
        """Answer a GET."""
        version = int(path.rsplit("/", 1)[1])
        self.keyset_fetches.append(version)
        if version not in self.keysets:
            return Reply(404, "application/problem+json", b'{"code":"not_found"}')
        return Reply(200, "application/json", self.keysets[version].encode())

    def post(self, path: str, body: bytes) -> Reply:
        """Answer a POST."""
        try:
            request = open_request(strict_json.loads(body)["request"], aud=self.issuer)
        except WireError as error:
            return self._problem(400, {"code": error.code, "detail": error.detail})
        self.seen.append(request)
        try:
            return Reply(200, "application/json", strict_json.dumps(self._serve(request)))
        except Refusal as no:
            problem: dict[str, Any] = {"code": no.code, "clauses": ["NX-03"], "detail": f"because of {no.code}"}
            if no.signed:
                problem["statement"] = self.statement(request, no.code, no.sub)
            return self._problem(no.status, problem)

    def statement(self, request: Request, code: str, sub: str | None = None, **changes: Any) -> str:
        """Sign a statement for a request."""
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "iat": self.now,
            "jti": str(next(self._numbers)),
            "jkt": request.jkt,
            "rid": request.rid,
            "code": code,
            "clauses": ("NX-03",),
            "sub": sub,
        }
        return sign_statement(Statement(**{**claims, **changes}), self.online)

    def lease(self, held: Activation, rid: str, **changes: Any) -> str:
        """Sign the lease of an activation's current step."""
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": held.id,
            "aud": self.product,
            "iat": self.now,
            "nbf": self.now,
            "exp": self.now + 30 * DAY,
            "jti": str(next(self._numbers)),
            "jkt": held.jkt,
            "rid": rid,
            "license": self.rows.licenses[held.license].id,
            "project": PROJECT_ID,
            "environment": held.environment,
            "entitlements": ("sell", "loyalty"),
            "degraded": ("sell",),
            "refresh_at": self.now + 6 * HOUR,
            "soft_exp": self.now + 7 * DAY,
            "use_until": self.rows.licenses[held.license].use_until,
            "support_until": self.now + 365 * DAY,
            "updates_until": None,
            "seq": held.seq,
            "nonce": held.nonce,
            "min_keyset": self.min_keyset,
            "policy_name": "default",
            "policy_version": 1,
        }
        return sign_lease(Lease(**{**claims, **changes}), self.online)

    def _serve(self, request: Request) -> dict[str, Any]:
        if isinstance(request.body, Activate):
            return self._rebind(request) if request.body.lease else self._activate(request, request.body)
        held = self.rows.activations.get(request.body.activation)
        if held is None or held.jkt != request.jkt:
            raise Refusal(409, "unknown_installation", signed=False)
        if isinstance(request.body, Deactivate):
            return self._release(request, held)
        self._refuse_ended(held)
        if request.rid in held.steps:
            if held.last_rid != request.rid or held.steps[request.rid] != request.op:
                raise Refusal(409, "stale_request", sub=held.id)
        elif request.body.nonce != held.nonce and request.body.nonce not in held.old_nonces:
            raise Refusal(409, "rebind_required", sub=held.id)
        else:
            held.forks += request.body.nonce != held.nonce
            self._step(held, request)
        answer = {"lease": self.lease(held, request.rid)}
        if isinstance(request.body, Move):
            answer["ticket"] = b64.encode(hashlib.sha256(f"{held.id} {held.seq}".encode()).digest())
            self.rows.tickets[answer["ticket"]] = (held.license, request.body.environment)
        return answer

    def _activate(self, request: Request, body: Activate) -> dict[str, Any]:
        key = normalize(body.license_key or "")
        sold = self.rows.licenses.get(key)
        known = any(it.jkt == request.jkt for it in self.rows.activations.values())
        if sold is None or body.product != self.product:
            raise Refusal(404, "license_invalid", signed=known)
        if sold.ended:
            raise Refusal(403, sold.ended)
        mine = [it for it in self.rows.activations.values() if it.jkt == request.jkt]
        for held in mine:
            if request.rid in held.steps:
                if held.ended or held.last_rid != request.rid:
                    raise Refusal(409, "stale_request")
                return {"lease": self.lease(held, request.rid)}
        if any(it.ended is None and it.license != key for it in mine):
            raise Refusal(409, "installation_key_in_use")
        holder = self.rows.activations[sold.holder] if sold.holder else None
        if holder and holder.jkt == request.jkt and holder.environment == body.environment:
            holder.forks += 1
            self._step(holder, request)
            return {"lease": self.lease(holder, request.rid)}
        ticket_fits = self.rows.tickets.pop(body.move_ticket or "", None) == (key, body.environment)
        if holder and holder.jkt != request.jkt and not ticket_fits:
            raise Refusal(409, "license_in_use")
        if holder:
            holder.ended = "activation_superseded"
        return {"lease": self.lease(self._begin(request, key, body.environment), request.rid)}

    def _begin(self, request: Request, key: str, environment: str) -> Activation:
        made = Activation(str(uuid.UUID(int=(1 << 64) + next(self._numbers))), key, request.jkt, environment)
        self.rows.activations[made.id] = made
        self.rows.licenses[key].holder = made.id
        self._step(made, request)
        return made

    def _rebind(self, request: Request) -> dict[str, Any]:
        try:
            shown = open_lease(request.body.lease, self.keyset)
        except WireError:
            raise Refusal(404, "license_invalid", signed=False) from None
        held = self.rows.activations.get(shown.sub)
        if held is None:
            key = next(text for text, sold in self.rows.licenses.items() if sold.id == shown.license)
            held = Activation(shown.sub, key, request.jkt, shown.environment)
            self.rows.activations[held.id] = held
            self.rows.licenses[key].holder = held.id
        self._refuse_ended(held)
        if request.rid in held.steps:
            if held.last_rid != request.rid:
                raise Refusal(409, "stale_request", sub=held.id)
            return {"lease": self.lease(held, request.rid)}
        if shown.nonce not in {held.nonce, *held.old_nonces}:
            held.seq = max(held.seq, shown.seq)
        elif shown.nonce != held.nonce:
            held.forks += 1
        self._step(held, request)
        return {"lease": self.lease(held, request.rid)}

    def _release(self, request: Request, held: Activation) -> dict[str, Any]:
        sold = self.rows.licenses[held.license]
        if sold.holder == held.id:
            sold.holder = None
            held.ended = "activation_released"
        return {"statement": self.statement(request, "activation_released", held.id)}

    def _refuse_ended(self, held: Activation) -> None:
        ended = self.rows.licenses[held.license].ended or held.ended
        if ended:
            raise Refusal(403, ended, sub=held.id)

    def _step(self, held: Activation, request: Request) -> None:
        if held.nonce:
            held.old_nonces.add(held.nonce)
        held.seq += 1
        held.nonce = b64.encode(hashlib.sha256(f"{held.id} {held.seq} {request.rid}".encode()).digest()[:16])
        held.steps[request.rid] = request.op
        held.last_rid = request.rid

    @staticmethod
    def _problem(status: int, problem: dict[str, Any]) -> Reply:
        return Reply(status, "application/problem+json", strict_json.dumps(problem))
