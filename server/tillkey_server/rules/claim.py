"""A warranty claim from its report to the work: intake, route, number for sending in, quote, start, replacement.

1. A claim needs the device's serial, what is wrong with it and its diagnostics (NP-12); else it is told what is
   missing. The serial is that of the contract, or of the device that took its place. A report that is said to be older
   than its record tells how that is known, as by the mail or the ticket, or counts from its record (NP-01, NP-03).
2. The customer is led to the partner of the contract, or of the region, who is authorized on the day; without one, or
   where he is gone, to the vendor (NP-11). Where that partner is gone later, the vendor looks after the claim.
3. A device with a confirmed hardware fault is sent in under a number with an address and an end (NP-13). Work on it
   begins only upon a device that came in under a living number, and that is the one of the claim.
4. What is charged is told first: amount, and until when it stands (NP-15). A newer quote takes the place of an older.
5. A quote is accepted by an authorized contact with the word that was sent to him, which works once (NP-16).
6. Charged work begins after the acceptance of the newest quote, and not before (NP-16); where that quote ended without
   one, the device goes back. Once accepted it does not end. Free work begins without.
7. Where the cost grows after the start, a new quote is told, and work waits for its acceptance (NP-16).
8. A replaced device hands its license and the rest of its warranty to the new serial; that is no forced deactivation
   and uses up no limit (NP-02, and NP-08 with NX-08).
9. A claim of a license that is held, terminated, revoked or refunded stands still (NP-10, K-13): nothing is sent in,
   quoted, accepted, begun or replaced, and the license's own state is told.
10. Paid development in place of a warranty is quoted and accepted the same way (CJ-03).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import last_day
from tillkey_server.rules.decision import Decision, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.rules.warranty import CHARGEABLE, FREE, frozen, not_offered
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.rules.warranty_policy import Partner

VENDOR = "vendor"
DEVICE, DEVELOPMENT = "device", "development"
KINDS = (DEVICE, DEVELOPMENT)
"""What a claim is about."""


@dataclass(frozen=True, slots=True)
class IntakeFacts:
    """What is told when a claim is opened; `known_serial` None: no contract names one.

    `told_at` is when the fault is said to have been told, None: now; `known_by` is what shows that.
    """

    kind: str
    serial: str | None
    symptoms: str | None
    diagnostics: str | None
    known_serial: str | None = None
    partner: str | None = None
    region: str | None = None
    told_at: datetime | None = None
    known_by: str | None = None

    def reported_at(self, now: datetime) -> datetime:
        """Return from when the report counts (sentence 1)."""
        return now if self.told_at is None or not self.known_by else self.told_at


@dataclass(frozen=True, slots=True)
class QuoteFacts:
    """One quote; `valid_until` is exclusive, `version` counts from 1."""

    version: int
    valid_until: datetime
    accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RmaFacts:
    """The number under which a device is sent in."""

    number: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """Where a claim stands; `outcome` None: nothing is decided. `hardware`: a hardware fault is confirmed.

    `replaced_by` is the serial that took the device's place under this claim, `current_serial` is the license's now.
    `license` is how the license stands; None: it is supposed to be in use.
    """

    kind: str
    serial: str | None
    outcome: str | None
    hardware: bool = False
    rma: RmaFacts | None = None
    quotes: tuple[QuoteFacts, ...] = ()
    replaced_by: str | None = None
    current_serial: str | None = None
    license: LicenseFacts | None = None

    @property
    def is_charged(self) -> bool:
        """Tell whether work on it has its price."""
        return self.kind == DEVELOPMENT or self.outcome == CHARGEABLE

    @property
    def quote(self) -> QuoteFacts | None:
        """Return the newest quote."""
        return max(self.quotes, key=lambda one: one.version, default=None)


def decide_open(facts: IntakeFacts, partners: Iterable[Partner], policy: Policy, now: datetime) -> Decision:
    """Decide whether a claim is opened, and where it is led; facts `missing`, `route`, `serial`, and `reported_at`.

    The last, with `is_shown`, where somebody said when the fault was told.
    """
    decision = _decide_open(facts, partners, policy, now)
    if not decision.allowed or facts.told_at is None:
        return decision
    shown = {"reported_at": instant(facts.reported_at(now)), "is_shown": bool(facts.known_by)}
    cited = () if policy.warranty is None or facts.kind == DEVELOPMENT else policy.warranty.clauses.period
    clauses = tuple(dict.fromkeys((*decision.clauses, *cited)))
    return replace(decision, clauses=clauses, facts={**decision.facts, **shown})


def _decide_open(facts: IntakeFacts, partners: Iterable[Partner], policy: Policy, now: datetime) -> Decision:
    warranty, quotes = policy.warranty, policy.quotes
    if facts.kind == DEVELOPMENT:
        if quotes is None or not quotes.development:
            return not_offered(policy, now)
        missing = [] if facts.symptoms else ["symptoms"]
        return _opened(missing, quotes.clauses.development, VENDOR, policy, now)
    if warranty is None:
        return not_offered(policy, now)
    cited = warranty.clauses
    told = {"serial": facts.serial, "symptoms": facts.symptoms, "diagnostics": facts.diagnostics}
    missing = [name for name, value in told.items() if not value]
    if missing or facts.known_serial in {None, facts.serial}:
        return _opened(missing, cited.intake, route_of(facts, partners, policy, now), policy, now, cited.routing)
    shown = {"serial": facts.serial}
    return deny(WarrantyCode.CLAIM_SERIAL_DIFFERS, clauses=cited.intake, policy=policy.ref, now=now, facts=shown)


def route_of(facts: IntakeFacts, partners: Iterable[Partner], policy: Policy, now: datetime) -> str:
    """Return whom the customer is led to (sentence 2): a partner's id, or `vendor`."""
    today = now.astimezone(policy.timezone).date()
    here = [one for one in partners if one.is_on(today)]
    by_contract = [one.id for one in here if facts.partner is not None and one.id == facts.partner]
    by_region = [one.id for one in here if facts.region is not None and facts.region in one.regions]
    return next(iter([*by_contract, *by_region]), VENDOR)


