"""A crowd of tills for one server: each with a license, a key, and the last lease that it got."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence

from bench.load import Prepared, fire
from tillkey.wire import b64
from tillkey.wire.answers import Lease, open_lease
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset
from tillkey.wire.request import Activate, Body, ClockReading, Deactivate, Heartbeat, Project, path_of, sign_request

PRODUCT = "pos-core"
_FINGERPRINT = {name: b64.encode(os.urandom(32)) for name in ("machine_id", "hostname", "hardware", "location")}


class Crowd:
    """Tills that all do the same thing at the same time.

    In: the server's address and keyset, and one license key for each till.
    """

    def __init__(self, url: str, keyset: Keyset, license_keys: Sequence[str]) -> None:
        self.url = url
        self.keyset = keyset
        self.license_keys = license_keys
        self._keys = [PrivateKey.from_seed(os.urandom(32)) for _ in license_keys]
        self._leases: list[Lease] = []

    async def activate(self) -> float:
        """Activate all of them; return how many requests a second were answered."""
        return await self._ask([_activation(key, number) for number, key in enumerate(self.license_keys)])

    async def heartbeat(self) -> float:
        """Let each beat once."""
        now = int(time.time())
        clock = ClockReading(now, 1000, "boot-1")
        bodies = [Heartbeat(one.sub, one.nonce, one.seq, _FINGERPRINT, "1.0", clock) for one in self._leases]
        return await self._ask(bodies)

    async def deactivate(self) -> float:
        """Give every license back."""
        return await self._ask([Deactivate(one.sub) for one in self._leases])

    async def check(self) -> float:
        """Ask about each license key, unsigned."""
        documents = [{"license_key": key, "product": PRODUCT} for key in self.license_keys]
        found = await fire(self.url, [Prepared.post(self.url, "/v1/licenses/check", one) for one in documents])
        return found.per_second

    async def list(self, api_key: str, path: str) -> float:
        """Ask for one page of a list, as often as there are tills."""
        asked = Prepared.get(self.url, path, f"Authorization: Bearer {api_key}\r\n")
        return (await fire(self.url, [asked] * len(self.license_keys))).per_second

    async def _ask(self, bodies: Sequence[Body]) -> float:
        prepared = [self._signed(body, key) for body, key in zip(bodies, self._keys, strict=True)]
        found = await fire(self.url, prepared)
        answers = [json.loads(body) for body in found.bodies]
        if "lease" in answers[0]:
            self._leases = [open_lease(answer["lease"], self.keyset) for answer in answers]
        return found.per_second

    def _signed(self, body: Body, key: PrivateKey) -> Prepared:
        rid, now = b64.encode(os.urandom(16)), int(time.time())
        text = sign_request(body, aud=self.keyset.issuer, rid=rid, keyset=self.keyset.version, iat=now, key=key)
        return Prepared.post(self.url, path_of(body), {"request": text})


def _activation(license_key: str, number: int) -> Activate:
    return Activate(
        product=PRODUCT,
        project=Project(f"Shop {number}"),
        environment="production",
        fingerprint=_FINGERPRINT,
        app_version="1.0",
        license_key=license_key,
    )
