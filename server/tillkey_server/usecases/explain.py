"""Why a license stands as it does: its clocks, who holds it, what could be done, and every decision in words (X-13).

All of it is read in one transaction and judged at one instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.activation import slot_of
from tillkey_server.rules.binding import PRODUCTION
from tillkey_server.rules.decision import instant
from tillkey_server.rules.forced_deactivation import PastForced, decide_possible
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import Status, refuse, standing
from tillkey_server.store import activation_list, audit, chain_events, leases, projects
from tillkey_server.store.activation_list import ListedActivation
from tillkey_server.store.chain_events import ChainEventRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.usecases.activations import shown
from tillkey_server.usecases.explain_clocks import clocks_told, paid_of
from tillkey_server.usecases.forced_deactivation import past_of
from tillkey_server.usecases.notices import notices_of
from tillkey_server.usecases.possible import ask_all
from tillkey_server.usecases.renewal_facts import gather
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.words import NEXT_STEPS, in_words
from tillkey_server.words.catalogue import ENGLISH, phrase, sentence


async def explain(
    services: Services, license_id: UUID, *, language: str = ENGLISH, scope: Scope = EVERYTHING
) -> dict[str, object]:
    """Return all that is known about a license, ready for JSON. No personal data, no secret.

    `language` is that of the sentences, one of `words.catalogue.LANGUAGES`. Raises NotFound.
    """
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        found = await gather(services, tx, row)
        policy = found.sold_under
        project = None if row.project_id is None else await projects.by_id(tx, row.project_id)
        held = await activation_list.of_license(tx, license_id)
        events = await chain_events.of_license(tx, license_id)
        told = await audit.of_license(tx, license_id)
        ends_at = await leases.latest_exp_of_license(tx, license_id)
        live = await leases.still_live(tx, license_id, now)
        past = await past_of(tx, license_id)
        paid = await paid_of(tx, row, found, scope)
        questions = await ask_all(services, tx, row, found, past, now, scope, project=project)
    leased = {"lease_ends_at": instant(ends_at), "leases_live": live.leases}
    stands, forced = {**_standing(row, policy, now, language), **leased}, _forced(past, policy, now)
    return {
        "license": _license(row, found.product.code, policy),
        "standing": stands,
        "project": None if project is None else {"id": str(project.id), "name": project.name, "site": project.site},
        "bound_at": instant(row.bound_at),
        "clocks": clocks_told(row, found, paid, now, language),
        "activations": [shown(one, scope) for one in held],
        "notices": notices_of(held, policy, now, language),
        "forced_deactivations": forced,
        "next_steps": _next_steps(stands, held, policy, forced_allowed=bool(forced["allowed_now"])),
        "possible": [one.told(language) for one in questions],
        "chain": _chain(events),
        "decisions": [_decision(one, language) for one in told],
        "evaluated_at": instant(now),
    }


def _license(row: LicenseRow, product: str, policy: Policy) -> dict[str, object]:
    return {
        "id": str(row.id),
        "key_hint": row.key_hint,
        "product": product,
        "issued_at": instant(row.issued_at),
        "policy": {
            "name": policy.name,
            "version": policy.version,
            "title": policy.title,
            "effective_from": policy.effective_from.isoformat(),
            "authoritative_language": policy.prevailing.get("authoritative_language"),
            "authoritative_statement": policy.prevailing.get("authoritative_statement"),
        },
    }


def _forced(past: tuple[PastForced, ...], policy: Policy, now: datetime) -> dict[str, object]:
    """Ask the rule what an agent would be told now, a confirmation given."""
    told = decide_possible(past, policy, now)
    return {
        "allowed_now": told.allowed,
        "code": told.code.value,
        **told.facts,
        "retry_at": instant(told.retry_at),
        "clauses": list(told.clauses),
    }


def _next_steps(
    stands: Mapping[str, object], listed: Sequence[ListedActivation], policy: Policy, *, forced_allowed: bool
) -> list[str]:
    """Return what people can do about the license now, as the words of `words.NEXT_STEPS`."""
    held = [one.activation for one in listed if one.activation.active]
    main = slot_of(PRODUCTION, policy)
    in_seat = [one for one in held if one.slot == main]
    possible = {
        "activate": bool(stands["usable"]) and not in_seat,
        "move_ticket": bool(stands["usable"]) and any(one.environment != PRODUCTION for one in in_seat),
        "deactivate": bool(held),
        "force_deactivate": bool(held) and forced_allowed,
        "resume": stands["status"] == Status.SUSPENDED.value,
    }
    return [step for step in NEXT_STEPS if possible[step]]


def _standing(row: LicenseRow, policy: Policy, now: datetime, language: str) -> dict[str, object]:
    found = standing(row.facts, policy, now)
    words = phrase("standing_usable", language)
    if found.refusal is not None:
        words = sentence(found.refusal.value, refuse(found, row.facts, policy, now).facts, language)
    return {
        "status": found.status.value,
        "usable": found.refusal is None,
        "code": None if found.refusal is None else found.refusal.value,
        "clauses": list(found.clauses),
        "retry_at": instant(found.retry_at),
        "words": words,
    }


def _chain(events: tuple[ChainEventRow, ...]) -> dict[str, object]:
    listed = [
        {
            "at": instant(event.at),
            "kind": event.kind,
            "activation_id": str(event.activation_id),
            "seq": event.seq,
            "detail": event.detail,
        }
        for event in events
    ]
    kinds = [event.kind for event in events]
    return {"forks": kinds.count("fork"), "switches": kinds.count("switch"), "events": listed}


def _decision(row: audit.AuditRow, language: str) -> dict[str, object]:
    return {
        "at": instant(row.at),
        "actor": row.actor,
        "action": row.action,
        "outcome": row.outcome,
        "code": row.code,
        "clauses": list(row.clauses),
        "policy": {"name": row.policy_name, "version": row.policy_version},
        "activation_id": None if row.activation_id is None else str(row.activation_id),
        "facts": dict(row.facts),
        "words": in_words(row, language),
    }
