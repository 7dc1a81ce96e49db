"""A warranty claim after its decision: the number for sending in, the quote, its acceptance, the work, a replacement.

The word that accepts a quote is shown once, to be sent to an authorized contact; a keyed hash of it is stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.claim import (
    VENDOR,
    QuoteFacts,
    decide_accept,
    decide_quote,
    decide_replace,
    decide_rma,
    decide_start,
    route_now,
)
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.store import activations, audit, chains, customers, licenses, outbox, warranty
from tillkey_server.store.warranty import SORTS, ClaimRow, QuoteRow, ReplacementRow, RmaRow, WorkRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.authorized import partners_of
from tillkey_server.usecases.catalogue import check_price
from tillkey_server.usecases.customer import address_of
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.warranty import Done, Held, contact_hash, held_by

_USE = "quote"
_RMA_BYTES = 5


@dataclass(frozen=True, slots=True)
class SentQuote:
    """A price that was told; `token` is the word that accepts it, shown this once."""

    claim_id: UUID
    quote_id: UUID
    version: int
    amount: Money
    valid_until: datetime
    token: str = field(repr=False)
    decision: Decision


@dataclass(frozen=True, slots=True)
class Replaced:
    """A device that another one took the place of, and which activations ended with it."""

    claim_id: UUID
    license_id: UUID
    activations: tuple[UUID, ...]
    decision: Decision


async def issue_rma(
    services: Services, claim_id: UUID, *, actor: str, scope: Scope = EVERYTHING
) -> Done | RefusalAnswer:
    """Give a claim a number under which its device is sent in, or the one that lives. Raises NotFound."""
    async with services.db.writing() as tx:
        held = await held_by(services, tx, claim_id, scope, lock=True)
        now = services.clock.now()
        number = f"RMA-{secrets.token_hex(_RMA_BYTES).upper()}"
        decision = decide_rma(held.facts, number, held.policy, now)
        await audit.record(tx, decision, actor=actor, action="warranty_rma", license_id=held.license.id)
        if not decision.allowed:
            return refusal_of(decision)
        terms = held.policy.warranty
        assert terms is not None, "the rule has looked"
        if decision.facts["rma_number"] == number:
            made = RmaRow(new_id(), claim_id, number, terms.rma_address, now, now + terms.rma_lifetime)
            await warranty.insert(tx, made)
    return Done(claim_id, held.license.id, decision)


async def send_quote(
    services: Services,
    claim_id: UUID,
    *,
    amount: Money,
    reason: str,
    actor: str,
    valid_until: datetime | None = None,
    scope: Scope = EVERYTHING,
) -> SentQuote | RefusalAnswer:
    """Tell a price; a newer quote takes the place of an older one, and work waits for its acceptance.

    Raises NotFound and BadInput, naming the field.
    """
    check_price(amount, "amount")
    async with services.db.writing() as tx:
        held = await held_by(services, tx, claim_id, scope, lock=True)
        now = services.clock.now()
        if valid_until is not None and valid_until <= now:
            raise BadInput("valid_until", "is over already: give a time to come")
        decision = decide_quote(held.facts, amount.display(), valid_until, held.policy, now)
        await audit.record(tx, decision, actor=actor, action="warranty_quote", license_id=held.license.id)
        if not decision.allowed:
            return refusal_of(decision)
        terms = held.policy.quotes
        assert terms is not None, "the rule has looked"
        word = secrets.token_urlsafe()
        made = QuoteRow(
            id=new_id(),
            claim_id=claim_id,
            version=held.quotes[-1].version + 1 if held.quotes else 1,
            amount_minor=amount.minor,
            currency=amount.currency,
            reason=reason.strip(),
            valid_until=valid_until or now + terms.lifetime,
            token_hash=services.pepper.hash_word(_USE, word),
            sent_at=now,
            sent_by=actor,
        )
        await warranty.insert(tx, made)
        await _tell(tx, made, held.license.id)
    return SentQuote(claim_id, made.id, made.version, amount, made.valid_until, word, decision)


async def accept_quote(
    services: Services, claim_id: UUID, *, token: str, contact: str, actor: str, scope: Scope = EVERYTHING
) -> Done | RefusalAnswer:
    """Accept a quote with the word that was sent, once; `contact` is the address of whoever accepts.

    Raises NotFound, and BadInput for what is no address.
    """
    hashed = contact_hash(services, contact, "contact")
    async with services.db.writing() as tx:
        held = await held_by(services, tx, claim_id, scope, lock=True)
        now = services.clock.now()
        found = await warranty.quote_by_hash(tx, services.pepper.hash_word(_USE, token))
        own = found if found is not None and found.claim_id == claim_id else None
        presented = None if own is None else QuoteFacts(own.version, own.valid_until, own.accepted_at)
        may = await _may_accept(tx, held, contact, hashed)
        decision = decide_accept(held.facts, presented, held.policy, now, contact_authorized=may)
        await audit.record(tx, decision, actor=actor, action="warranty_accept", license_id=held.license.id)
        if not decision.allowed or own is None:
            return refusal_of(decision)
        if not await warranty.accept(tx, own.id, now):
            raise BrokenInvariant("a quote was accepted beside its license's lock")
    return Done(claim_id, held.license.id, decision)


async def start_work(
    services: Services, claim_id: UUID, *, actor: str, serial: str | None = None, scope: Scope = EVERYTHING
) -> Done | RefusalAnswer:
    """Begin work, or go on under an accepted newer quote; `serial` is that of the device at hand. Raises NotFound."""
    async with services.db.writing() as tx:
        held = await held_by(services, tx, claim_id, scope, lock=True)
        now = services.clock.now()
        decision = decide_start(held.facts, serial, held.policy, now)
        await audit.record(tx, decision, actor=actor, action="warranty_start", license_id=held.license.id)
        if not decision.allowed:
            return refusal_of(decision)
        version = held.quotes[-1].version if held.facts.is_charged else None
        await warranty.insert(tx, WorkRow(new_id(), claim_id, version, now, actor))
    return Done(claim_id, held.license.id, decision)


async def replace_device(
    services: Services, claim_id: UUID, *, new_serial: str, actor: str, scope: Scope = EVERYTHING
) -> Replaced | RefusalAnswer:
    """Put another device in the place of the claim's: its license is free for the new serial at once.

    No forced deactivation is counted, and the warranty goes on to its end (NP-02). Raises NotFound.
    """
    async with services.db.writing() as tx:
        held = await held_by(services, tx, claim_id, scope, lock=True)
        await chains.hold_still(tx, held.license.id)
        now = services.clock.now()
        decision = decide_replace(held.facts, new_serial, held.policy, now)
        await audit.record(tx, decision, actor=actor, action="warranty_replace", license_id=held.license.id)
        if not decision.allowed:
            return refusal_of(decision)
        live = [one.id for one in await activations.active_of_license(tx, held.license.id)]
        await activations.end(tx, live, at=now, reason="moved")
        made = ReplacementRow(new_id(), claim_id, held.license.id, held.claim.serial or "", new_serial, now, actor)
        await warranty.insert(tx, made)
    return Replaced(claim_id, held.license.id, tuple(live), decision)


async def get_claim(services: Services, claim_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return a claim with its findings, decisions, quotes, numbers and the invitation. Raises NotFound."""
    async with services.db.reading() as tx:
        held = await held_by(services, tx, claim_id, scope)
        work = await warranty.of_claim(tx, WorkRow, claim_id)
        [claim] = await _led_now(services, tx, [held.claim])
    terms = held.policy.warranty
    invited = [] if terms is None else [{"text": terms.invitation, "clauses": list(terms.clauses.invitation)}]
    return {
        **shown(claim),
        "symptoms": held.claim.symptoms,
        "diagnostics": held.claim.diagnostics,
        "status": _status(held, work, services.clock.now()),
        "findings": [_finding(one) for one in held.findings],
        "decisions": [{"outcome": one.outcome, "decided_at": instant(one.decided_at)} for one in held.decisions],
        "quotes": [_quote(one) for one in held.quotes],
        "rma": [
            {"number": one.number, "address": one.address, "expires_at": instant(one.expires_at)} for one in held.rmas
        ],
        "work_started_at": instant(work[0].started_at) if work else None,
        "replaced_by": held.facts.replaced_by,
        "statements": invited,
    }


