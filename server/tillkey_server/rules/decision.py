"""What a rule answers: a value that says yes or no, why, on which facts, and what can be done next.

1. A rule is a pure function of frozen facts, a frozen policy and `now`; the same three give the same `Decision` (K-08).
2. An expected no is a `Refusal` in a `Decision`, never an exception.
3. Codes are closed families and part of the API's contract: a member is added, never renamed. `Refusal` and `Grant`
   are those of the protocol and of commands; a topic of the vendor's terms has a family of its own (`Code`).
4. Every decision cites the clauses it followed, in the vendor's own numbering, and the policy version they stand in.
5. Facts hold what a person needs to understand the answer and nothing secret or personal: no license key, no e-mail
   address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from tillkey_server.rules.policy import PolicyRef


class Outcome(StrEnum):
    """The three answers of K-08; `PEND` means that a person or a further fact decides."""

    ALLOW = "allow"
    DENY = "deny"
    PEND = "pend"


class Refusal(StrEnum):
    """Every no that somebody can meet (PROTOCOL section 4 and the commands of people)."""

    # Ends or suspends use, when signed.
    LICENSE_REVOKED = "license_revoked"
    LICENSE_TERMINATED = "license_terminated"
    LICENSE_EXPIRED = "license_expired"
    ACTIVATION_SUPERSEDED = "activation_superseded"
    ACTIVATION_RELEASED = "activation_released"
    ACCOUNT_SUSPENDED = "account_suspended"
    LICENSE_SUSPENDED = "license_suspended"
    LEGAL_HOLD = "legal_hold"
    # Refuses the one request.
    LICENSE_IN_USE = "license_in_use"
    STAGING_MUST_BE_DEACTIVATED = "staging_must_be_deactivated"
    BOUND_TO_OTHER_PROJECT = "bound_to_other_project"
    MOVE_TICKET_INVALID = "move_ticket_invalid"
    INSTALLATION_KEY_IN_USE = "installation_key_in_use"
    INSTALLATION_KEY_BLOCKED = "installation_key_blocked"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    LICENSE_INVALID = "license_invalid"
    PROJECT_REQUIRED = "project_required"
    ORDER_UNDER_REVIEW = "order_under_review"
    # Steers the SDK.
    STALE_REQUEST = "stale_request"
    REBIND_REQUIRED = "rebind_required"
    UNKNOWN_INSTALLATION = "unknown_installation"
    # Changes nothing for the till.
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    BAD_SIGNATURE = "bad_signature"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    # Answers a caller of the administration.
    API_KEY_INVALID = "api_key_invalid"
    PERMISSION_DENIED = "permission_denied"
    REQUEST_IN_PROGRESS = "request_in_progress"
    ORDER_DIFFERS = "order_differs"
    NAME_TAKEN = "name_taken"
    INSTALLATION_SHARED = "installation_shared"
    TRIAL_NOT_OFFERED = "trial_not_offered"
    TRIAL_USED = "trial_used"
    NOTHING_TO_TRANSFER = "nothing_to_transfer"
    NOTHING_TO_MOVE = "nothing_to_move"
    # Answers an agent's or an administrator's command.
    CONFIRMATION_REQUIRED = "confirmation_required"
    REASON_REQUIRED = "reason_required"
    FORCED_DEACTIVATION_LIMIT_REACHED = "forced_deactivation_limit_reached"
    FORCED_DEACTIVATION_TOO_SOON = "forced_deactivation_too_soon"
    NOT_FOUND = "not_found"
    NOT_ACTIVE = "not_active"
    NOT_SUSPENDED = "not_suspended"
    NOT_ON_HOLD = "not_on_hold"
    NOTHING_TO_RENEW = "nothing_to_renew"


class Grant(StrEnum):
    """Every yes, named by what happened."""

    LICENSE_ISSUED = "license_issued"
    LICENSE_ALREADY_ISSUED = "license_already_issued"
    ACTIVATION_GRANTED = "activation_granted"
    ACTIVATION_HELD = "activation_held"
    ACTIVATION_MOVED = "activation_moved"
    ACTIVATION_REATTACHED = "activation_reattached"
    ACTIVATION_ADOPTED = "activation_adopted"
    ACTIVATION_RELEASED = "activation_released"
    ACTIVATION_AUTO_RELEASED = "activation_auto_released"
    FORCED_DEACTIVATION_GRANTED = "forced_deactivation_granted"
    MOVE_TICKET_ISSUED = "move_ticket_issued"
    LEASE_RENEWED = "lease_renewed"
    LICENSE_SUSPENDED = "license_suspended"
    LICENSE_RESUMED = "license_resumed"
    LICENSE_REVOKED = "license_revoked"
    LICENSE_REFUNDED = "license_refunded"
    LICENSE_TERMINATED = "license_terminated"
    LEGAL_HOLD_PLACED = "legal_hold_placed"
    LICENSE_REKEYED = "license_rekeyed"
    LICENSE_TRANSFERRED = "license_transferred"
    LICENSE_PROJECT_CHANGED = "license_project_changed"
    TRIAL_ISSUED = "trial_issued"
    PRODUCT_CHANGED = "product_changed"
    CUSTOMER_CHANGED = "customer_changed"
    PROJECT_RENAMED = "project_renamed"
    PROJECT_MEMBER_ADDED = "project_member_added"
    PROJECT_MEMBER_REMOVED = "project_member_removed"
    PROJECT_SITE_CHANGED = "project_site_changed"
    API_KEY_CREATED = "api_key_created"
    API_KEY_REVOKED = "api_key_revoked"
    LEGAL_HOLD_RELEASED = "legal_hold_released"


class Code(StrEnum):
    """A closed family of outcomes about one topic of the terms, as refunds or support; each topic's rules define it.

    `docs/codes.md` explains every member, and `words` tells it in every language.
    """


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer of a rule (K-08); `facts` is JSON-able, `options` names what can be done next."""

    outcome: Outcome
    code: Refusal | Grant | Code
    clauses: tuple[str, ...]
    policy: PolicyRef
    evaluated_at: datetime
    facts: Mapping[str, object] = field(default_factory=dict)
    retry_at: datetime | None = None
    options: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Tell whether the answer is yes; `pend` is not a yes."""
        return self.outcome is Outcome.ALLOW


def allow(
    code: Grant | Code,
    *,
    clauses: tuple[str, ...],
    policy: PolicyRef,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> Decision:
    """Return a yes with its clauses and facts."""
    return Decision(Outcome.ALLOW, code, _once(clauses), policy, now, dict(facts or {}))


def deny(
    code: Refusal | Code,
    *,
    clauses: tuple[str, ...],
    policy: PolicyRef,
    now: datetime,
    facts: Mapping[str, object] | None = None,
    retry_at: datetime | None = None,
    options: tuple[str, ...] = (),
) -> Decision:
    """Return a no with its clauses, its facts, when to come back and what can be done instead."""
    return Decision(Outcome.DENY, code, _once(clauses), policy, now, dict(facts or {}), retry_at, options)


def pend(
    code: Refusal | Code,
    *,
    clauses: tuple[str, ...],
    policy: PolicyRef,
    now: datetime,
    facts: Mapping[str, object] | None = None,
    retry_at: datetime | None = None,
    options: tuple[str, ...] = (),
) -> Decision:
    """Return that a person or a further fact decides, and which."""
    return Decision(Outcome.PEND, code, _once(clauses), policy, now, dict(facts or {}), retry_at, options)


def instant(at: datetime | None) -> str | None:
    """Return an instant as facts show it (`2026-01-31T15:00:00Z`), or None for none."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _once(clauses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clauses))
