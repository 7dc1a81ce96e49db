"""The fake server's keys, made anew for each server and worth nothing elsewhere, and what they sign."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from tillkey.testing.books import Activation, License, Step
from tillkey.testing.refusals import Refused
from tillkey.testing.terms import seconds_of
from tillkey.wire import b64
from tillkey.wire.answers import Lease, Statement, sign_lease, sign_statement
from tillkey.wire.keys import KEY_BYTES, PrivateKey
from tillkey.wire.keyset import Keyset, OnlineKey, sign_keyset
from tillkey.wire.request import Request


class Mint:
    """Signs leases and statements; ``keyset`` is the newest one, ``texts`` holds each version as it is published."""

    def __init__(self, issuer: str, root: PrivateKey, online: PrivateKey, now: int) -> None:
        """Take the keys and publish the first keyset."""
        self.issuer = issuer
        self.root = root
        self.texts: dict[int, str] = {}
        self.publish([online], now)

    def publish(self, keys: Sequence[PrivateKey], now: int) -> str:
        """Publish the next keyset with these online keys and return it; the last one signs from now on."""
        self._publish([OnlineKey(key.public, 0, None) for key in keys], keys[-1], now)
        return self.texts[self.keyset.version]

    def rotate(self, key: PrivateKey, now: int, *, stolen: bool) -> None:
        """Sign with a new key from now on; the one before stays believed for what it has signed, unless it was stolen.

        That is the server's planned rotation: the old key stays in the keyset, with an end.
        """
        *older, last = self.keyset.keys
        kept = older if stolen else [*older, replace(last, not_after=now + 1)]
        self._publish([*kept, OnlineKey(key.public, 0, None)], key, now)

    def _publish(self, keys: Sequence[OnlineKey], signer: PrivateKey, now: int) -> None:
        self.keyset = Keyset(self.issuer, len(self.texts) + 1, 1, (self.root.public,), tuple(keys), now)
        self.texts[self.keyset.version] = sign_keyset(self.keyset, [self.root])
        self.online, self.min_keyset = signer, self.keyset.version

    def lease(self, sold: License, held: Activation, step: Step, now: int) -> str:
        """Return the signed lease of a step."""
        return sign_lease(self.content(sold, held, step, now), self.online)

    def content(self, sold: License, held: Activation, step: Step, now: int) -> Lease:
        """Return what the lease of a step says, its times counted from ``now`` and none of them after ``use_until``."""
        terms = sold.terms
        refundable = sold.refund_until is not None and now < sold.refund_until
        exp = _earlier(now + seconds_of(terms.full_while_refundable if refundable else terms.full), sold.use_until)
        soft_exp = min(now + seconds_of(terms.soft), exp)
        return Lease(
            iss=self.issuer,
            sub=held.id,
            aud=sold.product,
            iat=now,
            nbf=now,
            exp=exp,
            jti=_token(),
            jkt=held.jkt,
            rid=step.rid,
            license=sold.id,
            project=held.project,
            environment=held.environment,
            entitlements=terms.granted,
            degraded=terms.degraded,
            refresh_at=min(now + seconds_of(terms.heartbeat_every), soft_exp),
            soft_exp=soft_exp,
            use_until=sold.use_until,
            support_until=sold.support_until,
            updates_until=sold.updates_until,
            seq=step.seq,
            nonce=step.nonce,
            min_keyset=self.min_keyset,
            policy_name=terms.name,
            policy_version=terms.version,
        )

    def refusal(self, request: Request, no: Refused, now: int) -> str:
        """Return the signed form of a no."""
        return self.statement(request, no.code, no.clauses, now, sub=no.sub, retry_at=no.retry_at, options=no.options)

    def statement(
        self,
        request: Request,
        code: str,
        clauses: tuple[str, ...],
        now: int,
        *,
        sub: Optional[str] = None,
        retry_at: Optional[int] = None,
        options: tuple[str, ...] = (),
    ) -> str:
        """Return a signed statement that answers ``request``."""
        told = Statement(
            iss=self.issuer,
            iat=now,
            jti=_token(),
            jkt=request.jkt,
            rid=request.rid,
            code=code,
            clauses=clauses,
            sub=sub,
            retry_at=retry_at,
            options=options,
        )
        return sign_statement(told, self.online)


def new_key() -> PrivateKey:
    """Draw a key."""
    return PrivateKey(secrets.token_bytes(KEY_BYTES))


def _token() -> str:
    return b64.encode(secrets.token_bytes(16))


def _earlier(moment: int, end: Optional[int]) -> int:
    return moment if end is None else min(moment, end)
