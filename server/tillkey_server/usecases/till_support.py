"""A till asks whether its terms serve a request for support: the help desk's answer, without what a till may not read.

The question is put together from the activation, so that a till can ask about itself alone, and goes the way of every
other (`usecases.support`). It reads: nothing is written but the count of who asks how often, and the chain is not
touched. Of the decision's facts a closed list travels; none of it names a customer, an order, a project or a site, nor
what is for the vendor's own eyes (X-11).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.request import Request, Support
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.installation import blocked
from tillkey_server.rules.rate import SUPPORT_QUESTIONS
from tillkey_server.rules.release import decide_continue
from tillkey_server.store.heartbeat import HeartbeatView, heartbeat_view
from tillkey_server.usecases import rate
from tillkey_server.usecases.answers import Answer, ToldAnswer, answered_of
from tillkey_server.usecases.chain import Refused, end_of, finish
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.support import preview_support
from tillkey_server.usecases.support_facts import SupportQuestion

FACTS = (
    *("task", "charge", "missing", "covered", "grounds", "may_refuse", "support_until", "next_open_at", "guidance"),
    *("remote_access", "received_at", "timezone", "left", "used", "void"),
    *("status", "since", "use_until"),
)
CLOCK_FACTS = ("clock", "code", "due_at", "clauses", "timezone", "calendar")
BANNER_FACTS = ("active", "text", "until", "product", "clauses", "as_of")
"""What a till may read of a decision, of each clock and of the banner; everything else stays here."""


async def ask_support(services: Services, request: Request) -> Answer:
    """Answer whether a request for support would be served; a no of the terms is an answer and no refusal.

    An activation that is not known, or is another key's, is `unknown_installation`; one that ended, and a key that is
    blocked, get the statement that a heartbeat gets. How the license stands is for the terms to say.
    """
    body = request.body
    if not isinstance(body, Support):
        raise BrokenInvariant(request.op)
    now = services.clock.now()
    async with services.db.reading() as tx:
        view = await heartbeat_view(tx, UUID(body.activation))
        if view is None or view.activation.jkt != request.jkt:
            return finish(services, request, None)
        ended = await _ended(services, tx, view, now)
    if ended is not None:
        return finish(services, request, Refused(ended, view.activation.id))
    wait = await rate.take(services, SUPPORT_QUESTIONS, str(view.license.id))
    if wait:
        return rate.refused(services, wait)
    decision = await preview_support(services, _question(view, body, request.jkt))
    return ToldAnswer(answered_of(replace(decision, facts=_shown(decision.facts)), body.language))


async def _ended(services: Services, tx: AsyncConnection, view: HeartbeatView, now: datetime) -> Decision | None:
    """Return the no to an installation that holds nothing any more, or whose key is blocked."""
    policy = await services.policies.of(tx, view.license.policy_ref)
    if not view.activation.active:
        return decide_continue(end_of(view.activation), view.license.facts, policy, now)
    return None if view.installation_blocked_at is None else blocked(view.installation_blocked_at, policy, now)


def _question(view: HeartbeatView, body: Support, jkt: str) -> SupportQuestion:
    held = view.activation
    return SupportQuestion(
        task=body.task,
        license_id=view.license.id,
        project_id=held.project_id,
        site=held.site,
        installation=jkt,
        platform_version=body.platform_version or held.platform_version,
        feature=body.feature,
    )


def _shown(facts: Mapping[str, object]) -> dict[str, object]:
    """Return what a till may read of a decision's facts."""
    banner, clocks = facts["care_banner"], facts.get("clocks", [])
    assert isinstance(banner, Mapping), "every answer about support has the banner"
    assert isinstance(clocks, list), "clocks are listed"
    told = _only(facts, FACTS)
    told["care_banner"] = _only(banner, BANNER_FACTS)
    told["clocks"] = [_only(clock, CLOCK_FACTS) for clock in clocks]
    return told


def _only(facts: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: facts[name] for name in names if name in facts}
