"""The mint: signs leases and statements with the active online key. What it signs was committed before (I4)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tillkey.wire import b64
from tillkey.wire.answers import Lease, Statement, open_lease, open_statement, sign_lease, sign_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keys import PublicKey
from tillkey.wire.keyset import Keyset, OnlineKey
from tillkey.wire.request import Request
from tillkey_server.clock import to_epoch
from tillkey_server.errors import ConfigError, Unavailable
from tillkey_server.ids import new_id, new_token
from tillkey_server.rules.lease import LeaseTimes
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.signing.keyring import Keyring

_CANARY_SECONDS = 60
_MEND = "`tillkey-server doctor` tells what helps; what is damaged comes back from the backup"


@dataclass(frozen=True, slots=True)
class LeaseContent:
    """What a lease says of a committed step.

    `activation` and `project` are ids, `product` is a code, `times` come from `rules.lease`, `seq` and `nonce` are of
    the step.
    """

    activation: UUID
    product: str
    project: UUID
    environment: str
    license: LicenseFacts
    policy: Policy
    times: LeaseTimes
    seq: int
    nonce: str = field(repr=False)
    offline: bool = False


class Mint:
    """Makes signed answers for one keyring."""

    def __init__(self, keyring: Keyring) -> None:
        """Take the keys to sign with."""
        self._keyring = keyring

    def __repr__(self) -> str:
        """Show the keyring's public side."""
        return f"Mint({self._keyring!r})"

    def lease(self, request: Request, content: LeaseContent) -> str:
        """Return the signed lease that answers `request`; the row of its step must be committed.

        Raises Unavailable when no key may sign now, WireError where the policy's entitlements make it too long.
        """
        times, facts, policy = content.times, content.license, content.policy
        lease = Lease(
            iss=self._keyring.issuer,
            sub=str(content.activation),
            aud=content.product,
            iat=to_epoch(times.iat),
            nbf=to_epoch(times.iat),
            exp=to_epoch(times.exp),
            jti=new_token(),
            jkt=request.jkt,
            rid=request.rid,
            license=str(facts.id),
            project=str(content.project),
            environment=content.environment,
            entitlements=policy.entitlements.granted,
            degraded=policy.entitlements.degraded,
            refresh_at=to_epoch(times.refresh_at),
            soft_exp=to_epoch(times.soft_exp),
            use_until=_optional(times.use_until),
            support_until=_optional(facts.support_until),
            updates_until=_optional(facts.updates_until),
            seq=content.seq,
            nonce=content.nonce,
            min_keyset=self._keyring.keyset.version,
            policy_name=policy.ref.name,
            policy_version=policy.ref.version,
            offline=content.offline,
        )
        return sign_lease(lease, self._keyring.signer(times.iat))

    def statement(
        self,
        *,
        request: Request,
        code: str,
        clauses: Sequence[str],
        now: datetime,
        sub: UUID | None = None,
        retry_at: datetime | None = None,
        options: Sequence[str] = (),
    ) -> str:
        """Return the signed statement that answers `request`: a refusal that a till may believe, or a receipt.

        In: `sub` is the activation that it is about, None where the request has none. Raises Unavailable when no key
        may sign now.
        """
        return sign_statement(
            Statement(
                iss=self._keyring.issuer,
                iat=to_epoch(now),
                jti=new_token(),
                jkt=request.jkt,
                rid=request.rid,
                code=code,
                clauses=tuple(clauses),
                sub=None if sub is None else str(sub),
                retry_at=_optional(retry_at),
                options=tuple(options),
            ),
            self._keyring.signer(now),
        )

    def prove(self, now: datetime) -> None:
        """Sign a canary and check it as a till would, with the keyset and with the published JWK Set.

        Raises ConfigError when a till could not believe this server's answers: it must not start then.
        """
        try:
            key = self._keyring.signer(now)
            lease = _canary_lease(self._keyring, to_epoch(now))
            statement = _canary_statement(self._keyring, to_epoch(now))
            for keyset in (self._keyring.keyset, _published(self._keyring)):
                same = open_lease(sign_lease(lease, key), keyset) == lease
                same &= open_statement(sign_statement(statement, key), keyset) == statement
                if not same:
                    raise ConfigError(f"the keys do not fit the keyset: an answer came back changed; {_MEND}")
        except (WireError, Unavailable) as error:
            raise ConfigError(
                f"the keys do not fit the keyset, so that no till would believe this server: {error}; {_MEND}"
            ) from error


def _optional(instant: datetime | None) -> int | None:
    """Return an instant's seconds, or None for none."""
    return None if instant is None else to_epoch(instant)


def _published(keyring: Keyring) -> Keyset:
    """Return the keyset with the keys as the JWK Set gives them, so that the canary proves what is published."""
    newest = keyring.keyset
    keys = []
    for jwk in keyring.jwks()["keys"]:
        key = PublicKey.from_jwk({name: jwk[name] for name in ("kty", "crv", "x")})
        known = newest.find(jwk["kid"])
        if known is not None and key.thumbprint == jwk["kid"]:
            keys.append(OnlineKey(key, known.not_before, known.not_after))
    return Keyset(newest.issuer, newest.version, newest.threshold, newest.roots, tuple(keys), newest.issued_at)


def _canary_lease(keyring: Keyring, now: int) -> Lease:
    """Return a lease of nothing, about nobody, for a minute."""
    until = now + _CANARY_SECONDS
    return Lease(
        iss=keyring.issuer,
        sub=str(new_id()),
        aud="canary",
        iat=now,
        nbf=now,
        exp=until,
        jti=new_token(),
        jkt=b64.encode(secrets.token_bytes(32)),
        rid=new_token(),
        license=str(new_id()),
        project=str(new_id()),
        environment="development",
        entitlements=("canary",),
        degraded=(),
        refresh_at=until,
        soft_exp=until,
        use_until=None,
        support_until=until,
        updates_until=until,
        seq=1,
        nonce=new_token(),
        min_keyset=keyring.keyset.version,
        policy_name="canary",
        policy_version=1,
    )


def _canary_statement(keyring: Keyring, now: int) -> Statement:
    """Return a statement about nobody."""
    return Statement(
        iss=keyring.issuer,
        iat=now,
        jti=new_token(),
        jkt=b64.encode(secrets.token_bytes(32)),
        rid=new_token(),
        code="license_invalid",
        clauses=("K-14",),
        options=("ask_support",),
    )
