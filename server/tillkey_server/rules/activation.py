"""Who may use a license: one installation at a time, in one project (NX-02 to NX-06).

1. The refusals are looked for in the order of `PRECEDENCE` and the first is told.
2. A license that may not be used is refused to everybody (`standing`). Who holds it not yet is refused from the first
   day of the account's suspension, and while its order is under review (BC-37); who holds it goes on. So is a first
   activation after the end of the support refused, where the terms say so (NX-46, `care`).
3. The installation key and the project are looked at before the seat (`admission`).
4. One use at a time (NX-03). Staging and development take the same slot, or one of their own where the policy exempts
   them; a declared environment never gives more than that.
5. The same installation key asking for the same project and environment holds the license already: the same activation
   (K-10).
6. The same key asking for another environment of the project moves in place: the old activation is released with it
   (NX-04).
7. A new key with the holder's fingerprint, in the holder's project and environment, is the same machine set up afresh
   and takes over, so many times per window; over that it is in use. A key that held this license before is not new: a
   superseded installation never takes the seat back, and activates anew only while the seat is free.
8. A move ticket that holds releases whom it was made for (`move`). One that does not hold is refused; where no ticket
   is needed it is not looked at and not used up.
9. Production asked while staging or development holds the seat: staging must be deactivated first (NX-04).
10. Everybody else is told since when the license is in use, where under a mask, and what can be done, with the page on
    which customers free a license themselves, where the terms name one; never a person's data.
11. A holder that is unseen (NX-50, `stale`) stands in nobody's way: its seat is as good as free, and the license is not
    its project's for its sake (sentences 3, 4, 9 and 10). It is released with the grant to whoever asks and never
    before. A reinstall or a ticket that holds comes first: then it was taken over or moved.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tillkey_server.rules import binding, fingerprint, move
from tillkey_server.rules.activation_facts import (
    Action,
    ActivationDecision,
    ActivationFacts,
    HolderFacts,
    InstallationFacts,
)
from tillkey_server.rules.admission import installation_refusal, project_refusal
from tillkey_server.rules.care import refuse_first_use, refuses_first_use
from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Grant, Refusal, allow, deny, instant
from tillkey_server.rules.move import TicketFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import refuse_under_review
from tillkey_server.rules.stale import auto_release, unseen
from tillkey_server.rules.standing import refuse, standing
from tillkey_server.rules.window import room_at, within

__all__ = [
    "MAIN",
    "PRECEDENCE",
    "STAGING",
    "Action",
    "ActivationDecision",
    "ActivationFacts",
    "HolderFacts",
    "InstallationFacts",
    "TicketFacts",
    "decide_activation",
    "slot_of",
]

MAIN = "main"
STAGING = "staging"

PRECEDENCE: tuple[Refusal, ...] = (
    Refusal.LEGAL_HOLD,
    Refusal.LICENSE_TERMINATED,
    Refusal.LICENSE_REVOKED,
    Refusal.ACCOUNT_SUSPENDED,
    Refusal.LICENSE_SUSPENDED,
    Refusal.LICENSE_EXPIRED,
    Refusal.ORDER_UNDER_REVIEW,
    Refusal.INSTALLATION_KEY_BLOCKED,
    Refusal.INSTALLATION_KEY_IN_USE,
    Refusal.PROJECT_REQUIRED,
    Refusal.BOUND_TO_OTHER_PROJECT,
    Refusal.MOVE_TICKET_INVALID,
    Refusal.STAGING_MUST_BE_DEACTIVATED,
    Refusal.LICENSE_IN_USE,
)
"""Where several refusals apply, the first of these is told. The first six are the license's standing (K-13)."""


_GRANTS = {
    Action.NEW: Grant.ACTIVATION_GRANTED,
    Action.MOVE_IN_PLACE: Grant.ACTIVATION_MOVED,
    Action.MOVE_WITH_TICKET: Grant.ACTIVATION_MOVED,
    Action.REATTACH: Grant.ACTIVATION_REATTACHED,
}


def slot_of(environment: str, policy: Policy) -> str:
    """Return the slot that an environment takes: `staging` only where the policy exempts it, never for production."""
    return STAGING if policy.activation.staging_exempt and environment != binding.PRODUCTION else MAIN


