"""Whether something may be sold, asked at the cart and again at the payment (NX-10).

1. The answers in their precedence: a legal hold on anything of the buyer's (CJ-02), a suspended account (NX-42), a
   retired product (BC-22), one that is offline (BC-19), a bundle of which a part is not on sale (BC-21), a length of
   support that the terms let nobody choose (NX-44), a buyer that is no professional where only those buy (ZG-21), and
   then what must be held before.
2. A prerequisite is held by a license of that product, or of its family, that is neither trial nor ended for good nor
   on hold, or by another line of the same cart (NX-10, NX-11). A trial of the core does not count.
3. Of a core the support must run too, where the terms say so (NX-12): at the payment, or, by `prerequisite_instant`,
   when the checkout was opened. What is renewed in the same cart counts as running. An end is exclusive (K-02). Support
   that was lost on a transfer does not run for its new owner (NX-18) until that pays for some.
4. Money that came for what may not be sold is never lost in silence (decided reading 2): the order is on record, under
   review, and a person decides.
5. Where the terms are silent about sales, a product that has a prerequisite pends; one without is sold.
6. A license of an extension whose last prerequisite was refunded or revoked stays, or is suspended, as the terms say;
   either way it is told (NX-13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Code, Decision, Outcome, Refusal, allow, deny, instant, pend
from tillkey_server.rules.order_line import CustomerType
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale_policy import PrerequisiteInstant, PrerequisiteLoss, SalePolicy


class SaleCode(Code):
    """Every answer about buying."""

    SALE_ALLOWED = "sale_allowed"
    SALE_TERMS_SILENT = "sale_terms_silent"
    PREREQ_MISSING = "prereq_missing"
    PREREQ_CORE_LICENSE_MISSING = "prereq_core_license_missing"
    PREREQ_CORE_SUPPORT_EXPIRED = "prereq_core_support_expired"
    PREREQ_LOST = "prereq_lost"
    PRODUCT_NOT_ON_SALE = "product_not_on_sale"
    PRODUCT_RETIRED = "product_retired"
    BUNDLE_NOT_ON_SALE = "bundle_not_on_sale"
    PURCHASE_MONTHS_NOT_OFFERED = "purchase_months_not_offered"
    BUYER_NOT_PROFESSIONAL = "buyer_not_professional"
    PRODUCT_OFFLINE_SERVICE_CONTINUES = "product_offline_service_continues"
    PRODUCT_ONLINE = "product_online"
    ORDER_RELEASED = "order_released"
    ORDER_NOT_UNDER_REVIEW = "order_not_under_review"
    ORDER_REFUND_PROPOSED = "order_refund_proposed"
    ORDER_REFUNDED = "order_refunded"
    ORDER_HAS_LICENSES = "order_has_licenses"


class OffSale(StrEnum):
    """Why a product is not sold."""

    RETIRED = "retired"
    OFFLINE = "offline"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Required:
    """A product that must be held before: its code, and whether it is a core."""

    code: str
    core: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A license of the buyer's; `alive`: neither ended for good nor on hold. `names` are its product's and family's.

    `support_lost`: its support stayed behind with whoever bought it, and counts for nothing (NX-12, NX-18).
    """

    license_id: UUID
    names: frozenset[str]
    trial: bool
    alive: bool
    support_until: datetime | None
    support_lost: bool = False


@dataclass(frozen=True, slots=True)
class SaleFacts:
    """What decides about one line of a cart.

    `beside` are the codes and families of the cart's other products, `renewed` the licenses that it renews. `part` is
    which part of a bundle is not on sale. `months` is the length that the buyer chose, `lengths` are those on offer.
    `suspended_until` counts while `suspended`.
    """

    product: str
    requires: tuple[Required, ...] = ()
    off_sale: OffSale | None = None
    part: str | None = None
    months: int | None = None
    lengths: tuple[int, ...] = ()
    beside: frozenset[str] = frozenset()
    renewed: frozenset[UUID] = frozenset()
    held: tuple[Held, ...] = ()
    customer_type: CustomerType | None = None
    legal_hold_at: datetime | None = None
    suspended: bool = False
    suspended_until: datetime | None = None
    paid_at: datetime | None = None
    cart_at: datetime | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


