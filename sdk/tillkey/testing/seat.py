"""Who may use a license: one installation at a time, in one project (NX-02 to NX-06), as the server decides it.

1. The installation key, then the project, are looked at before the seat.
2. The same key asking for the same project and environment holds the license already; for another environment it moves
   in place.
3. A new key with the holder's fingerprint, in the holder's project and environment, is the same machine set up afresh
   and takes over, so many times per window.
4. A move ticket that holds releases whom it was made for.
5. Production asked while staging holds the seat: staging must be deactivated first. Everybody else is told that the
   license is in use.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from tillkey.testing.books import Activation, Books, License, Ticket
from tillkey.testing.refusals import ASK, Refused, instant
from tillkey.testing.terms import PRODUCTION, WHILE_ACTIVE, seconds_of
from tillkey.wire.errors import WireError
from tillkey.wire.license_key import normalize
from tillkey.wire.request import Activate, Request

_ONE_USE = ("NX-03",)
_TAKEOVER = ("NX-03", "NX-49", "X-06")
UNNAMED = "default"


@dataclass(frozen=True)
class Decided:
    """A yes: ``held`` is the activation that the asker has already; else a new one is made and ``releases`` end."""

    held: Optional[Activation] = None
    releases: tuple[Activation, ...] = ()
    reason: str = ""
    ticket: Optional[Ticket] = None


@dataclass(frozen=True)
class Asked:
    """One ``activate`` with its license key, and what is on record about it."""

    books: Books
    sold: License
    request: Request
    body: Activate
    now: int

    @property
    def project(self) -> Optional[str]:
        """The id of the project named, None where it is not on record yet."""
        return self.books.projects.get((self.sold.customer, self.project_name or UNNAMED))

    @property
    def project_name(self) -> str:
        """The name of the project in the form in which names are compared; empty for none."""
        return "" if self.body.project is None else plain_name(self.body.project.name)


def decide(asked: Asked) -> Decided:
    """Decide an ``activate`` of a license that may be used; raises ``Refused``."""
    holders = asked.books.holders(asked.sold)
    _refuse_key(asked, holders)
    _refuse_project(asked, holders)
    own = next((one for one in holders if one.jkt == asked.request.jkt), None)
    if own is not None and own.environment == asked.body.environment:
        return Decided(held=own)
    slot = asked.sold.terms.slot_of(asked.body.environment)
    others = tuple(one for one in holders if one is not own and one.slot == slot)
    if not others:
        return Decided(releases=() if own is None else (own,), reason="moved")
    return _taken(asked, own, others)


def bound_elsewhere(sold: License, project: Optional[str]) -> bool:
    """Tell whether a license belongs to another project for good."""
    return sold.project is not None and sold.terms.project_binding != WHILE_ACTIVE and sold.project != project


def in_use(*, other_customer: bool) -> Refused:
    """Return the refusal of an installation key that is another customer's or holds another license."""
    because = "other_customer" if other_customer else "other_license_of_product"
    options = ("new_installation_key",)
    return Refused("installation_key_in_use", ("NX-49", "X-06"), facts={"because": because}, options=options)


