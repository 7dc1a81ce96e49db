"""A till without an SDK: it signs requests by hand and checks every answer, so that tests can send what no SDK would.

`RawTill` holds what a till's state folder holds: the installation key, the last lease. Every verb draws a new `rid`
unless the test gives one; the same `rid` again is a retry. An answer that its own request did not ask for fails the
test at once.
"""

from __future__ import annotations

import copy
import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tillkey.wire import b64
from tillkey.wire.answers import Lease, Statement, open_lease, open_statement
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset, open_keyset
from tillkey.wire.request import (
    Activate,
    Body,
    ClockReading,
    Deactivate,
    Heartbeat,
    Move,
    Project,
    Support,
    path_of,
    sign_request,
)

PROBLEM = "application/problem+json"


def new_rid() -> str:
    """Draw a `rid`: base64url of 16 random bytes."""
    return b64.encode(os.urandom(16))


def seed_of(name: str) -> bytes:
    """Return the 32 bytes of an installation key that is the same in every run, for tests that compare bytes."""
    return hashlib.sha256(f"till:{name}".encode()).digest()


def fingerprint_of(machine: str, location: str = "/opt/till") -> dict[str, str]:
    """Return the fingerprint of a set-up: three traits of its `machine` and the `location` that it is installed at."""
    traits = {name: f"{name}:{machine}" for name in ("machine_id", "hostname", "hardware")}
    traits["location"] = f"location:{location}"
    return {name: b64.encode(hashlib.sha256(trait.encode()).digest()) for name, trait in traits.items()}


def read_keyset(path: Path) -> Keyset:
    """Read the keyset that a till is shipped with."""
    return open_keyset(path.read_text("ascii"))


@dataclass(frozen=True)
class Reply:
    """One answer over HTTP: what it carried, each signed document already checked against the request."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)
    lease: Lease | None = None
    lease_text: str | None = field(default=None, repr=False)
    statement: Statement | None = None
    ticket: str | None = field(default=None, repr=False)

    @property
    def code(self) -> str | None:
        """The code of a refusal, None for a success."""
        code = self.body.get("code")
        return None if code is None else str(code)

    @property
    def granted(self) -> Lease:
        """The lease, where the test expects one."""
        assert self.lease is not None, f"no lease but {self.status} {dict(self.body)}"
        return self.lease


class RawTill:
    """One installation, speaking the protocol by hand.

    In: an `httpx.AsyncClient` whose base URL is the server's, the keyset that the till is shipped with, the product's
    code. `seed` (32 bytes) makes its key the same in every run; `machine` and `location` make its fingerprint.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        keyset: Keyset,
        *,
        product: str = "pos-core",
        seed: bytes | None = None,
        machine: str | None = None,
        location: str = "/opt/till",
    ) -> None:
        self.http = http
        self.keyset = keyset
        self.product = product
        self.key = PrivateKey.from_seed(seed or os.urandom(32))
        self.fingerprint = fingerprint_of(machine or self.jkt, location)
        self.lease: Lease | None = None
        self.lease_text: str | None = None

    @property
    def jkt(self) -> str:
        """The thumbprint that names the installation."""
        return self.key.public.thumbprint

    @property
    def held(self) -> Lease:
        """The last lease, where the test knows that there is one."""
        assert self.lease is not None, "this till holds no lease"
        return self.lease

    def copied(self) -> RawTill:
        """Return a till with a copy of this one's state folder: a clone, or a backup to be restored."""
        return copy.copy(self)

    def through(self, http: httpx.AsyncClient) -> RawTill:
        """Return a copy that talks to another server process."""
        other = self.copied()
        other.http = http
        return other

    async def activate(
        self,
        license_key: str | None = None,
        *,
        project: str | None = "Corner Shop",
        site: str | None = None,
        environment: str = "production",
        move_ticket: str | None = None,
        rid: str | None = None,
    ) -> Reply:
        """Activate with the license key; without one, rebind with the last lease."""
        body = Activate(
            product=self.product,
            project=None if project is None else Project(project, site),
            environment=environment,
            fingerprint=self.fingerprint,
            app_version="1.0",
            license_key=license_key,
            lease=self.lease_text if license_key is None else None,
            platform_version="test",
            move_ticket=move_ticket,
        )
        return await self.ask(body, rid=rid)

    async def heartbeat(self, *, rid: str | None = None, nonce: str | None = None) -> Reply:
        """Present the nonce of the last lease, or the one given."""
        clock = ClockReading(wall=int(time.time()), boottime=1000, boot_id="boot-1")
        held = self.held
        body = Heartbeat(held.sub, nonce or held.nonce, held.seq, self.fingerprint, "1.0", clock)
        return await self.ask(body, rid=rid)

    async def move(self, environment: str = "production", *, rid: str | None = None) -> Reply:
        """Ask for a ticket with which another installation takes the license to `environment`."""
        return await self.ask(Move(self.held.sub, self.held.nonce, environment), rid=rid)

    async def deactivate(self, *, rid: str | None = None) -> Reply:
        """Give the license back."""
        return await self.ask(Deactivate(self.held.sub), rid=rid)

    async def support(self, task: str, *, rid: str | None = None, **more: Any) -> Reply:
        """Ask whether the terms serve a request for support."""
        return await self.ask(Support(self.held.sub, task, **more), rid=rid)

    async def ask(self, body: Body, *, rid: str | None = None) -> Reply:
        """Sign and send one request, check its answer, keep the lease that it brings."""
        rid = rid or new_rid()
        return await self.send(self.sign(body, rid=rid), path_of(body), rid=rid)

    def sign(self, body: Body, *, rid: str, aud: str | None = None) -> str:
        """Return the request's compact JWS."""
        return sign_request(
            body,
            aud=aud or self.keyset.issuer,
            rid=rid,
            keyset=self.keyset.version,
            iat=int(time.time()),
            key=self.key,
        )

    async def send(self, text: str, path: str, *, rid: str) -> Reply:
        """Send a request that is already signed; the same text again is what a network's duplicate is."""
        return self.read(await self.http.post(path, json={"request": text}), rid=rid)

    def read(self, response: httpx.Response, *, rid: str) -> Reply:
        """Check an answer to the request with that `rid` and keep its lease, unless a newer one is held."""
        body = response.json()
        if response.status_code >= httpx.codes.BAD_REQUEST:
            assert response.headers["content-type"] == PROBLEM, response.text
            assert body["status"] == response.status_code, body
        lease = statement = None
        if "lease" in body:
            lease = open_lease(body["lease"], self.keyset)
            assert (lease.jkt, lease.rid, lease.aud) == (self.jkt, rid, self.product), lease
            if self.lease is None or self.lease.sub != lease.sub or lease.seq >= self.lease.seq:
                self.lease, self.lease_text = lease, body["lease"]
        if "statement" in body:
            statement = open_statement(body["statement"], self.keyset)
            assert (statement.jkt, statement.rid) == (self.jkt, rid), statement
            assert statement.code == body.get("code", "activation_released"), statement
        return Reply(
            status=response.status_code,
            body=body,
            headers=response.headers,
            lease=lease,
            lease_text=body.get("lease"),
            statement=statement,
            ticket=body.get("ticket"),
        )