def decide_sale(facts: SaleFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a line may be sold; facts `product`, and what the answer rests on."""
    barred = _barred(facts, policy, now)
    if barred is not None:
        return barred
    off = _off_sale(facts, policy, now) or _length(facts, policy, now)
    if off is not None:
        return off
    terms = policy.sale
    if terms is None:
        return _silent(facts, policy, now)
    wrong = _buyer(facts, terms, policy, now)
    if wrong is not None:
        return wrong
    at = _instant(facts, terms, now)
    for required in facts.requires:
        missing = _missing(required, facts, policy, at, now)
        if missing is not None:
            return missing
    return allow(
        SaleCode.SALE_ALLOWED,
        clauses=policy.issue_clauses + _cited(facts, terms),
        policy=policy.ref,
        now=now,
        facts=_shown(facts, policy),
    )


def _silent(facts: SaleFacts, policy: Policy, now: datetime) -> Decision:
    """Return the answer of terms without a word on sales (sentence 5)."""
    shown = _shown(facts, policy)
    cited = policy.issue_clauses
    if facts.requires:
        shown["requires"] = [one.code for one in facts.requires]
        return pend(SaleCode.SALE_TERMS_SILENT, clauses=cited, policy=policy.ref, now=now, facts=shown)
    return allow(SaleCode.SALE_ALLOWED, clauses=cited, policy=policy.ref, now=now, facts=shown)


def _buyer(facts: SaleFacts, terms: SalePolicy, policy: Policy, now: datetime) -> Decision | None:
    """Return the no to a buyer that is no professional, where only those buy (ZG-21)."""
    if not terms.professional_only or facts.customer_type is CustomerType.PROFESSIONAL:
        return None
    told = None if facts.customer_type is None else facts.customer_type.value
    return deny(
        SaleCode.BUYER_NOT_PROFESSIONAL,
        clauses=terms.clauses.buyer,
        policy=policy.ref,
        now=now,
        facts=_shown(facts, policy) | {"customer_type": told},
        options=("attest_professional",),
    )


def decide_at_payment(found: Decision, policy: Policy, now: datetime) -> Decision:
    """Return what becomes of a paid line: sold, or under review with the reason as `because` (sentence 4)."""
    if found.allowed:
        return found
    return pend(
        Refusal.ORDER_UNDER_REVIEW,
        clauses=found.clauses + _review(policy),
        policy=policy.ref,
        now=now,
        facts={**found.facts, "reason": found.code.value, "outcome": found.outcome.value},
        options=("release_order", "refund"),
    )


def decide_loss(lost: str, license_id: UUID, policy: Policy, now: datetime) -> Decision:
    """Decide what becomes of an extension whose prerequisite `lost` is gone (sentence 6); fact `suspends`."""
    terms = policy.sale
    suspends = terms is not None and terms.on_prereq_loss is PrerequisiteLoss.SUSPEND_DEPENDENTS
    return allow(
        SaleCode.PREREQ_LOST,
        clauses=policy.issue_clauses if terms is None else terms.clauses.loss,
        policy=policy.ref,
        now=now,
        facts={"product": lost, "license_id": str(license_id), "suspends": suspends},
    )


def satisfied_by(code: str, held: tuple[Held, ...]) -> tuple[Held, ...]:
    """Return the licenses that hold a product for its extensions (sentence 2)."""
    return tuple(one for one in held if code in one.names and one.alive and not one.trial)


def _barred(facts: SaleFacts, policy: Policy, now: datetime) -> Decision | None:
    terms = policy.sale
    if facts.legal_hold_at is not None:
        return deny(
            Refusal.LEGAL_HOLD,
            clauses=policy.standing.legal_hold if terms is None else terms.clauses.hold,
            policy=policy.ref,
            now=now,
            facts=_shown(facts, policy) | {"since": instant(facts.legal_hold_at)},
            options=("ask_support",),
        )
    if facts.suspended:
        return deny(
            Refusal.ACCOUNT_SUSPENDED,
            clauses=policy.standing.suspended if policy.account is None else policy.account.clauses.suspension,
            policy=policy.ref,
            now=now,
            facts=_shown(facts, policy) | {"until": instant(facts.suspended_until)},
            retry_at=facts.suspended_until,
            options=("ask_support",),
        )
    return None


def _off_sale(facts: SaleFacts, policy: Policy, now: datetime) -> Decision | None:
    if facts.off_sale is None:
        return None
    terms = policy.sale
    code, cited = {
        OffSale.RETIRED: (SaleCode.PRODUCT_RETIRED, None if terms is None else terms.clauses.retired),
        OffSale.OFFLINE: (SaleCode.PRODUCT_NOT_ON_SALE, None if terms is None else terms.clauses.on_sale),
        OffSale.PART: (SaleCode.BUNDLE_NOT_ON_SALE, None if terms is None else terms.clauses.bundle),
    }[facts.off_sale]
    part = {} if facts.part is None else {"part": facts.part}
    return deny(
        code, clauses=cited or policy.issue_clauses, policy=policy.ref, now=now, facts=_shown(facts, policy) | part
    )


def _length(facts: SaleFacts, policy: Policy, now: datetime) -> Decision | None:
    """Return the no to a length of support that the terms let nobody choose (NX-44)."""
    if facts.months is None or facts.months in facts.lengths:
        return None
    return deny(
        SaleCode.PURCHASE_MONTHS_NOT_OFFERED,
        clauses=policy.issue_clauses if policy.terms is None else policy.terms.clauses.purchase,
        policy=policy.ref,
        now=now,
        facts=_shown(facts, policy) | {"months": facts.months, "offered": list(facts.lengths)},
    )


def _missing(required: Required, facts: SaleFacts, policy: Policy, at: datetime, now: datetime) -> Decision | None:
    """Return why a prerequisite is not met, or None."""
    terms = policy.sale
    if terms is None or required.code in facts.beside:
        return None
    shown = _shown(facts, policy) | {"requires": required.code}
    holding = satisfied_by(required.code, facts.held)
    cited = terms.clauses
    if not holding:
        code = SaleCode.PREREQ_CORE_LICENSE_MISSING if required.core else SaleCode.PREREQ_MISSING
        return deny(
            code,
            clauses=cited.core + cited.prerequisite if required.core else cited.prerequisite,
            policy=policy.ref,
            now=now,
            facts=shown,
            options=("buy_prerequisite",),
        )
    kept = [one for one in holding if not one.support_lost]
    supported = any(one.support_until is None or at < one.support_until for one in kept) or any(
        one.license_id in facts.renewed for one in holding
    )
    if not required.core or not terms.core_support or supported:
        return None
    ended = max((one.support_until for one in kept if one.support_until is not None), default=None)
    return deny(
        SaleCode.PREREQ_CORE_SUPPORT_EXPIRED,
        clauses=cited.support + cited.prerequisite,
        policy=policy.ref,
        now=now,
        facts=shown | {"support_until": instant(ended), "decided_at": instant(at), "timezone": policy.timezone.key},
        options=("renew_prerequisite",),
    )


def _instant(facts: SaleFacts, terms: SalePolicy, now: datetime) -> datetime:
    at = facts.paid_at or now
    if terms.prerequisite_instant is PrerequisiteInstant.CART and facts.cart_at is not None:
        return min(at, facts.cart_at)
    return at


def _cited(facts: SaleFacts, terms: SalePolicy) -> Clauses:
    """Return what a yes followed of the terms of buying."""
    cited: Clauses = terms.clauses.buyer if terms.professional_only else ()
    if facts.requires:
        cited += terms.clauses.prerequisite
    if any(one.core for one in facts.requires):
        cited += terms.clauses.core + (terms.clauses.support if terms.core_support else ())
    return cited


def _review(policy: Policy) -> Clauses:
    return policy.issue_clauses if policy.sale is None else policy.sale.clauses.review


def _shown(facts: SaleFacts, policy: Policy) -> dict[str, object]:
    return {"product": facts.product, **facts.extra, **policy.prevailing}


def worst_of(found: tuple[Decision, ...]) -> Decision:
    """Return the answer about a whole cart: the first no, else the first that pends, else the first yes."""
    order = (Outcome.DENY, Outcome.PEND, Outcome.ALLOW)
    return min(found, key=lambda one: order.index(one.outcome))


def decide_review(product: str, reason: str, policy: Policy, now: datetime) -> Decision:
    """Return that an order waits for a person, as while a fraud check runs (BC-37); facts `product`, `reason`."""
    return pend(
        Refusal.ORDER_UNDER_REVIEW,
        clauses=_review(policy),
        policy=policy.ref,
        now=now,
        facts={"product": product, "reason": reason},
        options=("release_order", "refund"),
    )


def decide_release(
    held_at: datetime | None, legal_hold_at: datetime | None, reason: str, policy: Policy, now: datetime
) -> Decision:
    """Decide whether an order is released (BC-37); a legal hold on anything of the buyer's comes first (CJ-02)."""
    if held_at is None:
        return deny(SaleCode.ORDER_NOT_UNDER_REVIEW, clauses=_review(policy), policy=policy.ref, now=now)
    shown = {"held_at": instant(held_at), "reason": reason}
    if legal_hold_at is not None:
        return deny(
            Refusal.LEGAL_HOLD,
            clauses=policy.standing.legal_hold if policy.sale is None else policy.sale.clauses.hold,
            policy=policy.ref,
            now=now,
            facts=shown | {"since": instant(legal_hold_at)},
            options=("ask_support",),
        )
    return allow(SaleCode.ORDER_RELEASED, clauses=_review(policy), policy=policy.ref, now=now, facts=shown)


def decide_overdue(held_at: datetime, policy: Policy, now: datetime) -> Decision | None:
    """Return that a refund is proposed, where an order was under review for too long (BC-37); else None."""
    if policy.sale is None or now < held_at + policy.sale.review_limit:
        return None
    return pend(
        SaleCode.ORDER_REFUND_PROPOSED,
        clauses=_review(policy),
        policy=policy.ref,
        now=now,
        facts={"held_at": instant(held_at), "limit_days": policy.sale.review_limit.days},
        options=("release_order", "refund"),
    )


def decide_reviewed(held_at: datetime | None, policy: Policy, now: datetime) -> Decision:
    """Tell whether an order is under review (BC-37), and where it is for too long that a refund is proposed."""
    if held_at is None:
        return allow(SaleCode.ORDER_NOT_UNDER_REVIEW, clauses=_review(policy), policy=policy.ref, now=now)
    return decide_overdue(held_at, policy, now) or refuse_under_review(held_at, policy, now)


def refuse_under_review(held_at: datetime, policy: Policy, now: datetime) -> Decision:
    """Return the no that a till meets which would begin to use a license of an order under review (BC-37).

    It refuses that one request: a till that runs is not lowered by it (PROTOCOL section 4).
    """
    return deny(
        Refusal.ORDER_UNDER_REVIEW,
        clauses=_review(policy),
        policy=policy.ref,
        now=now,
        facts={"since": instant(held_at)},
        options=("ask_support",),
    )
