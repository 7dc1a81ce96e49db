"""A decision in a sentence that a shop's owner understands; the facts behind it stand beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType

from tillkey_server.store.audit import AuditRow

SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "license_issued": "The license was issued: {quantity} bought, each with a key of its own.",
        "license_already_issued": "The order had its licenses already; no new key was made.",
        "activation_granted": "The license was free and was activated in {environment}.",
        "activation_held": "This installation holds the license already in {environment}; it keeps its activation.",
        "activation_moved": "The license moved from {from} to {environment}; the old activation ended with it.",
        "activation_reattached": "The same machine was set up afresh and took its own seat back.",
        "activation_adopted": "The server had lost this activation and took it up again from the till's last lease.",
        "activation_released": "The till gave the license back; it is free.",
        "activation_released_on_word": "The vendor gave the license back on the customer's word (reason: {reason}).",
        "activation_auto_released": "Unseen since {last_seen_at}, {environment} gave way to another till that asked.",
        "lease_renewed": "The lease was renewed.",
        "move_ticket_issued": "A ticket was made with which another machine takes the license to {environment}.",
        "move_ticket_issued_by_agent": (
            "An agent made a ticket with which another machine takes the license to {environment}"
            " (reason: {reason}){counting}; {remaining} of {limit} left in {window_days} days."
        ),
        "forced_deactivation_granted": (
            "An agent freed the license (reason: {reason}){counting};"
            " {remaining} of {limit} left in {window_days} days."
        ),
        "license_suspended": "The license is suspended.",
        "license_resumed": "The suspension was lifted; the license is {to} now.",
        "license_revoked": "The license is revoked.",
        "license_terminated": "The license ended with its owner's account.",
        "license_expired": "The right to use the license ended on {use_until}.",
        "license_rekeyed": "The license got a new key (reason: {reason}); the old one, {old_hint}, works no more.",
        "license_transferred": "The license went to another customer (reason: {reason}); what runs goes on running.",
        "license_renewed": "The license was renewed.",
        "license_refunded": "The license was paid back and ended.",
        "legal_hold": "The license is on legal hold.",
        "legal_hold_placed": "The license was put on legal hold.",
        "legal_hold_released": "The legal hold was lifted; the license is {to} now.",
        "license_in_use": "The license is in use since {held_since} by {held_by}, and one use at a time is allowed.",
        "staging_must_be_deactivated": "Staging holds the license since {held_since}: move it or release it first.",
        "bound_to_other_project": "The license belongs to another {other} and cannot be used here.",
        "move_ticket_invalid": "The move ticket does not hold: {because}.",
        "installation_key_in_use": "This installation's key is in use for {because}.",
        "installation_key_blocked": "This installation is blocked since {blocked_since}.",
        "project_required": "A license is used within a project, and none was named.",
        "activation_superseded": "Another installation took the license over.",
        "confirmation_required": "The installation was seen at {last_seen_at}; freeing it needs a second confirmation.",
        "reason_required": "It needs a reason, and none was given.",
        "not_active": "Nobody holds the license in a way that this could free.",
        "forced_deactivation_limit_reached": "All {limit} forced deactivations of {window_days} days are used.",
        "forced_deactivation_too_soon": "The last forced deactivation is too recent.",
        "not_suspended": "The license is not suspended; it is {from}.",
        "not_on_hold": "The license is not on legal hold; it is {from}.",
        "nothing_to_renew": "The right to use the license has no end; there is nothing to renew.",
        "trial_issued": "The product was given for trial for {days} days; it ends by itself.",
        "trial_used": "The customer had a trial of this product before, until {use_until}.",
        "trial_not_offered": "The terms of the product offer no trial.",
        "nothing_to_transfer": "The customer has the license already.",
        "installation_shared": "Other licenses of the customer run on the same installation and have to go along.",
        "staging_stale": "Production is in use, yet {environment} holds its seat since {held_since}: give it back.",
    }
)
"""The sentence for every code of the audit log and of the notices; braces name facts.

`move_ticket_issued_by_agent` is the code `move_ticket_issued` where an agent made the ticket, and
`activation_released_on_word` is `activation_released` where the vendor did it. `counting` is no fact: it says why an
agent's act was not counted.
"""

_BECAUSE: Mapping[str, str] = MappingProxyType(
    {
        "unknown": "there is none of this text",
        "used": "it was used already",
        "expired": "it is too old",
        "other_environment": "it is for another environment",
        "other_holder": "it was made on another machine than the one that holds the license",
        "other_customer": "another customer",
        "other_license_of_product": "another license of the product",
    }
)
"""The fact `because` of a refused activation, for people."""

NEXT_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "activate": "activate: the license is free; enter its key at a till",
        "move_ticket": "move_ticket: make a ticket on the machine that holds it, or use `license move-ticket`",
        "deactivate": "deactivate: give it back at the till that holds it",
        "force_deactivate": "force_deactivate: where that machine is gone, use `activation force-deactivate`",
        "resume": "resume: lift the suspension with `license resume`",
    }
)
"""What can be done about a license now, for people; the names are those of `next_steps`."""


def in_words(row: AuditRow) -> str:
    """Return the sentence for a decision; a fact that is missing reads as `unknown`."""
    refused = row.outcome == "deny" and row.action.startswith("license_")
    told = sentence(row.code, row.facts)
    if not refused:
        return told
    asked = str(row.facts.get("event") or row.action.removeprefix("license_")).replace("_", " ")
    return f"A request to {asked} was refused, nothing was changed. {told}"


def sentence(code: str, facts: Mapping[str, object]) -> str:
    """Return the sentence for a code; a fact that is missing reads as `unknown`."""
    told = SENTENCES.get(f"{code}{_variant(code, facts)}", code.replace("_", " ") + ".")
    known = {name: "unknown" if value is None else value for name, value in facts.items()}
    if "because" in known:
        known["because"] = _BECAUSE.get(str(known["because"]), known["because"])
    return told.format_map(defaultdict(lambda: "unknown", {**known, "counting": _counting(facts)}))


def _variant(code: str, facts: Mapping[str, object]) -> str:
    """Return what tells an agent's act from a till's, where both have one code."""
    if code == "move_ticket_issued" and facts.get("kind") == "move_ticket":
        return "_by_agent"
    return "_on_word" if code == "activation_released" and facts.get("on_word") else ""


def _counting(facts: Mapping[str, object]) -> str:
    """Return why an agent's act was not counted; empty where it was."""
    if facts.get("vendor_fault"):
        return ": our fault, not counted"
    if facts.get("override"):
        return f" by a supervisor's override ({facts.get('override_reason', 'unknown')}), not counted"
    return ""
