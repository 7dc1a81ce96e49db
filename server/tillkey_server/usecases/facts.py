"""Gathering what decides an activation, under the license's lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.errors import WireError
from tillkey.wire.request import Activate
from tillkey_server.rules import fingerprint
from tillkey_server.rules.activation import ActivationFacts, HolderFacts, InstallationFacts
from tillkey_server.rules.move import TicketFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.project import UNNAMED, normal_name
from tillkey_server.rules.term_policy import AfterExpiry
from tillkey_server.store import activations, installations, leases, projects, tickets
from tillkey_server.store.activations import ActivationRow, Holder
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.tickets import TicketRow
from tillkey_server.usecases.reviewing import held_since
from tillkey_server.usecases.services import Services


@dataclass(frozen=True, slots=True)
class Gathered:
    """The rule's facts, and the rows behind them that are written afterwards."""

    facts: ActivationFacts
    holders: tuple[Holder, ...]
    ticket: TicketRow | None
    installation_known: bool


async def gather(
    services: Services,
    tx: AsyncConnection,
    row: LicenseRow,
    policy: Policy,
    holders: tuple[Holder, ...],
    body: Activate,
    jkt: str,
) -> Gathered:
    """Read what decides an activation of the license `row`, sold under `policy`, by the installation `jkt`.

    The license and its holders' chains are locked. Nothing is read that this policy or these holders do not ask for.
    """
    terms = policy.activation
    name = "" if body.project is None else body.project.name
    project = await projects.by_any_name(tx, row.customer_id, normal_name(name) or UNNAMED)
    bound = await projects.by_id(tx, row.project_id) if terms.bind_site and row.project_id is not None else None
    ends = {} if terms.release_unseen_after is None else await leases.ends_of_license(tx, row.id)
    ticket = await _ticket(services, tx, body.move_ticket)
    # Only a takeover looks at what was before, and only the same machine takes over.
    same = any(fingerprint.matches(one.activation.fingerprint, body.fingerprint, policy.takeover) for one in holders)
    known, installation = await _installation(tx, row, jkt, same=same)
    facts = ActivationFacts(
        license=row.facts,
        license_customer_id=row.customer_id,
        project_id=None if project is None else project.id,
        project_name=name,
        environment=body.environment,
        jkt=jkt,
        fingerprint=body.fingerprint,
        holders=tuple(holder_of(one.activation, one.last_seen_at, ends.get(one.activation.id)) for one in holders),
        installation=installation,
        bound_project_id=row.project_id,
        bound_at=row.bound_at,
        bound_site=None if bound is None else bound.site,
        site=None if body.project is None else body.project.site,
        ticket=None if ticket is None else _ticket_facts(ticket),
        ticket_presented=body.move_ticket is not None,
        recent_takeovers=await activations.takeovers(tx, row.id) if same else (),
        is_first=await _is_first(tx, row, policy),
        order_held_at=None if any(one.activation.jkt == jkt for one in holders) else await held_since(tx, row),
    )
    return Gathered(facts, holders, ticket, known)


async def _is_first(tx: AsyncConnection, row: LicenseRow, policy: Policy) -> bool:
    """Tell whether a license was never activated, where its terms ask for that (NX-46)."""
    if policy.terms is None or policy.terms.after_expiry is not AfterExpiry.DENY:
        return False
    return await activations.first_started_at(tx, row.id) is None


async def _installation(
    tx: AsyncConnection, row: LicenseRow, jkt: str, *, same: bool
) -> tuple[bool, InstallationFacts]:
    """Return whether an installation's key is known, and what is; its past is read for the `same` machine alone.

    Its row is locked, since a transfer may be giving it to another customer, with all that lives on it.
    """
    known = await installations.get(tx, jkt, lock=True)
    held = await activations.active_of_key(tx, jkt, row.product_id)
    facts = InstallationFacts(
        customer_id=None if known is None else known.customer_id,
        blocked_at=None if known is None else known.blocked_at,
        active_activation_of_product=None if held is None else held.id,
        held_before=same and await activations.held_before(tx, jkt, row.id),
    )
    return known is not None, facts


async def _ticket(services: Services, tx: AsyncConnection, presented: str | None) -> TicketRow | None:
    if presented is None:
        return None
    try:
        ticket_hash = services.pepper.hash_ticket(presented)
    except WireError:
        return None
    return await tickets.by_hash(tx, ticket_hash)


def _ticket_facts(row: TicketRow) -> TicketFacts:
    return TicketFacts(row.license_id, row.environment, row.created_at, row.expires_at, row.used_at, row.activation_id)


def holder_of(held: ActivationRow, last_seen_at: datetime, lease_ends_at: datetime | None) -> HolderFacts:
    """Return an active activation as the rules take it."""
    return HolderFacts(
        id=held.id,
        jkt=held.jkt,
        project_id=held.project_id,
        environment=held.environment,
        slot=held.slot,
        fingerprint=held.fingerprint,
        started_at=held.started_at,
        last_seen_at=last_seen_at,
        site=held.site,
        lease_ends_at=lease_ends_at,
    )
