"""Licenses: issued for a paid line (NX-01), suspended, resumed, revoked (K-13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound, said_why
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.order_line import DIRECT, MANUAL, LineKind, kind_of
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import refuse_under_review
from tillkey_server.rules.standing import Event, LicenseFacts, advance, decide_change
from tillkey_server.store import audit, chains, customers, leases, legal_holds, licenses, orders, outbox, products
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.customer import address_of, ensured
from tillkey_server.usecases.issuing import IssuedLicense, Sale, issue_line
from tillkey_server.usecases.prerequisite import after_loss, lock_with_dependents
from tillkey_server.usecases.sale import not_on_sale
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services, settled

_MAX_ORDER = 100
_MAX_QUANTITY = 500
CHANGES = (Event.SUSPEND, Event.RESUME, Event.REVOKE, Event.HOLD, Event.RELEASE_HOLD)
"""What a person may do to a license; a refund, a renewal and a termination come with their money and their data."""
_TAKES_USE = frozenset({Event.SUSPEND, Event.REVOKE, Event.HOLD})


@dataclass(frozen=True, slots=True)
class Issued:
    """What was issued: `license_issued`, or `license_already_issued` where the order had its licenses before."""

    decision_code: str
    order_id: UUID
    licenses: tuple[IssuedLicense, ...]


async def issue(
    services: Services,
    *,
    product: str,
    customer_email: str,
    actor: str,
    quantity: int = 1,
    order: str | None = None,
    scope: Scope = EVERYTHING,
) -> Issued | RefusalAnswer:
    """Issue the licenses of one paid line, `quantity` of them, each with its own key.

    Refused for what is not on sale (BC-19, BC-22), but not for what is required before it: whoever issues answers for
    that.

    `order` is the seller's number of the order: told again it gives the same licenses and no new ones. Raises
    NotFound for the product and BadInput, naming the field.
    """
    email = address_of(customer_email, "customer")
    if not 1 <= quantity <= _MAX_QUANTITY:
        raise BadInput("quantity", f"must be from 1 to {_MAX_QUANTITY}")
    if order is not None and not (0 < len(order.strip()) <= _MAX_ORDER and order.isprintable()):
        raise BadInput("order", f"must be 1 to {_MAX_ORDER} printable characters")

    async def attempt() -> Issued | RefusalAnswer:
        now = services.clock.now()
        async with services.db.writing() as tx:
            sold = await products.by_code(tx, product)
            if sold is None or not scope.admits_product(sold.id):
                raise NotFound("product", product)
            row = customers.CustomerRow(new_id(), email, email.casefold(), now)
            customer = await ensured(tx, row, scope)
            policy = await services.policies.in_force(tx, sold.policy_name, now)
            sale = Sale(sold, customer, policy, quantity, now)
            number = None if order is None else order.strip()
            if sold.parts:
                raise BadInput("product", "is a bundle: sell it by `order add`, which issues its parts")
            known = None if number is None else await orders.by_external(tx, MANUAL, number, lock=True)
            refused = await not_on_sale(tx, sold, policy, now) if known is None else _waiting(known, policy, now)
            if refused is not None:
                await audit.record(tx, refused, actor=actor, action="license_issue")
                return refusal_of(refused)
            line = await _line_of(tx, sale, number)
            issued = await issue_line(services, tx, sale, line, actor)
            return Issued(issued.code, line.order_id, issued.licenses)

    return await settled(attempt)


def _waiting(known: orders.OrderRow, policy: Policy, now: datetime) -> Decision | None:
    """Return the no to a key of an order that is under review (BC-37)."""
    return None if known.held_since is None else refuse_under_review(known.held_since, policy, now)


async def change_standing(
    services: Services,
    license_id: UUID,
    *,
    event: str,
    actor: str,
    reason: str,
    until: datetime | None = None,
    outcome: str | None = None,
    scope: Scope = EVERYTHING,
) -> Decision:
    """Suspend, resume, revoke … a license; `until` ends a suspension by itself.

    `outcome` is how a legal hold ended (CJ-02): `cleared`, which None stands for, or `violation_confirmed`.

    The decision's fact `lease_ends_at` is until when a till that cannot be reached keeps full rights (K-12). What takes
    the use away tells too how many leases are still live, and until when the last of them is believed (X-04).
    Raises NotFound, and BadInput for a missing reason or an unknown event.
    """
    why = said_why(reason)
    if event not in CHANGES:
        raise BadInput("event", f"must be one of {', '.join(CHANGES)}")
    async with services.db.writing() as tx:
        if event == Event.REVOKE:
            await lock_with_dependents(tx, license_id, scope)
        row = await license_of(tx, license_id, scope, lock=True)
        await chains.hold_still(tx, row.id)
        now = services.clock.now()
        if until is not None and until <= now:
            raise BadInput("until", "is over already: give a time to come")
        policy = await services.policies.of(tx, row.policy_ref)
        decision = decide_change(row.facts, Event(event), policy, now)
        if decision.allowed:
            await _write(tx, row, advance(row.facts, Event(event), now, until))
            if event in {Event.SUSPEND, Event.RESUME} and row.suspended_for is not None:
                # Whatever suspended it before, from now on it is this person's suspension, or nobody's (NX-13).
                await licenses.set_suspended_for(tx, row.id, None)
            await _note_hold(tx, row, event, outcome, now)
        told = {"reason": why, **(await _live(tx, row.id, event, now))}
        decision = replace(decision, facts={**decision.facts, **told, **({"outcome": outcome} if outcome else {})})
        await audit.record(tx, decision, actor=actor, action=f"license_{event}", license_id=row.id)
        if decision.allowed and event == Event.HOLD and row.legal_hold_at is None:
            await _tell_hold(tx, row.id, decision)
        if decision.allowed and event == Event.REVOKE:
            await _tell_revocation(tx, row.id, decision)
            await after_loss(services, tx, row, now, actor=actor)
    return decision


async def _note_hold(
    tx: AsyncConnection, row: licenses.LicenseRow, event: str, outcome: str | None, now: datetime
) -> None:
    """Keep how long a hold was and how it ended: the refund window and the right to a refund follow from it (CJ-02)."""
    if event == Event.RELEASE_HOLD.value and row.legal_hold_at is not None:
        ended = legal_holds.LegalHoldRow(new_id(), row.id, row.legal_hold_at, now, outcome or legal_holds.CLEARED)
        await legal_holds.insert(tx, ended)


async def _live(tx: AsyncConnection, license_id: UUID, event: str, now: datetime) -> dict[str, object]:
    """Return until when leases that are out run on; with how many those are, where an event takes the use away."""
    told: dict[str, object] = {"lease_ends_at": instant(await leases.latest_exp_of_license(tx, license_id))}
    if event in _TAKES_USE:
        live = await leases.still_live(tx, license_id, now)
        told |= {"leases_live": live.leases, "effective_latest_at": instant(live.until)}
    return told


async def _tell_revocation(tx: AsyncConnection, license_id: UUID, decision: Decision) -> None:
    """Tell of a revocation, and of the leases that it cannot call back (X-04)."""
    facts, now = decision.facts, decision.evaluated_at
    told: dict[str, object] = {"code": decision.code.value, "reason": "revocation", "revoked_at": instant(now)}
    told |= {name: facts[name] for name in ("leases_live", "effective_latest_at")}
    await outbox.add(tx, kind=Effect.LICENSE_REVOKED, subject=str(license_id), payload=told, now=now)


async def _tell_hold(tx: AsyncConnection, license_id: UUID, decision: Decision) -> None:
    """Tell of a hold: leases that are out run on to their end, and whoever holds one has to know (CJ-02)."""
    now = decision.evaluated_at
    told = {"held_at": instant(now), "effective_latest_at": decision.facts["lease_ends_at"]}
    await outbox.add(tx, kind=Effect.LICENSE_HELD, subject=str(license_id), payload=told, now=now)


async def _write(tx: AsyncConnection, row: licenses.LicenseRow, after: LicenseFacts) -> None:
    moments = {
        name: getattr(after, name)
        for name in sorted(licenses.MOMENTS)
        if getattr(after, name) != getattr(row.facts, name)
    }
    if moments:
        await licenses.set_moments(tx, row.id, moments)


async def _line_of(tx: AsyncConnection, sale: Sale, order: str | None) -> orders.OrderLineRow:
    order_id = new_id()
    channel, number = (DIRECT, str(order_id)) if order is None else (MANUAL, order)
    row = orders.OrderRow(order_id, channel, number, sale.customer.id, sale.now, sale.now)
    if not await orders.insert_if_absent(tx, row):
        return await _known_line(tx, sale, channel, number)
    line = orders.OrderLineRow(
        id=new_id(),
        order_id=order_id,
        position=0,
        product_id=sale.product.id,
        quantity=sale.quantity,
        price_minor=sale.product.price_minor,
        currency=sale.product.currency,
        policy_name=sale.policy.name,
        policy_version=sale.policy.version,
        list_price_minor=sale.product.price_minor,
        advertised=sale.product.advertised,
        refund_days=sale.product.refund_days,
    )
    await orders.insert_line(tx, line)
    return line


async def _known_line(tx: AsyncConnection, sale: Sale, channel: str, number: str) -> orders.OrderLineRow:
    known = await orders.by_external(tx, channel, number, lock=True)
    lines = () if known is None else await orders.lines_of(tx, known.id)
    if known is None or not lines:
        msg = "an order without lines"
        raise BrokenInvariant(msg)
    if known.customer_id != sale.customer.id or lines[0].product_id != sale.product.id:
        raise BadInput(
            "order",
            "is the number of another customer's or product's order: tell all of an order's lines by `order add`",
        )
    if kind_of(lines[0].kind) is not LineKind.PRODUCT:
        raise BadInput("order", "begins with a line that gives no license: tell all of its lines by `order add`")
    if sale.quantity > lines[0].quantity:
        raise BadInput("quantity", f"the order was paid for {lines[0].quantity}: sell more under an order of their own")
    return lines[0]
