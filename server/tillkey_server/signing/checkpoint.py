"""Checkpoints of the audit log: the chain's head, signed, to be kept where the server's administrators cannot reach.

A compact JWS of its own `typ` under an online key, so that nothing else that the server signs can be passed off as one.
A checkpoint of a former key is still believed: it was taken to be compared years later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillkey.wire import b64, jws
from tillkey.wire.errors import WireError
from tillkey.wire.fields import Claims
from tillkey_server.clock import from_epoch, to_epoch
from tillkey_server.errors import BadInput
from tillkey_server.signing.keyring import Keyring, KeyState

TYP = "tillkey-audit-checkpoint+jwt"
MAX_BYTES = 4096
_FIELD = "checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How long the chain was at a moment, and its hash up to there; `seq` 0 where nothing was sealed."""

    seq: int
    hash: bytes
    at: datetime


def sign_checkpoint(checkpoint: Checkpoint, keyring: Keyring) -> str:
    """Return a checkpoint's text. Raises Unavailable when no key may sign then."""
    claims = {
        "v": 1,
        "iss": keyring.issuer,
        "iat": to_epoch(checkpoint.at),
        "seq": checkpoint.seq,
        "hash": b64.encode(checkpoint.hash),
    }
    return jws.sign(claims, typ=TYP, key=keyring.signer(checkpoint.at), member="kid")


def open_checkpoint(text: str, keyring: Keyring, now: datetime) -> tuple[Checkpoint, KeyState]:
    """Return a checkpoint and how its key stands now. Raises BadInput for what this server never signed."""
    try:
        compact = jws.split(text.strip(), typ=TYP, member="kid", field=_FIELD, max_bytes=MAX_BYTES)
        kid = Claims(compact.header, f"{_FIELD}.header").digest("kid")
        if not keyring.public(kid).verify(compact.signature, compact.signed):
            raise BadInput(_FIELD, "was changed: its signature does not fit")
        claims = Claims(compact.claims(_FIELD, MAX_BYTES), _FIELD)
        found = Checkpoint(
            claims.number("seq"),
            b64.decode(claims.digest("hash"), f"{_FIELD}.hash"),
            from_epoch(claims.number("iat")),
        )
        issuer = claims.text("iss")
    except WireError as error:
        raise BadInput(_FIELD, f"is no checkpoint of an audit log: {error}") from error
    except KeyError as error:
        raise BadInput(_FIELD, "is signed by a key of another server") from error
    if issuer != keyring.issuer:
        raise BadInput(_FIELD, "is of another server")
    return found, keyring.state(kid, now)
