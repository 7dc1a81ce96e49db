"""Writing what was decided: a new activation, or one that a restore had lost and a genuine lease brings back."""

from __future__ import annotations

import uuid
from typing import Optional

from tillkey.testing import chain, seat
from tillkey.testing.books import Activation, Books, License, Step
from tillkey.testing.refusals import ASK, Refused, instant
from tillkey.wire.answers import Lease
from tillkey.wire.request import Activate, Request


def begin(asked: seat.Asked, decided: seat.Decided) -> tuple[Activation, Step]:
    """Write a new activation with all that goes with it: ends, project, binding, ticket, first step."""
    books, sold, request = asked.books, asked.sold, asked.request
    for one in decided.releases:
        books.end(one, decided.reason, asked.now)
    if decided.reason == "reinstalled":
        sold.takeovers.append(asked.now)
    if decided.ticket is not None:
        decided.ticket.used = True
    books.installations.setdefault(request.jkt, sold.customer)
    name = (sold.customer, asked.project_name or seat.UNNAMED)
    project = books.projects.setdefault(name, str(uuid.uuid4()))
    held = _row(request, asked.body, sold, asked.now)
    held.id, held.project = str(uuid.uuid4()), project
    _record(books, sold, held)
    return held, chain.take(books, request, held, created=True)


def bind(sold: License, held: Activation, now: int) -> None:
    """Tie the license to the activation's project, where its terms say so."""
    if sold.project is None and sold.terms.binds(held.environment):
        sold.project, sold.bound_at = held.project, now


def adopt(
    books: Books, request: Request, body: Activate, sold: License, lease: Lease, now: int
) -> tuple[Activation, Step]:
    """Take up an activation that is not on record, from its genuine lease; raises ``Refused``.

    Where somebody else holds the license by a later lease, that one stays.
    """
    project = _project_of(books, body, sold, lease)
    try:
        _refuse(books, request, sold, project, now)
    except Refused as no:
        raise no.about(lease.sub) from None
    slot = sold.terms.slot_of(lease.environment)
    rivals = [one for one in books.holders(sold) if one.slot == slot or one.jkt == request.jkt]
    for rival in rivals:
        if lease.iat < rival.leased_at:
            facts = {"because": "history_lost", "held_since": instant(rival.started_at)}
            options = ("activate", *ASK)
            raise Refused("activation_superseded", ("NX-08", "NX-48"), sub=lease.sub, facts=facts, options=options)
    for rival in rivals:
        books.end(rival, "conflict", now)
    books.installations.setdefault(request.jkt, sold.customer)
    if project is None:
        project = lease.project
        books.projects[sold.customer, _name_of(body)] = project
    held = _row(request, body, sold, now)
    held.id, held.project, held.environment, held.slot = lease.sub, project, lease.environment, slot
    _record(books, sold, held)
    step = chain.take(books, request, held, seq=lease.seq + 1, created=True)
    chain.remember(books, held, lease)
    return held, step


def _row(request: Request, body: Activate, sold: License, now: int) -> Activation:
    return Activation(
        id="",
        license=sold.id,
        product=sold.product,
        jkt=request.jkt,
        project="",
        environment=body.environment,
        slot=sold.terms.slot_of(body.environment),
        fingerprint=dict(body.fingerprint),
        started_at=now,
    )


def _record(books: Books, sold: License, held: Activation) -> None:
    books.activations[held.id] = held
    bind(sold, held, held.started_at)


def _refuse(books: Books, request: Request, sold: License, project: Optional[str], now: int) -> None:
    """Raise what speaks against this license, this key or this project, before the lease is looked at."""
    chain.refuse_standing(sold, now)
    foreign = books.installations.get(request.jkt, sold.customer) != sold.customer
    elsewhere = any(
        one.ended_at is None and one.jkt == request.jkt and one.product == sold.product and one.license != sold.id
        for one in books.activations.values()
    )
    if foreign or elsewhere:
        raise seat.in_use(other_customer=foreign)
    if seat.bound_elsewhere(sold, project):
        facts = {"because": "history_lost", "other": "project", "bound_since": instant(sold.bound_at)}
        raise Refused("bound_to_other_project", ("NX-06",), facts=facts, options=("use_bound_project", *ASK))
    if (request.jkt, request.rid) in books.steps:
        raise chain.stale(None)


def _project_of(books: Books, body: Activate, sold: License, lease: Lease) -> Optional[str]:
    """Return the lease's project, by its id or, where that was lost, by its name."""
    own = {name: known for (customer, name), known in books.projects.items() if customer == sold.customer}
    return lease.project if lease.project in own.values() else own.get(_name_of(body))


def _name_of(body: Activate) -> str:
    return "" if body.project is None else seat.plain_name(body.project.name)
