"""``FakeServer``: a license server for a vendor's own tests."""

from __future__ import annotations

import copy
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any, Optional, Union

from tillkey.arguments import environment_of
from tillkey.client import LicenseClient
from tillkey.testing.books import Activation, Books, License, Ticket, sell
from tillkey.testing.clock import MORNING, FakeClock, epoch_of
from tillkey.testing.listening import Listener
from tillkey.testing.mint import Mint, new_key
from tillkey.testing.office import Office
from tillkey.testing.support import CODES, Said
from tillkey.testing.terms import PRODUCTION, Terms, seconds_of
from tillkey.wire.errors import WireError
from tillkey.wire.license_key import format_key, normalize

OWNER = "owner@shop.example"
_STATUSES = {None: "active", "released": "released"}


@dataclass(frozen=True)
class Seat:
    """One activation of a license, as the vendor's support sees it.

    ``status`` is ``active``, ``released`` or ``superseded``; ``seq`` counts the leases; ``forks`` and ``switches`` are
    what copies of the state folder left behind.
    """

    activation: str
    environment: str
    status: str
    since: datetime
    seq: int
    forks: int
    switches: int


class FakeServer:
    """A license server on 127.0.0.1 that speaks the real protocol, with keys of its own and a clock that a test turns.

    ``terms`` are those of every license that is not sold under others; ``starts_at`` is the time to begin with.

    Use it as a context manager, or call ``start()`` and ``stop()``. What a person does at the vendor's
    (``revoke``, ``force_deactivate`` …) takes the license key, and is not limited as a real server's agents are.
    """

    def __init__(
        self, terms: Optional[Terms] = None, *, starts_at: datetime = MORNING, issuer: str = "tillkey-testing"
    ) -> None:
        """Make keys and an empty server; see the class."""
        self.terms = terms or Terms()
        self.clock = FakeClock(starts_at)
        mint = Mint(issuer, new_key(), new_key(), self.clock.seconds)
        self._office = Office(mint, lambda: self.clock.seconds)
        self._turn = threading.RLock()
        self._listener: Optional[Listener] = None

    def start(self) -> None:
        """Listen on a free port of 127.0.0.1; again is nothing."""
        if self._listener is None:
            self._listener = Listener(self._office, self._turn)

    def stop(self) -> None:
        """Stop listening; again is nothing."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def __enter__(self) -> FakeServer:  # noqa: PYI034 - typing.Self is not in Python 3.9
        self.start()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address for ``LicenseClient(server=…)``. Raises ``RuntimeError`` where the server is not started."""
        return self._listening.url

    @property
    def keyset(self) -> str:
        """The text for ``LicenseClient(pinned_keyset=…)``; write it to a file for a till that wants a path."""
        return self._office.mint.texts[1]

    @property
    def asked(self) -> tuple[str, ...]:
        """What tills have asked so far, in order: the verbs, and ``rebind``."""
        return self._office.asked

    def client(self, product: str, state_dir: Union[str, os.PathLike[str]], **options: Any) -> LicenseClient:
        """Return a till's client on this server and its clock; ``options`` are further ones of ``LicenseClient``.

        One ``state_dir`` is one till: another client on it is that till started again.
        """
        arguments: dict[str, Any] = {"clock": self.clock, **options}
        return LicenseClient(self.url, product, self.keyset, state_dir, **arguments)

    def license(
        self,
        product: str = "pos-core",
        *,
        customer: str = OWNER,
        use_for: Optional[timedelta] = None,
        terms: Optional[Terms] = None,
    ) -> str:
        """Sell a license now and return its key; ``use_for`` is a right with an end, None what the terms say."""
        text = format_key("TEST", secrets.token_bytes)
        sold = sell(text, product, customer, terms or self.terms, self.clock.seconds)
        if use_for is not None:
            sold.use_until = self.clock.seconds + seconds_of(use_for)
        with self._turn:
            self._office.books.licenses[sold.key] = sold
        return text

    def seats(self, key: str) -> tuple[Seat, ...]:
        """Return the activations of a license, the oldest first."""
        with self._turn:
            return tuple(_seat_of(one) for one in self._office.books.of_license(self._sold(key)))

    def turn(self, **by: float) -> None:
        """Let time pass for the server and its tills: ``turn(days=8)``; the names are those of ``timedelta``."""
        self.clock.turn(**by)

    def revoke(self, key: str) -> None:
        """End a license for good: at their next request its tills are ``revoked``."""
        self._set(key, revoked_at=self.clock.seconds)

    def terminate(self, key: str) -> None:
        """End a license with its owner's account (``license_terminated``)."""
        self._set(key, terminated_at=self.clock.seconds)

    def suspend(self, key: str, *, until: Optional[datetime] = None) -> None:
        """Suspend a license until a time, aware, or until ``resume``. Raises ``ValueError`` for a naive one."""
        end = None if until is None else epoch_of("until", until)
        self._set(key, suspended_at=self.clock.seconds, suspended_until=end)

    def resume(self, key: str) -> None:
        """Lift a suspension."""
        self._set(key, suspended_at=None, suspended_until=None)

    def hold(self, key: str) -> None:
        """Put a license on legal hold (``legal_hold``)."""
        self._set(key, legal_hold_at=self.clock.seconds)

    def lift_hold(self, key: str) -> None:
        """Lift a legal hold."""
        self._set(key, legal_hold_at=None)

    def renew(self, key: str, use_for: timedelta) -> None:
        """Let the right to use a license go on for so long from now."""
        self._set(key, use_until=self.clock.seconds + seconds_of(use_for))

    def release(self, key: str) -> None:
        """Give a license back in its till's stead; the till learns ``activation_released``."""
        self._end(key, "released")

    def force_deactivate(self, key: str) -> None:
        """Free a license whose machine is gone; should that come back, it learns ``activation_superseded``."""
        self._end(key, "forced")

    def move_ticket(self, key: str, environment: str = PRODUCTION) -> str:
        """Return a ticket as support makes one for a machine that is gone: it frees who is in another environment.

        Raises ``ValueError`` for an environment that there is not.
        """
        environment = environment_of(environment)
        with self._turn:
            sold = self._sold(key)
            text = format_key("MOVE", secrets.token_bytes)
            ends = self.clock.seconds + seconds_of(sold.terms.ticket_lifetime)
            self._office.books.tickets[normalize(text)] = Ticket(sold.id, environment, ends)
            return text

    def answer_support(
        self,
        key: str,
        decision: str = "allow",
        *,
        code: Optional[str] = None,
        text: str = "",
        clauses: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        acknowledge_within: Optional[timedelta] = None,
        fix_within: Optional[timedelta] = None,
    ) -> None:
        """Say what a license's tills are told when they ask about support; before, a person has to decide it.

        ``decision`` is ``allow``, ``deny`` or ``pend``; ``code`` and ``text`` None and "" for the plain ones of it. The
        deadlines count from each question. Raises ``ValueError`` for a decision that there is not.
        """
        if decision not in CODES:
            raise ValueError(f"decision: {decision!r} is none; use {', '.join(CODES)}")
        said = Said(decision, code or CODES[decision], text, clauses, options, acknowledge_within, fix_within)
        with self._turn:
            self._sold(key).support = said

    def rotate_keys(self, *, stolen: bool = False) -> None:
        """Replace the key that signs answers; tills walk to the new keyset with their next request.

        Leases under the old key stay as good as they were. Where it was ``stolen``, it leaves the keyset at once, and
        they count as past their end (``degraded``) from when a till has walked until its next lease.
        """
        with self._turn:
            self._office.mint.rotate(new_key(), self.clock.seconds, stolen=stolen)

    def go_down(self) -> None:
        """Answer nobody until ``come_up``: every call of a till ends with ``Unreachable``."""
        self._listening.down = True

    def come_up(self) -> None:
        """Answer again."""
        self._listening.down = False

    def drop_next_answer(self, count: int = 1) -> None:
        """Do what the next requests ask, and lose the answers on the way."""
        self._listening.lost = count

    def back_up(self) -> Books:
        """Return a copy of all that the server knows, for ``restore``."""
        with self._turn:
            return copy.deepcopy(self._office.books)

    def restore(self, backup: Books) -> None:
        """Go back to a backup, as a vendor does whose database was lost; keys and time stay."""
        with self._turn:
            self._office.books = copy.deepcopy(backup)

    @property
    def _listening(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("the fake server is not started: use `with FakeServer() as server`, or start()")
        return self._listener

    def _sold(self, key: str) -> License:
        """Return the license of a key; raises ``ValueError`` for one that this server did not sell."""
        try:
            return self._office.books.licenses[normalize(key)]
        except (KeyError, WireError):
            raise ValueError("key: is none that this server sold; take one that license() returned") from None

    def _set(self, key: str, **facts: Optional[int]) -> None:
        with self._turn:
            sold = self._sold(key)
            for name, fact in facts.items():
                setattr(sold, name, fact)

    def _end(self, key: str, reason: str) -> None:
        with self._turn:
            for held in self._office.books.holders(self._sold(key)):
                self._office.books.end(held, reason, self.clock.seconds)


def _seat_of(held: Activation) -> Seat:
    return Seat(
        activation=held.id,
        environment=held.environment,
        status=_STATUSES.get(held.end_reason, "superseded"),
        since=datetime.fromtimestamp(held.started_at, timezone.utc),
        seq=held.seq,
        forks=held.forks,
        switches=held.switches,
    )