def route_now(route: str, partners: Iterable[Partner], policy: Policy, now: datetime) -> str:
    """Return who looks after a claim that was led to somebody (sentence 2): he, or `vendor` where he is gone."""
    today = now.astimezone(policy.timezone).date()
    return route if any(one.id == route and one.is_on(today) for one in partners) else VENDOR


def decide_rma(facts: ClaimFacts, number: str, policy: Policy, now: datetime) -> Decision:
    """Decide whether a device is sent in; facts `rma_number`, `address`, `expires_at`, or of the living number."""
    terms = policy.warranty
    if terms is None:
        return not_offered(policy, now)
    refused = frozen(facts.license, policy, now)
    if refused is not None:
        return refused
    clauses = terms.clauses.rma
    if not facts.hardware:
        return deny(WarrantyCode.RMA_NOT_NEEDED, clauses=clauses, policy=policy.ref, now=now)
    lives = facts.rma is not None and now < facts.rma.expires_at
    given = facts.rma if lives and facts.rma is not None else RmaFacts(number, now + terms.rma_lifetime)
    shown = {"rma_number": given.number, "address": terms.rma_address, "expires_at": instant(given.expires_at)}
    return allow(WarrantyCode.RMA_ISSUED, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def decide_quote(
    facts: ClaimFacts, price: str, valid_until: datetime | None, policy: Policy, now: datetime
) -> Decision:
    """Decide whether a price is told; facts `amount`, `valid_until`, `version`, `supersedes`."""
    terms = policy.quotes
    if terms is None:
        return not_offered(policy, now)
    refused = frozen(facts.license, policy, now)
    if refused is not None:
        return refused
    clauses = terms.clauses.price + _development(facts, policy)
    if not facts.is_charged:
        code = WarrantyCode.SERVICE_UNDECIDED if facts.outcome is None else WarrantyCode.QUOTE_NOT_NEEDED
        return deny(code, clauses=clauses, policy=policy.ref, now=now)
    last = facts.quote
    until = now + terms.lifetime if valid_until is None else valid_until
    shown: dict[str, Any] = {
        "amount": price,
        "valid_until": instant(until),
        "last_day": last_day(until, policy.timezone).isoformat(),
        "timezone": policy.timezone.key,
        "version": 1 if last is None else last.version + 1,
        "supersedes": None if last is None else last.version,
    }
    return allow(WarrantyCode.QUOTE_SENT, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def decide_accept(
    facts: ClaimFacts, presented: QuoteFacts | None, policy: Policy, now: datetime, *, contact_authorized: bool
) -> Decision:
    """Decide whether a quote is accepted; `presented` is the one that the word belongs to, None: to none."""
    terms = policy.quotes
    if terms is None:
        return not_offered(policy, now)
    refused = frozen(facts.license, policy, now)
    if refused is not None:
        return refused
    newest = facts.quote
    code, allowed = WarrantyCode.QUOTE_ACCEPTED, False
    if presented is None or newest is None:
        code = WarrantyCode.QUOTE_TOKEN_INVALID
    elif presented.accepted_at is not None:
        code = WarrantyCode.QUOTE_ALREADY_ACCEPTED
    elif presented.version != newest.version:
        code = WarrantyCode.QUOTE_SUPERSEDED
    elif now >= presented.valid_until:
        code = WarrantyCode.QUOTE_EXPIRED
    elif not contact_authorized:
        code = WarrantyCode.QUOTE_CONTACT_NOT_AUTHORIZED
    else:
        allowed = True
    shown = {} if presented is None else {"version": presented.version, "valid_until": instant(presented.valid_until)}
    clauses = terms.clauses.approval + _development(facts, policy)
    answer = allow if allowed else deny
    return answer(code, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def decide_start(facts: ClaimFacts, received: str | None, policy: Policy, now: datetime) -> Decision:
    """Decide whether work begins or goes on (sentences 3, 6 and 7); `received` is the serial of the device at hand."""
    terms = policy.quotes
    if terms is None:
        return not_offered(policy, now)
    refused = frozen(facts.license, policy, now)
    if refused is not None:
        return refused
    clauses = terms.clauses.approval + _development(facts, policy)
    quote = facts.quote
    shown: dict[str, Any] = {"outcome": facts.outcome, "version": None if quote is None else quote.version}
    code, cited, options = _stands_in_the_way(facts, received, policy, now)
    if code is not None:
        return deny(code, clauses=cited or clauses, policy=policy.ref, now=now, facts=shown, options=options)
    return allow(WarrantyCode.WORK_STARTED, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def decide_replace(facts: ClaimFacts, new_serial: str, policy: Policy, now: datetime) -> Decision:
    """Decide whether a device is replaced (sentence 8): what is charged only once its quote was accepted."""
    if policy.warranty is None or facts.kind != DEVICE:
        return not_offered(policy, now)
    still = frozen(facts.license, policy, now)
    if still is not None:
        return still
    cited = policy.warranty.clauses
    shown = {
        "old_serial": facts.serial,
        "new_serial": new_serial,
        "outcome": facts.outcome,
        "replaced_by": facts.replaced_by,
    }
    refused = _unpaid(facts, now)
    if facts.replaced_by is not None:
        refused = WarrantyCode.DEVICE_ALREADY_REPLACED
    elif new_serial == facts.serial or facts.current_serial not in {None, facts.serial}:
        refused = WarrantyCode.CLAIM_SERIAL_DIFFERS
    if refused is not None:
        return deny(refused, clauses=cited.covered, policy=policy.ref, now=now, facts=shown)
    clauses = cited.covered + (cited.chargeable if facts.outcome == CHARGEABLE else ())
    return allow(WarrantyCode.DEVICE_REPLACED, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def _opened(
    missing: list[str], clauses: Clauses, route: str, policy: Policy, now: datetime, routing: Clauses = ()
) -> Decision:
    if missing:
        code = WarrantyCode.CLAIM_NEEDS_INFO
        return deny(code, clauses=clauses, policy=policy.ref, now=now, facts={"missing": missing})
    code = WarrantyCode.CLAIM_OPENED if route == VENDOR else WarrantyCode.CLAIM_ROUTED_TO_PARTNER
    return allow(code, clauses=clauses + routing, policy=policy.ref, now=now, facts={"route": route})


def _development(facts: ClaimFacts, policy: Policy) -> Clauses:
    is_paid = facts.kind == DEVELOPMENT and policy.quotes is not None
    return policy.quotes.clauses.development if is_paid and policy.quotes is not None else ()


def _stands_in_the_way(
    facts: ClaimFacts, received: str | None, policy: Policy, now: datetime
) -> tuple[WarrantyCode | None, Clauses, tuple[str, ...]]:
    """Return why work may not begin, the clauses of that where they are others, and what can be done."""
    unpaid = _unpaid(facts, now)
    if unpaid is not None:
        return unpaid, (), ("return_device",) if unpaid is WarrantyCode.QUOTE_EXPIRED else ()
    if facts.kind != DEVICE or not facts.hardware or policy.warranty is None:
        return None, (), ()
    clauses = policy.warranty.clauses.rma
    if facts.rma is None:
        return WarrantyCode.RMA_REQUIRED, clauses, ("issue_rma",)
    if now >= facts.rma.expires_at:
        return WarrantyCode.RMA_EXPIRED, clauses, ("issue_rma",)
    if received != facts.serial:
        return WarrantyCode.RMA_WRONG_DEVICE, clauses, ("return_device",)
    return None, (), ()


def _unpaid(facts: ClaimFacts, now: datetime) -> WarrantyCode | None:
    """Return what is missing before anything is done: a decision, a quote, its acceptance; None: nothing is."""
    if not facts.is_charged:
        return None if facts.outcome == FREE else WarrantyCode.SERVICE_UNDECIDED
    quote = facts.quote
    if quote is not None and quote.accepted_at is not None:
        return None
    if quote is not None and now >= quote.valid_until:
        return WarrantyCode.QUOTE_EXPIRED
    return WarrantyCode.QUOTE_APPROVAL_REQUIRED
