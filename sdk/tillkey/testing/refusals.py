"""Every no that the fake server says, as problem details (RFC 9457): the server's codes, statuses and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, Optional

ASK = ("ask_support",)

# Status, title and what a person does next, word for word as the server says it: a till shows them.
_KINDS: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "license_revoked": (
            403,
            "The license was revoked",
            "Ask the vendor why; a revoked license does not come back.",
        ),
        "license_terminated": (403, "The license was terminated", "Ask the vendor; the agreement has ended."),
        "license_expired": (
            403,
            "The license's term has run out",
            "Renew the license; the till recovers by itself.",
        ),
        "license_suspended": (403, "The license is suspended", "Ask the vendor to lift the suspension."),
        "legal_hold": (403, "The license is under a legal hold", "Ask the vendor; only they can end the hold."),
        "activation_superseded": (
            403,
            "Another installation has taken the license over",
            "Use the till that holds the license now, or buy a license for this one.",
        ),
        "activation_released": (
            403,
            "The activation was given back",
            "Activate again with the license key while the license is free.",
        ),
        "license_in_use": (
            409,
            "Another installation holds the license",
            "Deactivate it there, move it with a ticket, or ask support to free it when that machine is gone.",
        ),
        "staging_must_be_deactivated": (
            409,
            "The license is in use on staging",
            "Move it from the staging machine to production, or deactivate it there first.",
        ),
        "bound_to_other_project": (
            409,
            "The license belongs to another project",
            "Use it for that project, buy a license for this one, or ask the vendor's support to move it.",
        ),
        "move_ticket_invalid": (
            409,
            "The move ticket cannot be used",
            "Make a new ticket on the old machine; it works once and not for long.",
        ),
        "installation_key_in_use": (
            409,
            "The installation's key is in use elsewhere",
            "The SDK makes a new key and asks once more by itself.",
        ),
        "license_invalid": (
            404,
            "No such license for this product",
            "Check the license key, and that it is for this product.",
        ),
        "project_required": (
            422,
            "The project is missing",
            "Name the shop or site that the license is used for.",
        ),
        "stale_request": (409, "The request is an old one", "Nothing: the SDK draws a new request by itself."),
        "rebind_required": (
            409,
            "The server does not know this lease",
            "Nothing: the SDK shows its last lease and goes on.",
        ),
        "unknown_installation": (
            409,
            "The server does not know this installation",
            "Nothing: the SDK shows its last lease and goes on.",
        ),
        "malformed": (
            400,
            "The request is not what the protocol says",
            "Update the till's software; the detail names the place.",
        ),
        "too_large": (
            413,
            "The request is too large",
            "Update the till's software; a request has at most 16 KiB.",
        ),
        "bad_signature": (
            401,
            "The signature does not fit",
            "Send the request unchanged; look for a proxy that rewrites bodies.",
        ),
        "not_found": (404, "There is no such thing", "Check the id or the address."),
        "method_not_allowed": (
            405,
            "The address does not take this method",
            "Use a method that the Allow header names.",
        ),
    }
)


class Refused(Exception):
    """A no on its way out; ``sub`` is the activation that it is about, ``facts`` what a till may read of its reasons.

    ``signed`` is False for what the server spends no signature on.
    """

    def __init__(
        self,
        code: str,
        clauses: tuple[str, ...] = (),
        *,
        sub: Optional[str] = None,
        facts: Optional[Mapping[str, Any]] = None,
        options: tuple[str, ...] = (),
        retry_at: Optional[int] = None,
        detail: Optional[str] = None,
        signed: bool = True,
    ) -> None:
        """Take the code and what goes with it."""
        super().__init__(code)
        self.code = code
        self.clauses = tuple(dict.fromkeys(clauses))
        self.sub = sub
        self.facts = dict(facts or {})
        self.options = options
        self.retry_at = retry_at
        self.detail = detail
        self.signed = signed

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _KINDS[self.code][0]

    def about(self, sub: Optional[str]) -> Refused:
        """Return this no as one about an activation."""
        self.sub = sub
        return self

    def document(self, statement: Optional[str]) -> dict[str, Any]:
        """Return the problem document, with its signed form where there is one."""
        status, title, next_step = _KINDS[self.code]
        members: dict[str, Any] = {
            "type": f"urn:tillkey:problem:{self.code}",
            "title": title,
            "status": status,
            "detail": self.detail or f"{title}. {next_step}",
            "code": self.code,
            "clauses": list(self.clauses),
        }
        optional = {
            "statement": statement,
            "retry_at": self.retry_at,
            "options": list(self.options),
            "facts": self.facts,
        }
        return {**members, **{name: member for name, member in optional.items() if member not in (None, [], {})}}


def malformed(detail: str) -> Refused:
    """Return the refusal of a document that breaks the protocol."""
    return Refused("malformed", detail=detail, signed=False)


def instant(seconds: Optional[int]) -> Optional[str]:
    """Return a time as facts show it, ``2026-01-31T15:00:00Z``, or None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
