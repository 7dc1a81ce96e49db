"""The one table from a refusal to problem details (RFC 9457): HTTP status, title, and what a person does next.

1. Every `Refusal` has a row, and so has what HTTP itself can refuse (a slow body, another method, a defect of ours).
2. The `type` is `urn:tillkey:problem:<code>`: a name that stays the same wherever the documentation is served.
3. Of a decision's facts only `PUBLIC_FACTS` travel to a till: none names another installation, project or person in
   clear. An agent's command shows them all.

The command line prints the same documents, so this module knows neither FastAPI nor a response. `docs/problems.md`
explains every code; a test compares it with this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from tillkey_server.clock import to_epoch
from tillkey_server.errors import BadInput, ConfigError, NotFound, TillkeyError, Unavailable
from tillkey_server.rules.decision import Code, Refusal, instant
from tillkey_server.words.catalogue import sentence

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tillkey:problem:"

REQUEST_TIMEOUT = "request_timeout"
_LISTED = frozenset({"product", "activation", "policy"})
_OWN_POLICIES = " A file of your own stands in D/policies."
METHOD_NOT_ALLOWED = "method_not_allowed"
_LATER = "Wait until it is allowed again"
INTERNAL_ERROR = "internal_error"
POLICY_INVALID = "policy_invalid"
PRODUCT_DIFFERS = "product_differs"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is the same for every problem of one code."""

    status: int
    title: str
    next_step: str