def decide_activation(facts: ActivationFacts, policy: Policy, now: datetime) -> ActivationDecision:
    """Decide an `activate`; see the module's sentences. `now` is aware UTC."""
    own = next((holder for holder in facts.holders if holder.jkt == facts.jkt), None)
    found = standing(facts.license, policy, now, anew=own is None)
    if found.refusal is not None:
        return ActivationDecision(refuse(found, facts.license, policy, now))
    if own is None and facts.order_held_at is not None:
        return ActivationDecision(refuse_under_review(facts.order_held_at, policy, now))
    if refuses_first_use(facts.license, is_first=facts.is_first, policy=policy, now=now):
        return ActivationDecision(refuse_first_use(facts.license, policy, now))
    heard_of = tuple(holder for holder in facts.holders if not unseen(holder, policy, now) or holder.jkt == facts.jkt)
    refusal = installation_refusal(facts, policy, now) or project_refusal(replace(facts, holders=heard_of), policy, now)
    if refusal is not None:
        return ActivationDecision(refusal)
    if own is not None and own.environment == facts.environment:
        return _held(facts, own, policy, now)
    others = tuple(
        holder
        for holder in facts.holders
        if holder is not own
        and (_conflicts(holder, facts, policy) or (holder not in heard_of and holder.project_id != facts.project_id))
    )
    if not others:
        return _free(facts, own, policy, now)
    return _taken(facts, own, others, policy, now)


def _conflicts(holder: HolderFacts, facts: ActivationFacts, policy: Policy) -> bool:
    """Sentence 4: without an exemption every holder is in the way."""
    return not policy.activation.staging_exempt or holder.slot == slot_of(facts.environment, policy)


def _held(facts: ActivationFacts, own: HolderFacts, policy: Policy, now: datetime) -> ActivationDecision:
    """Sentence 5."""
    cited = policy.activation.clauses
    shown = {"environment": own.environment, "slot": own.slot, "held_since": instant(own.started_at)}
    decision = allow(
        Grant.ACTIVATION_HELD,
        clauses=cited.repeat + cited.one_use,
        policy=policy.ref,
        now=now,
        facts=shown,
    )
    binds = binding.binds(facts.bound_project_id, facts.environment, policy.activation)
    return ActivationDecision(decision, Action.HELD, holder_id=own.id, binds_project=binds)


def _free(
    facts: ActivationFacts,
    own: HolderFacts | None,
    policy: Policy,
    now: datetime,
    gone: tuple[HolderFacts, ...] = (),
) -> ActivationDecision:
    """Nobody else is in the way but who is `gone`: sentence 6, or a new activation."""
    cited = policy.activation.clauses
    freed = cited.one_use + cited.unseen if gone else ()
    if own is None:
        clauses = cited.one_use + cited.project + cited.binding + freed
        return _granted(facts, policy, now, Action.NEW, clauses=clauses, gone=gone)
    clauses = cited.staging + freed
    return _granted(facts, policy, now, Action.MOVE_IN_PLACE, clauses=clauses, released=(own,), gone=gone)


def _taken(
    facts: ActivationFacts,
    own: HolderFacts | None,
    others: tuple[HolderFacts, ...],
    policy: Policy,
    now: datetime,
) -> ActivationDecision:
    """Somebody else holds the slot: sentences 7 to 11."""
    same_machine = own is None and _same_machine(facts, others, policy)
    counting = within(facts.recent_takeovers, policy.takeover.window, now)
    if same_machine and len(counting) < policy.takeover.limit:
        return _granted(facts, policy, now, Action.REATTACH, clauses=policy.takeover.clauses, released=others)
    if facts.ticket_presented and _ticket_holds(facts, others, now):
        return _with_ticket(facts, own, others, policy, now)
    present = [one for one in others if not unseen(one, policy, now)]
    if not present:
        return _free(facts, own, policy, now, gone=others)
    if facts.ticket_presented:
        return _ticket_refused(facts, policy, now)
    if same_machine:
        room = room_at(counting, policy.takeover.limit, policy.takeover.window)
        return _in_use(present[0], policy, now, policy.takeover.clauses, room)
    in_staging = [one for one in present if one.environment != binding.PRODUCTION]
    if facts.environment == binding.PRODUCTION and in_staging:
        return _staging_first(in_staging[0], policy, now)
    return _in_use(present[0], policy, now)


def _same_machine(facts: ActivationFacts, others: tuple[HolderFacts, ...], policy: Policy) -> bool:
    """Sentence 7, but for the limit. The project is the same one already: it was checked before the seat."""
    return not facts.installation.held_before and all(
        holder.project_id == facts.project_id
        and holder.environment == facts.environment
        and fingerprint.matches(holder.fingerprint, facts.fingerprint, policy.takeover)
        for holder in others
    )


