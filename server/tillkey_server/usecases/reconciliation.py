"""A marketplace's list of purchase codes, compared with what is on record and applied (NX-44).

The list is read whole before anything is done: one line that is wrong refuses all of it. Each line that differs is then
a use case of its own, by which a single word of the marketplace is followed too, in its own transaction; so the list
can be told again at any time, and goes on where it stopped.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tillkey_server.clock import from_text
from tillkey_server.errors import BadInput
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import instant
from tillkey_server.rules.imported import Claimed, ImportFacts, State, Step, decide_import, later_of, step_of
from tillkey_server.store import audit, licenses, purchase_codes
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.purchase_codes import PurchaseCodeRow
from tillkey_server.usecases.channel import channel_of
from tillkey_server.usecases.import_code import hash_of, kept_until, prolong
from tillkey_server.usecases.license import change_standing
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.terms import bought_by

MAX_LISTED = 10_000
MAX_TOLD = 500
"""How many codes that a list lacks are named; all are counted."""
_MEMBERS = ("code", "state", "supported_until")
SILENT = ("NX-44",)
"""What a list of codes is followed by, whatever the terms of a license say."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a marketplace's list."""

    code: str = field(repr=False)
    state: State
    supported_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A code that came, with its license, which the caller sees."""

    claim: PurchaseCodeRow
    held: LicenseRow


async def reconcile_codes(
    services: Services,
    channel: str,
    listed: Sequence[Listed],
    *,
    actor: str,
    whole: bool = True,
    scope: Scope = EVERYTHING,
) -> dict[str, object]:
    """Apply a marketplace's list; return what was done for each line, and what the list lacks if it is the `whole` one.

    Raises BadInput, naming the line's number, from 1, and its member, for a list of which one line is wrong.
    """
    named = channel_of(channel)
    hashes = _hashes(services, named, listed)
    known = await _known(services, named, scope)
    items = []
    for number, (line, code_hash) in enumerate(zip(listed, hashes, strict=True), start=1):
        found = known.get(code_hash)
        items.append(
            _told(number, Step.UNKNOWN) if found is None else await _applied(services, number, line, found, actor)
        )
    told = set(hashes)
    lacking = [str(one.held.id) for code_hash, one in known.items() if code_hash not in told] if whole else []
    return {
        "channel": named,
        "items": items,
        "lacking": lacking[:MAX_TOLD],
        "lacking_count": len(lacking),
    }


def listed_in(text: str) -> list[Listed]:
    """Return the lines of a file, `code,state,supported_until` each; empty ones and a head of these words are left out.

    Raises BadInput, naming the line's number in the list and its member.
    """
    found: list[Listed] = []
    for row in csv.reader(text.removeprefix("\ufeff").splitlines()):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[:2] == ["code", "state"]:
            continue
        found.append(_listed(len(found) + 1, cells))
    return found


def _listed(number: int, cells: Sequence[str]) -> Listed:
    if not len(_MEMBERS) - 1 <= len(cells) <= len(_MEMBERS):
        raise BadInput(f"codes, line {number}", f"must be {','.join(_MEMBERS)}; the last may be left out")
    code, state, *rest = cells
    if state not in set(State):
        raise BadInput(f"codes, line {number}, state", f"must be one of {', '.join(State)}")
    try:
        until = from_text(rest[0]) if rest and rest[0] else None
    except ValueError as error:
        raise BadInput(f"codes, line {number}, supported_until", str(error)) from error
    return Listed(code, State(state), until)


def _hashes(services: Services, channel: str, listed: Sequence[Listed]) -> list[bytes]:
    """Return the codes' hashes. Raises BadInput for the first line that is wrong."""
    if not 1 <= len(listed) <= MAX_LISTED:
        raise BadInput("codes", f"must be 1 to {MAX_LISTED}: tell more in parts")
    found: dict[bytes, int] = {}
    for number, line in enumerate(listed, start=1):
        name = f"codes, line {number}, code"
        first = found.setdefault(hash_of(services, channel, line.code, name), number)
        if first != number:
            raise BadInput(name, f"stands on line {first} too")
    return list(found)


async def _known(services: Services, channel: str, scope: Scope) -> dict[bytes, _Known]:
    """Return what came of a channel, as far as the caller sees it (I13)."""
    found = {}
    async with services.db.reading() as tx:
        for claim in await purchase_codes.of_channel(tx, channel):
            held = await licenses.by_id(tx, claim.license_id)
            if held is not None and scope.admits(customer=held.customer_id, product=held.product_id):
                found[claim.code_hash] = _Known(claim, held)
    return found


async def _applied(services: Services, number: int, line: Listed, known: _Known, actor: str) -> dict[str, object]:
    """Do what a line asks for; whoever does it judges again, under the license's lock."""
    async with services.db.reading() as tx:
        kept = await kept_until(services, tx, known.claim, known.held)
    facts = known.held.facts
    ends = (facts.revoked_at, facts.refunded_at, facts.terminated_at)
    step = step_of(line.state, ends == (None, None, None), line.supported_until, kept)
    if step is Step.ENDED:
        return await _ended(services, number, known, actor)
    if step is Step.PROLONGED and line.supported_until is not None:
        return await _prolonged(services, number, line.supported_until, known, actor)
    return _told(number, step, known.held.id, kept)


async def _ended(services: Services, number: int, known: _Known, actor: str) -> dict[str, object]:
    reason = f"refunded at {known.claim.channel}"
    decision = await change_standing(services, known.held.id, event="revoke", actor=actor, reason=reason)
    step = Step.ENDED if decision.allowed else Step.ENDED_BEFORE
    return _told(number, step, known.held.id, clauses=(*SILENT, *decision.clauses))


async def _prolonged(services: Services, number: int, until: datetime, known: _Known, actor: str) -> dict[str, object]:
    """Keep the later end of support that the marketplace tells."""
    async with services.db.writing() as tx:
        held = await license_of(tx, known.held.id, EVERYTHING, lock=True)
        claim = await purchase_codes.of_license(tx, held.id) or known.claim
        kept, now = await kept_until(services, tx, claim, held), services.clock.now()
        if later_of(until, kept) is None:
            return _told(number, Step.UNCHANGED, held.id, kept)
        policy = await services.policies.of(tx, held.policy_ref)
        months = (await bought_by(tx, held)).line.term_months or 0
        decision = decide_import(ImportFacts(claim.channel, months, Claimed.SAME, until, kept), policy, now)
        await prolong(services, tx, claim, held, until, now)
        await audit.record(tx, decision, actor=actor, action="license_reconcile", license_id=held.id)
        return _told(number, Step.PROLONGED, held.id, until, decision.clauses)


def _told(
    number: int,
    step: Step,
    license_id: UUID | None = None,
    until: datetime | None = None,
    clauses: Sequence[str] = SILENT,
) -> dict[str, object]:
    """Return what is told of a line: never the code itself, of which only a keyed hash is kept."""
    return {
        "line": number,
        "outcome": step.value,
        "license_id": None if license_id is None else str(license_id),
        "support_until": instant(until),
        "clauses": list(dict.fromkeys(clauses)),
    }