def plain_name(text: str) -> str:
    """Return the form in which projects' names are compared: NFKC, case folded, single spaces (DESIGN section 4)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def ticket_symbols(text: str) -> Optional[str]:
    """Return the symbols that identify a ticket however it was typed, or None where it can be none."""
    try:
        return normalize(text, "move_ticket")
    except WireError:
        return None


def _refuse_key(asked: Asked, holders: tuple[Activation, ...]) -> None:
    known = asked.books.installations.get(asked.request.jkt)
    foreign = known is not None and known != asked.sold.customer
    elsewhere = any(
        one.ended_at is None and one.product == asked.sold.product and one.jkt == asked.request.jkt
        for one in asked.books.activations.values()
        if one not in holders
    )
    if foreign or elsewhere:
        raise in_use(other_customer=foreign)


def _refuse_project(asked: Asked, holders: tuple[Activation, ...]) -> None:
    sold = asked.sold
    if sold.terms.require_project and not asked.project_name:
        raise Refused("project_required", ("NX-02",), options=("name_project",))
    for_good = sold.project is not None and sold.terms.project_binding != WHILE_ACTIVE
    bound = sold.project if for_good else next((one.project for one in holders), None)
    if bound is None or bound == asked.project:
        return
    raise Refused(
        "bound_to_other_project",
        ("NX-06",),
        facts={"bound_since": instant(sold.bound_at) if bound == sold.project else None, "other": "project"},
        options=("use_bound_project", *(() if bound == sold.project else ("deactivate",)), "buy_license", *ASK),
    )


def _taken(asked: Asked, own: Optional[Activation], others: tuple[Activation, ...]) -> Decided:
    """Decide where somebody else holds the seat: sentences 3 to 5."""
    terms = asked.sold.terms
    same = own is None and _same_machine(asked, others)
    window = seconds_of(terms.takeover_window)
    counting = sorted(at for at in asked.sold.takeovers if at > asked.now - window)
    if same and len(counting) < terms.takeover_limit:
        return Decided(releases=others, reason="reinstalled")
    if asked.body.move_ticket is not None:
        ticket = _ticket(asked, others)
        return Decided(releases=others if own is None else (*others, own), reason="moved", ticket=ticket)
    if same:
        room = counting[-terms.takeover_limit] + window if terms.takeover_limit else None
        raise _license_in_use(others[0], _TAKEOVER, room)
    staged = [one for one in others if one.environment != PRODUCTION]
    if asked.body.environment == PRODUCTION and staged:
        options = ("move_ticket", "deactivate_staging", "move_ticket_by_agent")
        raise Refused("staging_must_be_deactivated", ("NX-04",), facts=_masked(staged[0]), options=options)
    raise _license_in_use(others[0])


def _same_machine(asked: Asked, others: tuple[Activation, ...]) -> bool:
    """Tell whether a new key is the holders' machine set up afresh; one that held this license before is not new."""
    if any(one.jkt == asked.request.jkt for one in asked.books.of_license(asked.sold)):
        return False
    return all(
        one.project == asked.project
        and one.environment == asked.body.environment
        and asked.sold.terms.same_machine(one.fingerprint, asked.body.fingerprint)
        for one in others
    )


def _ticket(asked: Asked, others: tuple[Activation, ...]) -> Ticket:
    """Return the presented ticket where it holds; raises ``move_ticket_invalid``, which says why it does not."""
    symbols = ticket_symbols(asked.body.move_ticket or "")
    ticket = asked.books.tickets.get(symbols) if symbols else None
    fault = "unknown"
    if ticket is not None and ticket.license == asked.sold.id:
        fault = _fault(ticket, asked, others)
        if not fault:
            return ticket
    options = ("move_ticket", "move_ticket_by_agent")
    raise Refused("move_ticket_invalid", ("NX-04",), facts={"because": fault}, options=options)


def _fault(ticket: Ticket, asked: Asked, others: tuple[Activation, ...]) -> str:
    if ticket.used:
        return "used"
    if asked.now >= ticket.expires_at:
        return "expired"
    if ticket.environment != asked.body.environment:
        return "other_environment"
    if ticket.activation is not None:
        released = all(one.id == ticket.activation for one in others)
    else:
        released = all(one.environment != ticket.environment for one in others)
    return "" if released else "other_holder"


def _license_in_use(holder: Activation, clauses: tuple[str, ...] = (), retry_at: Optional[int] = None) -> Refused:
    return Refused(
        "license_in_use",
        (*_ONE_USE, *clauses),
        facts={**_masked(holder), **({"because": "takeover_limit"} if clauses else {})},
        retry_at=retry_at,
        options=("move_ticket", "deactivate", "forced_deactivation_by_agent", "buy_license"),
    )


def _masked(holder: Activation) -> Mapping[str, Any]:
    return {
        "held_since": instant(holder.started_at),
        "held_by": f"{holder.environment} {holder.jkt[:4]}…",
        "held_environment": holder.environment,
    }
