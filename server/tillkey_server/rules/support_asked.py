"""What is asked when somebody wants support, with what is on record about the license (`rules.support`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tillkey_server.rules.install_credit import CreditFacts
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.rules.support_policy import Ground, GroundPolicy


@dataclass(frozen=True, slots=True)
class SupportAsked:
    """A request as it is told, with what is on record about its license; ids are texts, and None is unknown.

    `found` are grounds that somebody found, with the evidence. `same_site` and `licensed_install` are None where nobody
    told the site or the installation. `by_member`: by a member of the owner's project. `changed_hands`: bought by
    another customer, and its owner paid for no support since. `self_inflicted` are the instants at which requests about
    the same matter were closed as the customer's own doing. `bought_at` is when the license was paid for.
    `support_ended_at` is when its support had ended that did not run at the receipt; None: it ran, or `license` says
    so. `reviewed`: a supervisor takes it after a review. `lifted` are grounds of the sale that today's version took off
    the list.
    """

    task: str
    received_at: datetime
    license: LicenseFacts | None = None
    presale: bool = False
    project: str | None = None
    supported_project: str | None = None
    by_owner: bool = True
    by_member: bool = False
    changed_hands: bool = False
    same_site: bool | None = None
    licensed_install: bool | None = None
    platform_version: str | None = None
    feature: str | None = None
    advertised: Mapping[str, object] | None = None
    advertised_today: Mapping[str, object] | None = None
    causes: tuple[str, ...] = ()
    found: Mapping[Ground, str] = field(default_factory=dict)
    modified_files: Mapping[str, str] = field(default_factory=dict)
    delivered_files: Mapping[str, str] = field(default_factory=dict)
    hotfixed_files: frozenset[str] = frozenset()
    described: tuple[str, ...] = ()
    credits: tuple[CreditFacts, ...] = ()
    self_inflicted: tuple[datetime, ...] = ()
    bought_at: datetime | None = None
    support_ended_at: datetime | None = None
    reviewed: bool = False
    lifted: tuple[GroundPolicy, ...] = ()

    @property
    def is_presale(self) -> bool:
        """Tell whether it was asked before the purchase (`rules.support`, sentence 3)."""
        return self.presale and (self.bought_at is None or self.received_at < self.bought_at)

    @property
    def ended_at(self) -> datetime | None:
        """Return when support had ended that did not run at the receipt, or None (`rules.support`, sentence 6)."""
        until = None if self.license is None else self.license.support_until
        over = until is not None and until <= self.received_at
        return self.support_ended_at or (until if over else None)
