"""What a vendor's terms say about an account: what may suspend or end it, and how its owner ends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tillkey_server.rules.citation import Clauses


class Severity(StrEnum):
    """How long a behavior suspends."""

    TEMPORARY = "temporary"
    PERMANENT = "permanent"


class SuspensionClocks(StrEnum):
    """Whether the clocks of support and refund run on while an account is suspended, or pause."""

    RUN = "run"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Behavior:
    """One prohibited behavior (NX-43).

    `days` is how long a temporary suspension lasts where nobody says otherwise; None for a permanent one. `fraud`: a
    till that runs gets no grace. `automatic`: a program may end an account for it, with no person.
    """

    code: str
    severity: Severity
    days: int | None
    fraud: bool
    automatic: bool


@dataclass(frozen=True, slots=True)
class AccountClauses:
    """What the answers about accounts cite."""

    suspension: Clauses
    behaviors: Clauses
    request: Clauses
    erasure: Clauses
    contact: Clauses
    vendor: Clauses
    balance: Clauses
    hold: Clauses


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """The terms of accounts.

    `suspension_grace`: how long a till that runs goes on after its account was suspended. `cooling_off`: how long a
    termination may be taken back. `two_person_rule`: what ends or suspends an account takes two people. `contact` is
    what a customer is told before leaving. `appeal`: how long after its word the vendor's own end comes, so that there
    is time to appeal; None: at once. `suspension_clocks`: what a suspension does to support and refund windows.
    """

    suspension_grace: timedelta
    cooling_off: timedelta
    two_person_rule: bool
    contact: str
    behaviors: tuple[Behavior, ...]
    clauses: AccountClauses
    appeal: timedelta | None = None
    suspension_clocks: SuspensionClocks = SuspensionClocks.RUN

    def behavior(self, code: str) -> Behavior | None:
        """Return the behavior of a code, if the terms list it."""
        return next((one for one in self.behaviors if one.code == code), None)
