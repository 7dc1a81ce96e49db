"""The codes of renewals and of the care that they pay for."""

from __future__ import annotations

from tillkey_server.rules.decision import Code


class RenewalCode(Code):
    """What a renewal is answered."""

    RENEWAL_QUOTE = "renewal_quote"
    RENEWAL_FREE = "renewal_free"
    REACTIVATION_QUOTE = "reactivation_quote"
    RENEWED_APPENDED = "renewed_appended"
    RENEWED_FROM_NOW = "renewed_from_now"
    RENEWAL_ALREADY_RECORDED = "renewal_already_recorded"
    RENEWAL_PENDING_REVIEW = "renewal_pending_review"
    RENEWAL_AFTER_RETIREMENT = "renewal_after_retirement"
    RENEWAL_NOT_OFFERED = "renewal_not_offered"
    RENEWAL_PRODUCT_RETIRED = "renewal_product_retired"
    RENEWAL_WRONG_CHANNEL = "renewal_wrong_channel"
    RENEWAL_MONTHS_NOT_OFFERED = "renewal_months_not_offered"
    RENEWAL_PRODUCT_OFFLINE_NOTICE = "renewal_product_offline_notice"


class CareCode(Code):
    """How the after-sales service of a license stands."""

    CARE_ACTIVE = "care_active"
    CARE_INACTIVE = "care_inactive"
    LICENSE_EXPIRED_USE_OK = "license_expired_use_ok"
    LICENSE_EXPIRED_RENEW_PROMPT = "license_expired_renew_prompt"


class SubscriptionCode(Code):
    """What an automatic renewal is answered."""

    SUBSCRIPTION_STARTED = "subscription_started"
    SUBSCRIPTION_ALREADY_STARTED = "subscription_already_started"
    SUBSCRIPTION_NOT_OFFERED = "subscription_not_offered"
    SUBSCRIPTION_NONE = "subscription_none"
    RENEWAL_CREATED = "renewal_created"
    RENEWAL_BLOCKED = "renewal_blocked"
    RENEWAL_CANCELLED = "renewal_cancelled"
    RENEWAL_CANCELLED_PRODUCT_RETIRED = "renewal_cancelled_product_retired"
    RENEWAL_NOT_CANCELLED = "renewal_not_cancelled"
    RENEWAL_RESUMED = "renewal_resumed"
    RENEWAL_EXPECTED = "renewal_expected"
    RENEWAL_UNPAID = "renewal_unpaid"
