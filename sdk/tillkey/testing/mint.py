"""The fake server's keys, made anew for each server and worth nothing elsewhere, and what they sign."""

from __future__ import annotations

import secrets
from typing import Optional

from tillkey.testing.books import Activation, License, Step
from tillkey.testing.refusals import Refused
from tillkey.testing.terms import seconds_of
from tillkey.wire import b64
from tillkey.wire.answers import Lease, Statement, sign_lease, sign_statement
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset, OnlineKey, sign_keyset
from tillkey.wire.request import Request

_SEED_BYTES = 32


class Mint:
    """Signs leases and statements; ``keyset`` is the newest one, ``texts`` holds each version as it is published."""

    def __init__(self, issuer: str, now: int) -> None:
        """Draw a root and the first online key."""
        self.issuer = issuer
        self.texts: dict[int, str] = {}
        self._root = PrivateKey(secrets.token_bytes(_SEED_BYTES))
        self.rotate(now)

    def rotate(self, now: int) -> None:
        """Publish the next keyset, whose only online key is a new one."""
        self._online = PrivateKey(secrets.token_bytes(_SEED_BYTES))
        keys = (OnlineKey(self._online.public, 0, None),)
        self.keyset = Keyset(self.issuer, len(self.texts) + 1, 1, (self._root.public,), keys, now)
        self.texts[self.keyset.version] = sign_keyset(self.keyset, [self._root])

    def lease(self, request: Request, sold: License, held: Activation, step: Step, now: int) -> str:
        """Return the signed lease of a step, its times counted from ``now`` and none of them after ``use_until``."""
        terms = sold.terms
        refundable = sold.refund_until is not None and now < sold.refund_until
        exp = _earlier(now + seconds_of(terms.full_while_refundable if refundable else terms.full), sold.use_until)
        soft_exp = min(now + seconds_of(terms.soft), exp)
        lease = Lease(
            iss=self.issuer,
            sub=held.id,
            aud=sold.product,
            iat=now,
            nbf=now,
            exp=exp,
            jti=_token(),
            jkt=request.jkt,
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
            min_keyset=self.keyset.version,
            policy_name=terms.name,
            policy_version=terms.version,
        )
        return sign_lease(lease, self._online)

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
        return sign_statement(told, self._online)


def _token() -> str:
    return b64.encode(secrets.token_bytes(16))


def _earlier(moment: int, end: Optional[int]) -> int:
    return moment if end is None else min(moment, end)
