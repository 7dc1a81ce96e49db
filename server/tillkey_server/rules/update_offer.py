"""An update that is offered in answer to a request for support.

1. The vendor may offer an update where the terms have offers, free or, where they say so, for payment (BC-16).
2. Where the terms say so, only one that was published by the time of the request is offered (ZG-15); then somebody has
   to know when it was.
   What a person found to be free, upon the customer's dispute, is offered for payment no more (`rules.update_dispute`).
3. Nothing is offered that was not published yet at the offer, or was withdrawn by then.
4. An offer is not a correction: whatever clock runs for that runs on (BC-16).
5. Where the terms say nothing about support a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tillkey_server.rules.decision import Decision, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_policy import OfferPolicy
from tillkey_server.rules.update_code import UpdateCode


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """An update that is offered at `offered_at` for a request of `requested_at`.

    `published_at` None: nobody knows when it was published. `is_paid` None: nobody said whether it costs anything.
    `found_free`: a person found that this version is to be free.
    """

    version: str
    requested_at: datetime
    offered_at: datetime
    published_at: datetime | None = None
    withdrawn_at: datetime | None = None
    is_paid: bool | None = None
    found_free: bool = False


def decide_offer(facts: OfferFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether an update is offered.

    Facts `version`, `paid`, `published_at`, `requested_at`, `is_correction` (never), and `because` for a no of the
    terms.
    """
    shown: dict[str, object] = {
        "version": facts.version,
        "paid": facts.is_paid,
        "published_at": instant(facts.published_at),
        "requested_at": instant(facts.requested_at),
        "is_correction": False,
    }
    if policy.support is None:
        clauses = policy.clocks.clauses.support
        return pend(UpdateCode.UPDATE_NOT_OFFERED, clauses=clauses, policy=policy.ref, now=now, facts=shown)
    offers = policy.support.offers
    clauses = policy.support.clauses.tasks if offers is None else offers.clauses
    code, because = _refused(facts, offers)
    if because is not None:
        shown["because"] = because
    if code is not None:
        return deny(code, clauses=clauses, policy=policy.ref, now=now, facts=shown)
    offered = {None: UpdateCode.RESOLUTION_UPDATE, True: UpdateCode.UPDATE_PAID, False: UpdateCode.UPDATE_FREE}
    return allow(offered[facts.is_paid], clauses=clauses, policy=policy.ref, now=now, facts=shown)


def _refused(facts: OfferFacts, offers: OfferPolicy | None) -> tuple[UpdateCode | None, str | None]:
    """Return why an update is not offered, and of a no of the terms what they say; None: it is."""
    if offers is None:
        return UpdateCode.OFFER_NOT_PERMITTED, "terms_offer_none"
    if facts.withdrawn_at is not None and facts.withdrawn_at <= facts.offered_at:
        return UpdateCode.UPDATE_WITHDRAWN, None
    if facts.is_paid and not offers.may_be_paid:
        return UpdateCode.OFFER_NOT_PERMITTED, "may_not_be_paid"
    if facts.is_paid and facts.found_free:
        return UpdateCode.OFFER_NOT_PERMITTED, "found_free"
    if facts.published_at is None:
        unknown = (UpdateCode.OFFER_NOT_PERMITTED, "publication_unknown")
        return unknown if offers.published_by_request else (None, None)
    latest = min(facts.requested_at, facts.offered_at) if offers.published_by_request else facts.offered_at
    return (UpdateCode.RESOLUTION_UPDATE_TOO_NEW, None) if facts.published_at > latest else (None, None)
