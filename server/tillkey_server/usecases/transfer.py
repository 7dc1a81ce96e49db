"""A license goes to another customer, as when a shop is sold; the till that runs goes on selling.

Rows are locked in one order everywhere: licenses by id, their chains, their installations. An activation takes its
installation's row last too, so that nothing comes to live on an installation while that changes its customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.transfer import TransferFacts, decide_transfer
from tillkey_server.store import activations, audit, chains, customers, installations, licenses, projects
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.usecases import accounts
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.seen import license_of, living
from tillkey_server.usecases.services import Services, settled

MAX_ALONG = 100


@dataclass(frozen=True, slots=True)
class Transferred:
    """What went to whom: the license that was asked for and those that went along; `decision` is about the first."""

    license_id: UUID
    customer_id: UUID
    licenses: tuple[UUID, ...]
    activations: tuple[UUID, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Held:
    """Everything that goes, locked: the licenses by id, the activations that live, the new customer."""

    rows: Mapping[UUID, LicenseRow]
    live: Sequence[ActivationRow]
    buyer: CustomerRow

    @property
    def keys(self) -> list[str]:
        return sorted({one.jkt for one in self.live})

    def of(self, license_id: UUID) -> list[ActivationRow]:
        return [one for one in self.live if one.license_id == license_id]


async def transfer(
    services: Services,
    license_id: UUID,
    *,
    customer: str,
    actor: str,
    reason: str,
    along: Sequence[UUID] = (),
    scope: Scope = EVERYTHING,
) -> Transferred | RefusalAnswer:
    """Give a license, and those of `along`, to another customer: all of them or none.

    In: `customer` is the id or the e-mail address of one on record. Raises NotFound, for what the caller does not see
    too, and BadInput, naming the field.
    """
    if len(along) > MAX_ALONG:
        raise BadInput("along", f"must name at most {MAX_ALONG} licenses")
    wanted = sorted({license_id, *along})

    async def attempt() -> Transferred | RefusalAnswer:
        async with services.db.writing() as tx:
            buyer = await _buyer(tx, customer, scope)
            held = await _held_still(tx, wanted, buyer, scope)
            decisions = {one: await _decide(services, tx, held, one, reason, scope) for one in wanted}
            refused = next(((one, found) for one, found in decisions.items() if not found.allowed), None)
            if refused is not None:
                await audit.record(tx, refused[1], actor=actor, action="license_transfer", license_id=refused[0])
                return refusal_of(refused[1])
            await _write(services, tx, held)
            for one, decision in decisions.items():
                await audit.record(tx, decision, actor=actor, action="license_transfer", license_id=one)
        live = tuple(one.id for one in held.live)
        return Transferred(license_id, buyer.id, tuple(wanted), live, decisions[license_id])

    return await settled(attempt)


async def _buyer(tx: AsyncConnection, named: str, scope: Scope) -> CustomerRow:
    """Return the new customer. One that is mistyped must not come to be by it. Raises NotFound and BadInput."""
    text = named.strip()
    if "@" in text:
        found, told = await customers.by_email_key(tx, text.casefold()), "of that e-mail address"
    else:
        try:
            customer_id = UUID(text)
        except ValueError as error:
            raise BadInput("customer", "must be a customer's id or e-mail address") from error
        found, told = await customers.by_id(tx, customer_id), str(customer_id)
    if found is None:
        raise NotFound("customer", told)
    try:
        return await living(tx, found.id, scope)
    except NotFound as error:
        # Named as the caller named it: an address must not tell an id.
        raise NotFound("customer", told) from error


async def _held_still(tx: AsyncConnection, wanted: Sequence[UUID], buyer: CustomerRow, scope: Scope) -> _Held:
    """Lock everything that goes, in the order of the module's docstring. Raises NotFound and BadInput."""
    rows = {one: await license_of(tx, one, scope, lock=True) for one in wanted}
    if len({row.customer_id for row in rows.values()} - {buyer.id}) > 1:
        raise BadInput("along", "must be licenses of the same customer")
    for one in wanted:
        await chains.hold_still(tx, one)
    live = [held for one in wanted for held in await activations.active_of_license(tx, one)]
    found = _Held(rows, live, buyer)
    for jkt in found.keys:
        await installations.get(tx, jkt, lock=True)
    return found


async def _decide(
    services: Services, tx: AsyncConnection, held: _Held, license_id: UUID, reason: str, scope: Scope
) -> Decision:
    row = held.rows[license_id]
    own = held.of(license_id)
    beside = await activations.active_of_keys(tx, sorted({one.jkt for one in own}))
    others = [await licenses.by_id(tx, one) for one in sorted({one.license_id for one in beside} - held.rows.keys())]
    seen = [
        one.id for one in others if one is not None and scope.admits(customer=one.customer_id, product=one.product_id)
    ]
    facts = TransferFacts(
        license=row.facts,
        from_customer=row.customer_id,
        to_customer=held.buyer.id,
        reason=reason,
        left_behind=tuple(seen),
        hidden=len(others) - len(seen),
        goes_on=tuple(one.id for one in own),
    )
    return decide_transfer(facts, await services.policies.of(tx, row.policy_ref), services.clock.now())


async def _write(services: Services, tx: AsyncConnection, held: _Held) -> None:
    projects_now = await _projects(services, tx, held)
    for row in held.rows.values():
        project_id = None if row.project_id is None else projects_now[row.project_id]
        await licenses.give(tx, row.id, customer_id=held.buyer.id, project_id=project_id)
    await accounts.inherit(tx, services.policies, held.rows.values(), held.buyer.id, services.clock.now())
    for one in held.live:
        await activations.set_project(tx, one.id, projects_now[one.project_id])
    for jkt in held.keys:
        await installations.set_customer(tx, jkt, held.buyer.id)
    # A beat that was judged before must not write a lease for the old project afterwards.
    await chains.bump_revision(tx, [one.id for one in held.live])


async def _projects(services: Services, tx: AsyncConnection, held: _Held) -> dict[UUID, UUID]:
    """Return the buyer's project of the same name for each project that a license or an activation is in."""
    used = {row.project_id for row in held.rows.values() if row.project_id is not None}
    found = [await projects.by_id(tx, one) for one in used | {one.project_id for one in held.live}]
    now = services.clock.now()
    made: dict[UUID, UUID] = {}
    # In the order of their names, so that two transfers to one customer wait for each other in one direction only.
    for old in sorted((one for one in found if one is not None), key=lambda one: one.name_key):
        wanted = ProjectRow(new_id(), held.buyer.id, old.name, old.name_key, old.site, now)
        found_or_made = await projects.ensure(tx, wanted)
        await projects.follow_names(tx, old.id, found_or_made)
        made[old.id] = found_or_made.id
    if len(made) != len(found):
        raise BrokenInvariant("a license or an activation is in a project that is not there")
    return made
