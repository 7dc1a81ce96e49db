"""The license server that the SDK's tests talk to: the office of `tillkey.testing` without its socket.

Keys and license keys are the same in every run, `seen` keeps the requests, opened, and a test may sign what no server
would. Its terms bind no license to a project and take no reinstalled machine for the old one.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
from dataclasses import replace
from typing import Any

from tillkey.effects import Reply
from tillkey.testing.books import Activation, Books, License, Step, sell
from tillkey.testing.mint import Mint
from tillkey.testing.office import Office
from tillkey.testing.terms import Terms
from tillkey.wire import b64
from tillkey.wire.answers import Statement, sign_lease, sign_statement
from tillkey.wire.keys import PrivateKey
from tillkey.wire.license_key import format_key, normalize
from tillkey.wire.request import Request

START = 1_760_000_000
HOUR = 3600
DAY = 24 * HOUR
PROJECT_ID = "0190d000-0000-7000-8000-000000000001"
TERMS = Terms(
    project_binding="while_active",
    require_project=False,
    refund_days=None,
    takeover_limit=0,
    granted=("sell", "loyalty"),
)
_FACTS = {
    "license_revoked": "revoked_at",
    "license_terminated": "terminated_at",
    "license_suspended": "suspended_at",
    "legal_hold": "legal_hold_at",
    "license_expired": "use_until",
}


def key_from(name: str) -> PrivateKey:
    """Make the same key for the same name."""
    return PrivateKey.from_seed(hashlib.sha256(name.encode()).digest())


def license_key(number: int = 1) -> str:
    """Make the same license key for the same number."""
    draws = itertools.count(number * 1000)
    return format_key("POS", lambda size: hashlib.sha512(str(next(draws)).encode()).digest()[:size])


class LicenseServer(Office):
    """Answers requests given as path and bytes at the time `now`."""

    def __init__(self, issuer: str = "tillkey-test", product: str = "pos-core") -> None:
        self.now = START
        self.product = product
        self.keyset_fetches: list[int] = []
        mint = Mint(issuer, key_from(f"{issuer} root"), key_from(f"{issuer} online 1"), self.now)
        super().__init__(mint, lambda: self.now)

    @property
    def issuer(self) -> str:
        return self.mint.issuer

    @property
    def keysets(self) -> dict[int, str]:
        """Each version's text."""
        return self.mint.texts

    def publish(self, keys: list[PrivateKey], *, wished: bool = False) -> str:
        """Publish the next keyset; only where it is `wished` do leases tell tills to fetch it."""
        before = self.mint.min_keyset
        text = self.mint.publish(keys, self.now)
        if not wished:
            self.mint.min_keyset = before
        return text

    def sell(self, number: int = 1, *, ended: str | None = None, use_until: int | None = None) -> str:
        """Issue a license and return its key; `ended` is the code of its end."""
        text = license_key(number)
        sold = sell(text, self.product, "owner@shop.example", TERMS, self.now)
        sold.use_until = use_until
        self.books.licenses[normalize(text)] = sold
        if ended:
            self.end(ended, number)
        return text

    def license(self, number: int = 1) -> License:
        """Return a sold license."""
        return self.books.licenses[normalize(license_key(number))]

    def end(self, code: str | None, number: int = 1) -> None:
        """Let a license come to the end that a code tells, or to none."""
        for name in _FACTS.values():
            setattr(self.license(number), name, self.now if code and _FACTS[code] == name else None)

    def force(self) -> None:
        """Free the license from the vendor's side."""
        self.books.end(self.holder(), "forced", self.now)

    def holder(self, number: int = 1) -> Activation:
        """Return the activation that holds a license."""
        (held,) = self.books.holders(self.license(number))
        return held

    def is_free(self, number: int = 1) -> bool:
        """Tell whether nobody holds a license."""
        return not self.books.holders(self.license(number))

    def knows_ticket(self, text: str) -> bool:
        """Tell whether a text is a move ticket made here."""
        return normalize(text) in self.books.tickets

    def snapshot(self) -> Books:
        """Back the database up."""
        return copy.deepcopy(self.books)

    def restore(self, books: Books) -> None:
        """Go back to a backup."""
        self.books = copy.deepcopy(books)

    def ops(self) -> list[str]:
        """Return the verbs asked so far; `rebind` for an activation with a lease."""
        return list(self.asked)

    def get(self, path: str) -> Reply:
        self.keyset_fetches.append(int(path.rsplit("/", 1)[1]))
        return super().get(path)

    def statement(self, request: Request, code: str, sub: str | None = None, **changes: Any) -> str:
        """Sign a statement for a request."""
        token = b64.encode(bytes(16))
        told = Statement(self.issuer, self.now, token, request.jkt, request.rid, code, ("NX-03",), sub)
        return sign_statement(replace(told, **changes), self.mint.online)

    def lease(self, held: Activation, rid: str, **changes: Any) -> str:
        """Sign the lease of an activation's current step."""
        step = Step(rid, "heartbeat", held.id, held.seq, held.nonce, by_key=False, created=False)
        lease = self.mint.content(self.books.license_of(held), held, step, self.now)
        return sign_lease(replace(lease, **changes), self.mint.online)
