"""What is on record about one request for support, as far as a refund or a warranty may depend on it.

The conversation itself is a help desk's; these are its instants and its findings. An instant that is None has not come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Finding(StrEnum):
    """What somebody who looked into a request found."""

    MALFUNCTION = "malfunction"
    CORRUPT = "corrupt"
    NOT_AS_DESCRIBED = "not_as_described"
    MISLED = "misled"
    NOT_REPRODUCIBLE = "not_reproducible"
    CUSTOMER_ACTION = "customer_action"
    THIRD_PARTY = "third_party"
    UNSOLVABLE_SINGULAR = "unsolvable_singular"


FAULTS = frozenset({Finding.MALFUNCTION, Finding.CORRUPT, Finding.NOT_AS_DESCRIBED, Finding.UNSOLVABLE_SINGULAR})
"""What says that the product is at fault."""
NO_FAULTS = frozenset({Finding.NOT_REPRODUCIBLE, Finding.CUSTOMER_ACTION, Finding.THIRD_PARTY})
"""What says that it is not, as far as anybody could see."""


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """A request with its clocks; the `…_due` ends are exclusive, and None where the terms set none or it stands still.

    `reported_at` is when it was received, as far as that is known (CJ-12). `attempt_offered_at` is when a fix, a
    workaround or a timeline was offered, `attempt_declined_at` when the customer was still not satisfied. `solved_at`
    is when it was solved; until `objection_until`, exclusive, the customer may still say that it is not. None: a
    solution is one at once, tested or not. `refused_at` is since when it stands refused. `is_fault` is False where the
    terms correct faults alone and this is none, as far as anybody knows. `calendar` names what the ends are counted by.
    `platform_version` is the one that the customer named.
    """

    id: UUID
    license_id: UUID | None
    reported_at: datetime
    findings: frozenset[Finding]
    first_human_reply_at: datetime | None = None
    attempt_offered_at: datetime | None = None
    attempt_declined_at: datetime | None = None
    solved_at: datetime | None = None
    objection_until: datetime | None = None
    reply_due: datetime | None = None
    resolve_due: datetime | None = None
    fix_due: datetime | None = None
    is_presale: bool = False
    refused_at: datetime | None = None
    is_fault: bool = True
    calendar: str | None = None
    platform_version: str | None = None

    def was_refused_before(self, due: datetime | None) -> bool:
        """Tell whether it stands refused since before something was due, or while nothing was."""
        return self.refused_at is not None and (due is None or self.refused_at < due)
