"""Every answer about software releases and downloads."""

from __future__ import annotations

from tillkey_server.rules.decision import Code


class UpdateCode(Code):
    """The family of codes about updates; `docs/codes.md` explains each."""

    UPDATE_AVAILABLE = "update_available"
    UPDATE_CURRENT = "update_current"
    UPDATE_NONE_PUBLISHED = "update_none_published"
    UPDATE_NONE_FOR_PLATFORM = "update_none_for_platform"
    UPDATE_SUPPORT_EXPIRED = "update_support_expired"
    UPDATE_NOT_IN_SCOPE = "update_not_in_scope"
    UPDATE_WITHDRAWN = "update_withdrawn"
    UPDATE_PRERELEASE = "update_prerelease"
    UPDATE_SITE_NOT_BOUND = "update_site_not_bound"
    UPDATE_DOWNLOAD_LIMIT = "update_download_limit"
    UPDATE_NOT_OFFERED = "update_not_offered"
    DOWNLOAD_GRANTED = "download_granted"
    DOWNLOAD_REDEEMED = "download_redeemed"
    DOWNLOAD_GRANT_INVALID = "download_grant_invalid"
    RELEASE_PUBLISHED = "release_published"
    RELEASE_ALREADY_PUBLISHED = "release_already_published"
    RELEASE_DIFFERS = "release_differs"
    RELEASE_WITHDRAWN = "release_withdrawn"
    FIX_RELEASED = "fix_released"
    HOTFIX_ALLOWED = "hotfix_allowed"
    HOTFIX_NOT_JUSTIFIED = "hotfix_not_justified"
    RESOLUTION_UPDATE = "resolution_update"
    RESOLUTION_UPDATE_TOO_NEW = "resolution_update_too_new"
    UPDATE_FREE = "update_free"
    UPDATE_PAID = "update_paid"
    UPDATE_DISPUTED = "update_disputed"
    UPDATE_CLASSIFIED = "update_classified"
    OFFER_NOT_PERMITTED = "offer_not_permitted"