async def list_claims(
    services: Services,
    *,
    license_id: UUID | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of claims, of one license if named. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    async with services.db.reading() as tx:
        found = await warranty.page(tx, paging, scope, license_id=license_id)
        found = await _led_now(services, tx, found)
    return page_of(found, paging, show=shown, key=lambda row: row.id, sorts=SORTS)


def shown(row: ClaimRow) -> dict[str, object]:
    """Return a claim as lists show it."""
    return {
        "id": str(row.id),
        "license_id": str(row.license_id),
        "kind": row.kind,
        "serial": row.serial,
        "route": row.route,
        "reported_at": instant(row.reported_at),
        "opened_at": instant(row.opened_at),
        "known_by": row.known_by,
    }


async def _led_now(services: Services, tx: AsyncConnection, rows: Iterable[ClaimRow]) -> tuple[ClaimRow, ...]:
    """Return the claims with whoever looks after them now: a partner who is gone gave them back (NP-11)."""
    claims, now = tuple(rows), services.clock.now()
    sold = await licenses.by_ids(tx, {one.license_id for one in claims if one.route != VENDOR})
    policies = {one.policy_ref: await services.policies.of(tx, one.policy_ref) for one in sold.values()}
    return tuple(
        one
        if (row := sold.get(one.license_id)) is None
        else replace(one, route=_route(services, one, policies[row.policy_ref], now))
        for one in claims
    )


def _route(services: Services, claim: ClaimRow, policy: Policy, now: datetime) -> str:
    return route_now(claim.route, partners_of(services, policy), policy, now)


def _status(held: Held, work: tuple[WorkRow, ...], now: datetime) -> str:
    """Return where a claim stands, derived from its facts (law 3)."""
    facts = held.facts
    if facts.replaced_by is not None:
        return "replaced"
    if facts.is_charged:
        quote = facts.quote
        if quote is None:
            return "to_be_quoted"
        if quote.accepted_at is None:
            return "quote_expired" if now >= quote.valid_until else "waiting_for_approval"
        return "in_work" if any(one.quote_version == quote.version for one in work) else "approved"
    if facts.outcome is None:
        return "open"
    return "in_work" if work else "approved"


def _finding(row: warranty.FindingRow) -> dict[str, object]:
    names = ("fault", "ground", "caused", "hardware", "detail", "evidence", "worked_by", "worked_on")
    told = {name: getattr(row, name) for name in names}
    return {**told, "withdrawn": bool(row.withdrawn), "found_at": instant(row.found_at)}


def _quote(row: QuoteRow) -> dict[str, object]:
    return {
        "version": row.version,
        "amount": Money(row.amount_minor, row.currency).display(),
        "reason": row.reason,
        "valid_until": instant(row.valid_until),
        "sent_at": instant(row.sent_at),
        "accepted_at": instant(row.accepted_at),
    }


async def _tell(tx: AsyncConnection, quote: QuoteRow, license_id: UUID) -> None:
    """Tell the customer of a quote; the word that accepts it is in the answer to whoever sends it, and nowhere else."""
    told = {
        "license_id": str(license_id),
        "quote_id": str(quote.id),
        "version": quote.version,
        "amount_minor": quote.amount_minor,
        "currency": quote.currency,
        "valid_until": instant(quote.valid_until),
    }
    await outbox.add(tx, kind=Effect.QUOTE_SENT, subject=str(quote.claim_id), payload=told, now=quote.sent_at)


async def _may_accept(tx: AsyncConnection, held: Held, contact: str, hashed: str) -> bool:
    """Tell whether somebody may accept: the license's owner, or whom the contract names."""
    owner = await customers.by_id(tx, held.license.customer_id)
    contract = await warranty.contract_of(tx, held.license.id)
    is_owner = owner is not None and owner.email_key == address_of(contact, "contact").casefold()
    return is_owner or (contract is not None and hashed in contract.contacts)
