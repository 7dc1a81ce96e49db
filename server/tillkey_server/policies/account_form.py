"""The form of `[account]`: the terms of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from tillkey_server.policies.forms import Clauses, Duration, Section


class BehaviorSection(Section):
    """`[[account.behaviors]]`: one prohibited behavior."""

    code: Annotated[str, Field(pattern=r"^pb_[a-z_]{1,40}$")]
    severity: Literal["temporary", "permanent"]
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    fraud: bool = False
    automatic: bool = False


class AccountClausesSection(Section):
    """`[account.clauses]`."""

    suspension: Clauses
    behaviors: Clauses
    request: Clauses
    erasure: Clauses
    contact: Clauses
    vendor: Clauses
    balance: Clauses
    hold: Clauses


class AccountSection(Section):
    """`[account]`; a policy without it suspends and ends no account."""

    suspension_grace: Duration
    cooling_off: Duration
    appeal: Duration | None = None
    two_person_rule: bool
    suspension_clocks: Literal["run", "pause"] = "run"
    contact: Annotated[str, Field(min_length=1, max_length=500)]
    behaviors: Annotated[list[BehaviorSection], Field(max_length=50)]
    clauses: AccountClausesSection


def contradictions(section: AccountSection) -> Iterator[tuple[str, str]]:
    """Yield what no two values may say together, as (key, reason)."""
    codes = [one.code for one in section.behaviors]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        yield "account.behaviors.code", f"{twice} is listed twice"
    for one in section.behaviors:
        if (one.severity == "temporary") != (one.days is not None):
            yield "account.behaviors.days", f"{one.code}: a temporary suspension has days, a permanent one has none"