_ENDINGS = {
    Refusal.LICENSE_REVOKED: Kind(
        403, "The license was revoked", "Ask the vendor why; a revoked license does not come back."
    ),
    Refusal.LICENSE_TERMINATED: Kind(403, "The license was terminated", "Ask the vendor; the agreement has ended."),
    Refusal.LICENSE_EXPIRED: Kind(
        403, "The license's term has run out", "Renew the license; the till recovers by itself."
    ),
    Refusal.ACTIVATION_SUPERSEDED: Kind(
        403,
        "Another installation has taken the license over",
        "Use the till that holds the license now, or buy a license for this one.",
    ),
    Refusal.ACTIVATION_RELEASED: Kind(
        403, "The activation was given back", "Activate again with the license key while the license is free."
    ),
    Refusal.ACCOUNT_SUSPENDED: Kind(
        403, "The customer's account is suspended", "Ask the vendor to lift the suspension."
    ),
    Refusal.LICENSE_SUSPENDED: Kind(403, "The license is suspended", "Ask the vendor to lift the suspension."),
    Refusal.LEGAL_HOLD: Kind(403, "The license is under a legal hold", "Ask the vendor; only they can end the hold."),
}
_REQUEST_REFUSED = {
    Refusal.LICENSE_IN_USE: Kind(
        409,
        "Another installation holds the license",
        "Deactivate it there, move it with a ticket, or ask support to free it when that machine is gone.",
    ),
    Refusal.STAGING_MUST_BE_DEACTIVATED: Kind(
        409,
        "The license is in use on staging",
        "Move it from the staging machine to production, or deactivate it there first.",
    ),
    Refusal.BOUND_TO_OTHER_PROJECT: Kind(
        409,
        "The license belongs to another project",
        "Use it for that project, buy a license for this one, or ask the vendor's support to move it.",
    ),
    Refusal.MOVE_TICKET_INVALID: Kind(
        409, "The move ticket cannot be used", "Make a new ticket on the old machine; it works once and not for long."
    ),
    Refusal.INSTALLATION_KEY_IN_USE: Kind(
        409, "The installation's key is in use elsewhere", "The SDK makes a new key and asks once more by itself."
    ),
    Refusal.INSTALLATION_KEY_BLOCKED: Kind(409, "The installation's key is blocked", "Ask the vendor's support."),
    Refusal.IDEMPOTENCY_KEY_REUSED: Kind(
        422, "The idempotency key was used for another request", "Send the new request under a new key."
    ),
    Refusal.LICENSE_INVALID: Kind(
        404, "No such license for this product", "Check the license key, and that it is for this product."
    ),
    Refusal.PROJECT_REQUIRED: Kind(
        422, "The project is missing", "Name the shop or site that the license is used for."
    ),
    Refusal.ORDER_UNDER_REVIEW: Kind(
        409, "The order is under review", "Wait until the vendor has looked at the order; a till that runs goes on."
    ),
}
_STEERING = {
    Refusal.STALE_REQUEST: Kind(409, "The request is an old one", "Nothing: the SDK draws a new request by itself."),
    Refusal.REBIND_REQUIRED: Kind(
        409, "The server does not know this lease", "Nothing: the SDK shows its last lease and goes on."
    ),
    Refusal.UNKNOWN_INSTALLATION: Kind(
        409, "The server does not know this installation", "Nothing: the SDK shows its last lease and goes on."
    ),
}
_TRANSPORT = {
    Refusal.MALFORMED: Kind(
        400, "The request is not what the protocol says", "Update the till's software; the detail names the place."
    ),
    Refusal.TOO_LARGE: Kind(
        413, "The request is too large", "Update the till's software; a request has at most 16 KiB."
    ),
    Refusal.BAD_SIGNATURE: Kind(
        401, "The signature does not fit", "Send the request unchanged; look for a proxy that rewrites bodies."
    ),
    Refusal.API_KEY_INVALID: Kind(
        401, "The API key is missing or not valid", "Send a valid one as `Authorization: Bearer tks_…`."
    ),
    Refusal.PERMISSION_DENIED: Kind(
        403, "The API key may not do this", "Use a key of a role that may; `api-key list` shows the roles."
    ),
    Refusal.REQUEST_IN_PROGRESS: Kind(
        409, "The same request is still being worked on", "Send it again in a moment, under the same idempotency key."
    ),
    Refusal.RATE_LIMITED: Kind(429, "Too many requests", "Wait as long as Retry-After says."),
    Refusal.UNAVAILABLE: Kind(
        503, "The server cannot answer now", "Wait; tills go on selling. Operators: look at the database."
    ),
    REQUEST_TIMEOUT: Kind(408, "The request's body took too long", "Try again on a better connection."),
    METHOD_NOT_ALLOWED: Kind(405, "The address does not take this method", "Use a method that the Allow header names."),
    INTERNAL_ERROR: Kind(
        500, "The server has a defect", "Try again later, and give the vendor the number in `instance`."
    ),
}
_COMMANDS = {
    Refusal.CONFIRMATION_REQUIRED: Kind(
        409,
        "The installation was seen a short while ago",
        "Make sure that the machine is really gone, then repeat it with --confirm (`confirm` over HTTP).",
    ),
    Refusal.REASON_REQUIRED: Kind(422, "A reason is missing", "Say why, with --reason; the audit log keeps it."),
    Refusal.FORCED_DEACTIVATION_LIMIT_REACHED: Kind(
        409,
        "The license was freed by force as often as its terms allow",
        f"{_LATER}; a supervisor may give --override-reason; our own faults (--vendor-fault) do not count.",
    ),
    Refusal.FORCED_DEACTIVATION_TOO_SOON: Kind(
        409,
        "The license was freed by force too short a while ago",
        f"{_LATER}; a supervisor may give --override-reason; our own faults (--vendor-fault) do not count.",
    ),
    Refusal.NOT_FOUND: Kind(404, "There is no such thing", "Check the id or the address."),
    Refusal.NOT_ACTIVE: Kind(409, "Nothing can be freed this way", "See `activation list` for who holds the license."),
    Refusal.NOT_SUSPENDED: Kind(409, "The license is not suspended", "Nothing is left to do."),
    Refusal.NOT_ON_HOLD: Kind(409, "The license is under no legal hold", "Nothing is left to do."),
    Refusal.ORDER_DIFFERS: Kind(
        409, "An order of this number is there with other content", "Give this sale a number of its own."
    ),
    Refusal.NAME_TAKEN: Kind(409, "The name or address is taken", "Choose another one, or use what has it."),
    Refusal.TRIAL_NOT_OFFERED: Kind(
        409, "The product is not given for trial", "Sell a license; or offer trials: a [trial] section in its policy."
    ),
    Refusal.TRIAL_USED: Kind(
        409, "The customer had a trial of this product", "Sell a license: a trial is given once, however it ended."
    ),
    Refusal.NOTHING_TO_MOVE: Kind(409, "The license is bound to no other project", "Nothing is left to do."),
    Refusal.NOTHING_TO_TRANSFER: Kind(409, "The customer has the license already", "Nothing is left to do."),
    Refusal.INSTALLATION_SHARED: Kind(
        409,
        "Other licenses run on the same installation",
        "Name them too, as `along` or --along: an installation belongs to one customer; or deactivate them first.",
    ),
    PRODUCT_DIFFERS: Kind(
        409, "A product of this code is on sale already", "Choose another code; what is on sale is not changed."
    ),
    POLICY_INVALID: Kind(
        422, "The policy file cannot be used", "Mend what the detail names, file by file, key by key."
    ),
    Refusal.NOTHING_TO_RENEW: Kind(409, "The license has no end to renew", "Nothing is left to do: it runs for ever."),
}