def _ticket_holds(facts: ActivationFacts, others: tuple[HolderFacts, ...], now: datetime) -> bool:
    """Tell whether the ticket on record releases everybody who is in the way."""
    ticket = facts.ticket
    if ticket is None or not move.ticket_valid(ticket, facts.license.id, facts.environment, now):
        return False
    return all(move.ticket_releases(ticket, one.id, one.environment) for one in others)


def _with_ticket(
    facts: ActivationFacts,
    own: HolderFacts | None,
    others: tuple[HolderFacts, ...],
    policy: Policy,
    now: datetime,
) -> ActivationDecision:
    """Sentence 8, for a ticket that holds."""
    released = others if own is None else (*others, own)
    clauses = policy.move.clauses + policy.activation.clauses.staging
    return _granted(facts, policy, now, Action.MOVE_WITH_TICKET, clauses=clauses, released=released)


def _ticket_refused(facts: ActivationFacts, policy: Policy, now: datetime) -> ActivationDecision:
    """Sentence 8, for a ticket that does not hold."""
    refusal = deny(
        Refusal.MOVE_TICKET_INVALID,
        clauses=policy.move.clauses,
        policy=policy.ref,
        now=now,
        facts={"because": _ticket_fault(facts, now)},
        options=("move_ticket", "move_ticket_by_agent"),
    )
    return ActivationDecision(refusal)


def _ticket_fault(facts: ActivationFacts, now: datetime) -> str:
    """Say what is wrong with a ticket, as a word. A foreign license's ticket looks like an unknown one."""
    ticket = facts.ticket
    if ticket is None or ticket.license_id != facts.license.id:
        return "unknown"
    if ticket.used_at is not None:
        return "used"
    if now >= ticket.expires_at:
        return "expired"
    return "other_environment" if ticket.environment != facts.environment else "other_holder"


def _granted(
    facts: ActivationFacts,
    policy: Policy,
    now: datetime,
    action: Action,
    *,
    clauses: Clauses,
    released: tuple[HolderFacts, ...] = (),
    gone: tuple[HolderFacts, ...] = (),
) -> ActivationDecision:
    """Return a grant that makes an activation, with what it ends and binds; who is `gone` ends for being unseen."""
    ended = tuple(holder.id for holder in (*released, *gone))
    shown: dict[str, object] = {
        "environment": facts.environment,
        "slot": slot_of(facts.environment, policy),
        "released": [str(holder_id) for holder_id in ended],
    }
    if gone:
        shown["released_unseen"] = [str(holder.id) for holder in gone]
    if released:
        shown["from"] = released[0].environment
    if action is Action.REATTACH:
        held = released[0].fingerprint
        shown["equal_components"] = list(fingerprint.equal_components(held, facts.fingerprint))
    return ActivationDecision(
        allow(_GRANTS[action], clauses=clauses, policy=policy.ref, now=now, facts=shown),
        action,
        ended,
        tuple(auto_release(holder, policy, now) for holder in gone),
        binds_project=binding.binds(facts.bound_project_id, facts.environment, policy.activation),
        uses_ticket=action is Action.MOVE_WITH_TICKET,
    )


def _staging_first(holder: HolderFacts, policy: Policy, now: datetime) -> ActivationDecision:
    """Sentence 9."""
    decision = deny(
        Refusal.STAGING_MUST_BE_DEACTIVATED,
        clauses=policy.activation.clauses.staging,
        policy=policy.ref,
        now=now,
        facts=_masked(holder, policy),
        options=("move_ticket", "deactivate_staging", "move_ticket_by_agent"),
    )
    return ActivationDecision(decision)


def _in_use(
    holder: HolderFacts,
    policy: Policy,
    now: datetime,
    clauses: Clauses = (),
    retry_at: datetime | None = None,
) -> ActivationDecision:
    """Sentence 10; with clauses of its own where the takeover limit is the reason."""
    decision = deny(
        Refusal.LICENSE_IN_USE,
        clauses=policy.activation.clauses.one_use + clauses,
        policy=policy.ref,
        now=now,
        facts=_masked(holder, policy) | ({"because": "takeover_limit"} if clauses else {}),
        retry_at=retry_at,
        options=("move_ticket", "deactivate", "forced_deactivation_by_agent", "buy_license"),
    )
    return ActivationDecision(decision)


def _masked(holder: HolderFacts, policy: Policy) -> dict[str, object]:
    """Return since when and by what a license is held: of a person nothing, of the key its first characters."""
    page = policy.activation.self_service
    help_yourself: dict[str, object] = {} if page is None else {"self_service": page}
    return help_yourself | {
        "held_since": instant(holder.started_at),
        "held_by": f"{holder.environment} {holder.jkt[:4]}…",
        "held_environment": holder.environment,
    }
