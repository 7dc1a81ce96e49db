"""What decides an activation, and what a decision writes: the values of `activation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tillkey_server.rules.decision import Decision
from tillkey_server.rules.move import TicketFacts
from tillkey_server.rules.standing import LicenseFacts


class Action(StrEnum):
    """What a granted activation writes."""

    NEW = "new"
    HELD = "held"
    MOVE_IN_PLACE = "move_in_place"
    MOVE_WITH_TICKET = "move_with_ticket"
    REATTACH = "reattach"


@dataclass(frozen=True, slots=True)
class HolderFacts:
    """An active activation of the license.

    `slot` is `main` or `staging`. `last_seen_at` is when its till was last heard of, `lease_ends_at` the `exp` of its
    last lease.
    """

    id: UUID
    jkt: str
    project_id: UUID | None
    environment: str
    slot: str
    fingerprint: Mapping[str, str]
    started_at: datetime
    last_seen_at: datetime | None = None
    site: str | None = None
    lease_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """What is on record about the asking installation key; an unknown one has the defaults.

    `active_activation_of_product`: the key's active activation of this product, on whichever license. `held_before`: it
    had an activation of this very license that has ended.
    """

    customer_id: UUID | None = None
    blocked_at: datetime | None = None
    active_activation_of_product: UUID | None = None
    held_before: bool = False


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """All that decides an activation, read under the license's lock.

    `project_id` is None for a project that is not on record yet. `ticket` is the presented ticket's record, None for an
    unknown one; `ticket_presented` tells whether one was presented at all. `recent_takeovers`: when this license was
    taken over before. `is_first`: it was never activated, where the terms ask for that. `order_held_at` is since when
    its order is under review.
    """

    license: LicenseFacts
    license_customer_id: UUID
    project_id: UUID | None
    project_name: str
    environment: str
    jkt: str
    fingerprint: Mapping[str, str]
    holders: tuple[HolderFacts, ...] = ()
    installation: InstallationFacts = field(default_factory=InstallationFacts)
    bound_project_id: UUID | None = None
    bound_at: datetime | None = None
    bound_site: str | None = None
    site: str | None = None
    ticket: TicketFacts | None = None
    ticket_presented: bool = False
    recent_takeovers: tuple[datetime, ...] = ()
    is_first: bool = False
    order_held_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AutoRelease:
    """An unseen activation that gives way to a granted one, and the decision of its own to audit (NX-50)."""

    activation_id: UUID
    decision: Decision


@dataclass(frozen=True, slots=True)
class ActivationDecision:
    """The decision and what to write.

    `action` is None for a refusal. `releases`: all activations to end with it; those that end because they were unseen
    are in `auto_releases` too. `holder_id`: the activation that is held
    (`HELD`). `binds_project`: write the project as the license's. `uses_ticket`: mark the ticket used.
    """

    decision: Decision
    action: Action | None = None
    releases: tuple[UUID, ...] = ()
    auto_releases: tuple[AutoRelease, ...] = ()
    holder_id: UUID | None = None
    binds_project: bool = False
    uses_ticket: bool = False
