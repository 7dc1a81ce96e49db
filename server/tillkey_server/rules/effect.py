"""Every effect outside the database that a decision may have; each is a row of the outbox (law 5).

1. A name is never given another meaning, and never taken away while rows of it may wait.
2. Its subject is one id. Its payload has ids, codes, amounts and instants: no name, no address, nobody's words, no
   secret.
3. Each is in the table of docs/operations.md.
"""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What somebody outside has to hear of or to do."""

    REFUND_PROPOSED = "refund_proposed"
    REFUND_GRANTED = "refund.granted"
    REFUND_PAYOUT = "refund.payout"
    REFUND_COUPON = "refund.coupon"
    REFUND_ATTESTED = "refund.attested"
    REFUND_PAID_OUT = "refund.paid_out"
    REFUND_PAYOUT_FAILED = "refund.payout_failed"
    REFUND_PAYOUT_LATE = "refund.payout_late"
    LICENSE_REVOKED = "license.revoked"
    LICENSE_HELD = "license.held"
    DOWNLOADS_VOIDED = "downloads.voided"
    USE_AFTER_REFUND = "use_after_refund"
    PREREQ_LOST = "prereq_lost"
    LICENSE_RENEWED = "license_renewed"
    RENEWAL_CREATED = "renewal_created"
    RENEWAL_CANCELLED_PRODUCT_RETIRED = "renewal_cancelled_product_retired"
    FIX_RELEASED = "fix_released"
    SERVICE_DECISION_FLIPPED = "service_decision_flipped"
    QUOTE_SENT = "quote_sent"
    ORDER_UNDER_REVIEW = "order_under_review"
    ORDER_RELEASED = "order_released"
    ORDER_REFUND_PROPOSED = "order_refund_proposed"
    ORDER_REFUNDED = "order_refunded"
    ACCOUNT_SUSPENSION_SET = "account_suspension_set"
    ACCOUNT_SUSPENSION_LIFTED = "account_suspension_lifted"
    TERMINATION_SCHEDULED = "termination_scheduled"
    ACCOUNT_TERMINATED_BY_VENDOR = "account_terminated_by_vendor"
    ACCOUNT_TERMINATED = "account_terminated"