KINDS: Mapping[str, Kind] = MappingProxyType(
    {str(code): kind for code, kind in (_ENDINGS | _REQUEST_REFUSED | _STEERING | _TRANSPORT | _COMMANDS).items()}
)
"""Every code with its status, title and next step."""

BY_TERMS = Kind(
    409, "The vendor's terms do not allow it", "`license explain` shows what can be done now, and by which clauses."
)
"""What is the same for every no of a topic of the terms (`rules.decision.Code`); docs/codes.md explains each."""


def kind_of(code: str) -> Kind:
    """Return what is the same for every problem of one code; raises `KeyError` for what is no code."""
    return BY_TERMS if isinstance(code, Code) else KINDS[str(code)]


def codes() -> list[str]:
    """Return every code that a problem can have: those of the table, and those of every topic of the terms."""
    return sorted({*KINDS, *(member.value for family in Code.__subclasses__() for member in family)})


PUBLIC_FACTS = frozenset(
    {
        "environment",
        "slot",
        "status",
        "since",
        "use_until",
        "ended_at",
        "end_reason",
        # NX-03: since when and by what the license is held, masked by the rule.
        "held_by",
        "held_since",
        "held_environment",
        # The vendor's page, the same for everybody.
        "self_service",
        "because",
        "bound_since",
        "other",
        "blocked_since",
    }
)
"""The facts of a decision that a till may read: no other installation, project or person is named by one in clear."""


def document(
    code: str,
    *,
    detail: str | None = None,
    clauses: tuple[str, ...] = (),
    statement: str | None = None,
    retry_at: datetime | None = None,
    options: tuple[str, ...] = (),
    facts: Mapping[str, object] | None = None,
    instance: str | None = None,
    ruled: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the problem of one code as its JSON members; `retry_at` becomes seconds since the epoch.

    `ruled` is what an answer of a rule tells beside its code (K-08), for whoever has an API key or a shell.

    Members that are absent, and `options` and `facts` that are empty, are left out. Raises `KeyError` for a code
    without a row: the test of this table keeps that from happening.
    """
    kind = kind_of(code)
    advice = next_step(code, retry_at)
    if isinstance(code, Code) and not detail:
        detail = sentence(code.value, facts or {})
    members: dict[str, object] = {
        "type": f"{TYPE_PREFIX}{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail or f"{kind.title}. {advice}",
        "code": str(code),
        "clauses": list(clauses),
    }
    members.update(ruled or {})
    if instance is not None:
        members["instance"] = instance
    if statement is not None:
        members["statement"] = statement
    if retry_at is not None:
        members["retry_at"] = to_epoch(retry_at)
    if options:
        members["options"] = list(options)
    if facts:
        members["facts"] = dict(facts)
    return members


def next_step(code: str, retry_at: datetime | None) -> str:
    """Return what a person does next, with the time to wait for where it is known."""
    step = kind_of(code).next_step
    return step if retry_at is None else step.replace(_LATER, f"Wait until {instant(retry_at)}")


def of_error(error: TillkeyError) -> dict[str, object]:
    """Return the problem of an error that is no decision; what has no row of its own is a defect of ours."""
    match error:
        case BadInput():
            return document(Refusal.MALFORMED, detail=f"{error.field}: {error.detail}")
        case NotFound():
            listed = f" See `{error.what} list`." if error.what in _LISTED else ""
            listed += _OWN_POLICIES if error.what == "policy" else ""
            return document(Refusal.NOT_FOUND, detail=f"There is no {error.what} {error.name}.{listed}")
        case Unavailable() | ConfigError():
            return document(Refusal.UNAVAILABLE)
        case _:
            return document(INTERNAL_ERROR)
