"""What a till remembers about one product, and its form in the state file.

1. One file per product, JSON: ``{"format": 1, "checksum": …, "state": {…}}``. The checksum (SHA-256 of the canonical
   ``state``) tells a torn or edited file from a whole one; it protects against accidents, the signatures inside
   protect against people.
2. Unknown members are kept and written back, so that an older SDK does not lose what a newer one added. A changed
   meaning gets a new ``format``, which an older SDK leaves alone.
3. The license key is in the state only while an ``activate`` is pending. What stays is ``license_value``, derived one
   way: it tells the same key again and keys the fingerprint.
4. A pending request is written with its ``rid`` before it is sent (PROTOCOL section 5), so that a crash repeats it
   rather than asking anew.

Pure: ``storage`` writes the bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Optional

from tillkey.timeline import Point, TimeMemory
from tillkey.wire import b64
from tillkey.wire.errors import WireError

FORMAT = 1
MAX_STATE_BYTES = 4 * 1024 * 1024

ACTIVATE = "activate"
REBIND = "rebind"
HEARTBEAT = "heartbeat"
MOVE = "move"
DEACTIVATE = "deactivate"
KINDS = (ACTIVATE, REBIND, HEARTBEAT, MOVE, DEACTIVATE)


class Damaged(ValueError):
    """The bytes are no state file: torn, truncated, edited or something else altogether."""


class TooNew(ValueError):
    """The file was written by a newer SDK in a form that this one does not know. It must be left alone."""


@dataclass(frozen=True)
class Chain:
    """Where the heartbeat chain stands.

    The activation, the sequence and nonce of the last lease, and the ``rid`` that it answered.
    """

    activation: str
    seq: int
    nonce: str
    rid: str


@dataclass(frozen=True)
class Pending:
    """A request that is durable and whose answer is not yet known.

    ``kind`` is one of ``KINDS`` (``rebind`` is an ``activate`` with the last lease); ``content`` tells whether
    another call asks for the same; ``seed`` is a new installation key that counts only once the request is granted.
    """

    kind: str
    rid: str
    content: str
    activation: Optional[str] = None
    nonce: Optional[str] = None
    seq: Optional[int] = None
    environment: Optional[str] = None
    project: Optional[str] = None
    site: Optional[str] = None
    license_value: Optional[bytes] = field(default=None, repr=False)
    license_key: Optional[str] = field(default=None, repr=False)
    move_ticket: Optional[str] = field(default=None, repr=False)
    seed: Optional[bytes] = field(default=None, repr=False)


@dataclass(frozen=True)
class State:
    """Everything that a till remembers about one product of one server.

    Documents are kept as the signed texts that came.
    """

    product: str
    issuer: str
    seed: Optional[bytes] = field(default=None, repr=False)
    lease: Optional[str] = None
    statement: Optional[str] = None
    license_value: Optional[bytes] = field(default=None, repr=False)
    chain: Optional[Chain] = None
    project: Optional[str] = None
    site: Optional[str] = None
    environment: Optional[str] = None
    keysets: tuple[str, ...] = ()
    pending: Optional[Pending] = None
    memory: TimeMemory = field(default_factory=TimeMemory)
    unknown: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    @property
    def secret(self) -> Optional[str]:
        """What must not stay on the disk once it is answered: the pending license key or move ticket."""
        return (self.pending.license_key or self.pending.move_ticket) if self.pending else None


def encode(state: State) -> bytes:
    """Return the bytes of the state file."""
    members = {
        **state.unknown,
        "product": state.product,
        "issuer": state.issuer,
        "key": _text(state.seed),
        "lease": state.lease,
        "statement": state.statement,
        "license_value": _text(state.license_value),
        "chain": vars(state.chain) if state.chain else None,
        "project": state.project,
        "site": state.site,
        "environment": state.environment,
        "keysets": list(state.keysets),
        "pending": _pending_members(state.pending),
        "time": {"anchor": _point_members(state.memory.anchor), "highest": _point_members(state.memory.highest)},
    }
    canonical = _canonical(members)
    checksum = hashlib.sha256(canonical).hexdigest()
    return b'{"format":%d,"checksum":"%s","state":%s}\n' % (FORMAT, checksum.encode("ascii"), canonical)


def decode(raw: bytes) -> State:
    """Read a state file; raises ``Damaged`` or ``TooNew``."""
    try:
        document = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Damaged("is not JSON") from error
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise Damaged("is not a state file")
    if document["format"] > FORMAT:
        raise TooNew(f"is of format {document['format']}; this version reads format {FORMAT}")
    members = document.get("state")
    if not isinstance(members, dict) or document.get("checksum") != hashlib.sha256(_canonical(members)).hexdigest():
        raise Damaged("does not match its checksum")
    try:
        return _state(dict(members))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"has a member of the wrong kind ({error})") from error


def with_pending(state: State, pending: Optional[Pending]) -> State:
    """Return the state with another pending request, or none."""
    return replace(state, pending=pending)


def _canonical(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode("ascii")


def _text(raw: Optional[bytes]) -> Optional[str]:
    return None if raw is None else b64.encode(raw)


def _pending_members(pending: Optional[Pending]) -> Optional[dict[str, Any]]:
    if pending is None:
        return None
    members = dict(vars(pending))
    members["license_value"] = _text(pending.license_value)
    members["seed"] = _text(pending.seed)
    return {name: member for name, member in members.items() if member is not None}


def _point_members(point: Optional[Point]) -> Optional[dict[str, Any]]:
    return None if point is None else dict(vars(point))


def _state(members: dict[str, Any]) -> State:
    chain, pending, time = members.pop("chain"), members.pop("pending"), members.pop("time")
    return State(
        product=_want(str, members.pop("product")),
        issuer=_want(str, members.pop("issuer")),
        seed=_secret(members.pop("key")),
        lease=_maybe(str, members.pop("lease")),
        statement=_maybe(str, members.pop("statement")),
        license_value=_secret(members.pop("license_value")),
        chain=_chain(chain) if chain is not None else None,
        project=_maybe(str, members.pop("project")),
        site=_maybe(str, members.pop("site")),
        environment=_maybe(str, members.pop("environment")),
        keysets=tuple(_want(str, text) for text in _want(list, members.pop("keysets"))),
        pending=_pending(pending) if pending is not None else None,
        memory=TimeMemory(_point(time["anchor"]), _point(time["highest"])),
        unknown=MappingProxyType(members),
    )


def _chain(members: dict[str, Any]) -> Chain:
    return Chain(
        _want(str, members["activation"]),
        _want(int, members["seq"]),
        _want(str, members["nonce"]),
        _want(str, members["rid"]),
    )


def _pending(members: dict[str, Any]) -> Pending:
    texts = ("activation", "nonce", "environment", "project", "site", "license_key", "move_ticket")
    kind = _want(str, members["kind"])
    if kind not in KINDS:
        raise ValueError(kind)
    return Pending(
        kind,
        _want(str, members["rid"]),
        _want(str, members["content"]),
        seq=_maybe(int, members.get("seq")),
        license_value=_secret(members.get("license_value")),
        seed=_secret(members.get("seed")),
        **{name: _maybe(str, members.get(name)) for name in texts},
    )


def _point(members: Optional[dict[str, Any]]) -> Optional[Point]:
    if members is None:
        return None
    time, wall, boottime = (_want(int, members[name]) for name in ("time", "wall", "boottime"))
    return Point(time, wall, boottime, _want(str, members["boot_id"]))


def _want(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{kind.__name__} expected")
    return value


def _maybe(kind: type, value: Any) -> Any:
    return None if value is None else _want(kind, value)


def _secret(value: Any) -> Optional[bytes]:
    if value is None:
        return None
    try:
        raw = b64.decode(_want(str, value))
    except WireError as error:
        raise ValueError("not base64url") from error
    if len(raw) != 32:  # noqa: PLR2004 - the length of an Ed25519 seed and of a SHA-256
        raise ValueError("not 32 bytes")
    return raw
