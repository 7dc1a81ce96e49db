"""What could be done about a license now: each topic's own answer, asked within one transaction (X-13, K-08).

Nothing is decided here. Every answer is the one that the topic's preview gives for `asked`, by the same rule from the
same facts; a request that the terms want in a certain form is taken as made so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.access import Scope
from tillkey_server.rules.care import decide_care
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.forced_deactivation import PastForced, decide_possible
from tillkey_server.rules.refund_policy import RefundPolicy, Sender
from tillkey_server.rules.renewal import Asked
from tillkey_server.rules.sale_policy import SalePolicy
from tillkey_server.rules.support import INSTALLATION
from tillkey_server.rules.support_policy import SupportPolicy
from tillkey_server.rules.update import decide_update
from tillkey_server.rules.warranty import decide_cover
from tillkey_server.store import support
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.usecases import update
from tillkey_server.usecases.account import standing_of
from tillkey_server.usecases.answers import answered_of
from tillkey_server.usecases.authorized import lists_of
from tillkey_server.usecases.care import care_facts, care_of
from tillkey_server.usecases.cover import cover_facts
from tillkey_server.usecases.refund_asking import Asking
from tillkey_server.usecases.refund_facts import refund_facts, verdict_on
from tillkey_server.usecases.renewal_facts import Gathered, governed, lengths_of
from tillkey_server.usecases.review import review_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.subscription import next_renewal
from tillkey_server.usecases.support import answer_at, lacks_support, terms_at, with_care
from tillkey_server.usecases.support_facts import SupportQuestion, standpoint_of

Action = Literal[
    "refund",
    "renew",
    "subscription",
    "force_deactivate",
    "support",
    "care",
    "update",
    "warranty",
    "account",
    "order_review",
]
"""Everything that is asked about, in the order in which it is told; each of them for every license."""
ACTIONS: tuple[Action, ...] = get_args(Action)
_ANY_TASK = "support"
"""What support is asked for where the terms name no task."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that could be done, what was asked about it in the words of its preview, and the answer."""

    action: Action
    asked: Mapping[str, object]
    decision: Decision

    def told(self, language: str) -> dict[str, object]:
        """Return it ready for JSON, with its sentence in a language."""
        return {"action": self.action, "asked": dict(self.asked), "answer": answered_of(self.decision, language)}


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who asks about which license, when; `found` is what decides a renewal of it."""

    services: Services
    tx: AsyncConnection
    row: LicenseRow
    found: Gathered
    now: datetime
    scope: Scope


async def ask_all(
    services: Services,
    tx: AsyncConnection,
    row: LicenseRow,
    found: Gathered,
    past: tuple[PastForced, ...],
    now: datetime,
    scope: Scope,
    *,
    project: ProjectRow | None,
) -> tuple[Question, ...]:
    """Return the answer to everything that could be done about a license, in the order of `ACTIONS`.

    In: the `project` that it is bound to; `past`, what was freed by force before. Reads only.
    """
    desk, policy = _Desk(services, tx, row, found, now, scope), found.sold_under
    order = found.bought.order
    of_warranty = await cover_facts(tx, row, order, now)
    sold = update.Sold(order.paid_at, found.product, project, order.held_since)
    of_update = await update.facts_of(tx, row, sold, update.Asked(), now)
    of_care = await care_facts(services, tx, row, found, now)
    named = {"license_id": str(row.id)}
    return (
        *await _refunds(desk),
        *_renewals(desk),
        Question("subscription", {}, await next_renewal(services, tx, row, found, now)),
        Question("force_deactivate", {"confirm": True}, decide_possible(past, policy, now)),
        *await _support(desk),
        Question("care", {}, decide_care(of_care, now, policy, now)),
        Question("update", {}, decide_update(of_update, policy, now)),
        Question("warranty", named, decide_cover(of_warranty, lists_of(services, policy), policy, now)),
        Question("account", {}, await standing_of(services, tx, row.customer_id, now)),
        Question("order_review", {}, await review_of(services, tx, order, now)),
    )


async def _refunds(desk: _Desk) -> list[Question]:
    """Ask for a refund for no reason and for each that the terms know, about the request that proposes one."""
    policy, now = desk.found.sold_under, desk.now
    late = await _late_request(desk)
    facts = await refund_facts(desk.services, desk.tx, desk.row, policy, support_request_id=late, now=now)
    reasons = () if policy.refund is None else tuple(one.name for one in policy.refund.reasons)
    questions = []
    for reason in (None, *reasons):
        asked: dict[str, Any] = {"reasons": [] if reason is None else [reason]}
        if policy.refund is not None:
            asked |= _in_form(policy.refund, reason, _number_seen(desk))
        asking = Asking(**{**asked, "reasons": tuple(asked["reasons"])}, support_request_id=late)
        if late is not None:
            asked["support_request"] = str(late)
        verdict = verdict_on(desk.services, facts, asking.at(now), policy, now)
        questions.append(Question("refund", asked, verdict.decision))
    return questions


async def _late_request(desk: _Desk) -> UUID | None:
    """Return the newest request for support that came too late and proposes a refund; None: there is none."""
    found = await support.of_license(desk.tx, desk.row.id)
    return next((one.id for one in reversed(found) if one.refund_proposed_at is not None), None)


def _in_form(terms: RefundPolicy, reason: str | None, number: str | None) -> dict[str, Any]:
    """Return what the terms want of a request's form: its sender, in writing, an order's number, an explanation."""
    known = None if reason is None else terms.reason(reason)
    wanted = {
        "sender_verified": True if terms.sender is Sender.OFFICIAL else None,
        "by_email": True if known is not None and known.by_email else None,
        "order_number": number if "order_number" in terms.required_fields else None,
        "explanation": reason if "reason" in terms.required_fields else None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _number_seen(desk: _Desk) -> str | None:
    """Return the order's number; of a license that was transferred it is another customer's (I13)."""
    order = desk.found.bought.order
    return order.external_id if desk.scope.admits_customer(order.customer_id) else None


def _renewals(desk: _Desk) -> list[Question]:
    """Ask for a renewal of each length on offer; where none is, for the usual one."""
    lengths: tuple[int | None, ...] = lengths_of(desk.services, desk.found) or (None,)
    return [
        Question(
            "renew",
            {} if months is None else {"months": months},
            governed(desk.services, desk.found, Asked(desk.now, months), desk.now).quote,
        )
        for months in lengths
    ]


async def _support(desk: _Desk) -> list[Question]:
    """Ask for each task that the terms cover; what the terms want described is taken as described."""
    terms = desk.found.sold_under.support
    described = () if terms is None or terms.description is None else terms.description.fields
    first = SupportQuestion(task=_ANY_TASK, license_id=desk.row.id, described=described)
    at = await standpoint_of(desk.services, desk.tx, first, desk.now, desk.scope)
    counted = await terms_at(desk.tx, at)
    questions, care = [], None
    for task in _tasks(terms, desk.found.sold_under.sale):
        asked: dict[str, object] = {"license_id": str(desk.row.id), "task": task}
        if described:
            asked["described"] = list(described)
        of_task = replace(at, asked=replace(at.asked, task=task))
        answer = answer_at(of_task, counted, desk.now)
        if lacks_support(answer):
            care = care or await care_of(desk.services, desk.tx, desk.row, desk.now, desk.now)
            answer = with_care(answer, care)
        questions.append(Question("support", asked, answer))
    return questions


def _tasks(terms: SupportPolicy | None, sale: SalePolicy | None) -> tuple[str, ...]:
    if terms is None:
        return (_ANY_TASK,)
    credited = (INSTALLATION,) if sale is not None and sale.install_service else ()
    return tuple(dict.fromkeys((*terms.tasks, *credited))) or (_ANY_TASK,)
