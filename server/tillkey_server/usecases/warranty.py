"""Warranty claims up to the decision: the contract, the report, the findings, the agent's signature (NP-14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import normalize
from tillkey_server.clock import YEARS
from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.claim import DEVELOPMENT, ClaimFacts, IntakeFacts, QuoteFacts, RmaFacts, decide_open
from tillkey_server.rules.decision import Decision, Refusal, allow
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.warranty import (
    ContractFacts,
    FindingFacts,
    PastDecision,
    decide_contract,
    decide_cover,
    decide_service,
    frozen,
    not_offered,
)
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.rules.warranty_policy import CAUSES, Ground, StartBasis
from tillkey_server.store import audit, licenses, outbox, warranty
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.warranty import (
    ClaimRow,
    ContractRow,
    DecisionRow,
    FindingRow,
    QuoteRow,
    ReplacementRow,
    RmaRow,
)
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.authorized import lists_of, partners_of
from tillkey_server.usecases.cover import cover_facts, finding_facts
from tillkey_server.usecases.customer import address_of
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.terms import bought_by

MAX_CONTACTS = 20
_CONTACT = "warranty contact"


@dataclass(frozen=True, slots=True)
class Contract:
    """What a sales contract says; `months` None: nothing of the length. `contacts` are e-mail addresses."""

    number: str
    serial: str
    starts_on: date
    basis: StartBasis
    months: int | None = None
    partner: str | None = None
    region: str | None = None
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody tells of a fault, or of development that he wants.

    `reported_at` None: now; an earlier one counts where `known_by` tells what shows it, as a mail or a ticket.
    """

    kind: str
    serial: str | None = None
    symptoms: str | None = None
    diagnostics: str | None = None
    region: str | None = None
    reported_at: datetime | None = None
    known_by: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What an engineer found of one fault, and by what evidence; `withdrawn`: he takes back what he found before."""

    fault: str
    ground: Ground
    evidence: str
    caused: bool = False
    hardware: bool = False
    detail: str | None = None
    worked_by: str | None = None
    worked_on: date | None = None
    withdrawn: bool = False

    @property
    def facts(self) -> FindingFacts:
        """Return what the rule looks at. Raises BadInput for a cause that is none of the ground's."""
        words = CAUSES.get(self.ground)
        known = () if words is None else tuple(one.value for one in words)
        if self.detail is not None and self.detail not in known:
            raise BadInput("cause", f"must be one of {', '.join(known)}" if known else "is not told of this ground")
        if self.ground is Ground.ABNORMAL and self.detail is None:
            raise BadInput("cause", f"say what it was: one of {', '.join(known)}")
        if self.withdrawn and self.caused:
            raise BadInput("withdrawn", "takes a finding back, and cannot say that it caused the fault")
        worked = (self.worked_by, self.worked_on)
        return FindingFacts(self.fault.strip(), self.ground, self.caused, self.detail, *worked, self.withdrawn)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done with a claim, and the decision behind it; `claim_id` None: it is about no claim."""

    claim_id: UUID | None
    license_id: UUID
    decision: Decision


@dataclass(frozen=True, slots=True)
class Held:
    """A claim with all that decides about it."""

    claim: ClaimRow
    license: LicenseRow
    policy: Policy
    findings: tuple[FindingRow, ...]
    decisions: tuple[DecisionRow, ...]
    quotes: tuple[QuoteRow, ...]
    rmas: tuple[RmaRow, ...]
    replacements: tuple[ReplacementRow, ...]
    current_serial: str | None

    @property
    def facts(self) -> ClaimFacts:
        """Return where the claim stands."""
        rma = self.rmas[-1] if self.rmas else None
        return ClaimFacts(
            kind=self.claim.kind,
            serial=self.claim.serial,
            outcome=self.decisions[-1].outcome if self.decisions else None,
            hardware=any(one.hardware for one in self.findings),
            rma=None if rma is None else RmaFacts(rma.number, rma.expires_at),
            quotes=tuple(QuoteFacts(one.version, one.valid_until, one.accepted_at) for one in self.quotes),
            replaced_by=self.replacements[0].new_serial if self.replacements else None,
            current_serial=self.current_serial,
            license=self.license.facts,
        )


async def record_contract(
    services: Services, license_id: UUID, told: Contract, *, actor: str, scope: Scope = EVERYTHING
) -> Done | RefusalAnswer:
    """Record what the sales contract says of a license's device; recorded again, the newest counts.

    Raises NotFound and BadInput, naming the field.
    """
    if len(told.contacts) > MAX_CONTACTS:
        raise BadInput("contacts", f"must be at most {MAX_CONTACTS}")
    if told.starts_on.year not in YEARS:
        raise BadInput("starts_on", f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    if told.basis is StartBasis.PURCHASE:
        raise BadInput("start_basis", "is what the terms say where there is no contract; a contract names another day")
    contacts = [contact_hash(services, one, "contacts") for one in told.contacts]
    async with services.db.writing() as tx:
        row = await license_of(tx, license_id, scope, lock=True)
        now = services.clock.now()
        policy = await services.policies.of(tx, row.policy_ref)
        facts = ContractFacts(told.number, told.starts_on, told.basis, told.months)
        decision = decide_contract(facts, told.serial, policy, now)
        await audit.record(tx, decision, actor=actor, action="warranty_contract", license_id=row.id)
        if not decision.allowed:
            return refusal_of(decision)
        made = ContractRow(
            id=new_id(),
            license_id=row.id,
            number=told.number,
            serial=told.serial,
            warranty_months=told.months,
            starts_on=told.starts_on.isoformat(),
            start_basis=told.basis.value,
            partner=told.partner,
            region=told.region,
            contacts=contacts,
            recorded_at=now,
            recorded_by=actor,
        )
        await warranty.insert(tx, made)
    return Done(None, row.id, decision)


async def preview(
    services: Services,
    license_id: UUID,
    *,
    reported_at: datetime | None = None,
    findings: tuple[Finding, ...] = (),
    scope: Scope = EVERYTHING,
) -> Decision:
    """Tell whether a device is under warranty, and what findings would mean. Writes nothing.

    Raises NotFound, and BadInput for a cause that is none of its ground's.
    """
    found = tuple(one.facts for one in findings)
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        policy = await services.policies.of(tx, row.policy_ref)
        facts = await cover_facts(tx, row, (await bought_by(tx, row)).order, reported_at or now, found)
    return decide_cover(facts, lists_of(services, policy), policy, now)


async def open_claim(
    services: Services,
    told: Report,
    *,
    actor: str,
    license_id: UUID | None = None,
    license_key: str | None = None,
    scope: Scope = EVERYTHING,
) -> Done | RefusalAnswer:
    """Open a claim for a license, named by its id or its key; a key that is not ours is refused (NP-10).

    Raises NotFound and BadInput, naming the field.
    """
    if (license_id is None) == (license_key is None):
        raise BadInput("license_id", "name the license by its id or by its key, and not by both")
    async with services.db.writing() as tx:
        if license_key is not None:
            license_id = await _by_key(services, tx, license_key, scope)
            if license_id is None:
                return RefusalAnswer(Refusal.LICENSE_INVALID, "", ("K-14",))
        assert license_id is not None, "one of the two was given"
        row = await license_of(tx, license_id, scope, lock=True)
        now = services.clock.now()
        policy = await services.policies.of(tx, row.policy_ref)
        facts = await _intake(tx, row, told, now)
        decision = frozen(row.facts, policy, now) or decide_open(facts, partners_of(services, policy), policy, now)
        await audit.record(tx, decision, actor=actor, action="warranty_open", license_id=row.id)
        if not decision.allowed:
            return refusal_of(decision)
        made = ClaimRow(
            id=new_id(),
            license_id=row.id,
            kind=told.kind,
            serial=told.serial,
            symptoms=told.symptoms or "",
            diagnostics=told.diagnostics,
            route=str(decision.facts["route"]),
            reported_at=facts.reported_at(now),
            opened_at=now,
            opened_by=actor,
            known_by=facts.known_by,
        )
        await warranty.insert(tx, made)
    return Done(made.id, row.id, decision)


async def add_finding(
    services: Services, claim_id: UUID, told: Finding, *, actor: str, scope: Scope = EVERYTHING
) -> Done | RefusalAnswer:
    """Record what was found of a fault, with its evidence, or that it is taken back.

    Raises NotFound, and BadInput for missing evidence or a cause that is none of the ground's.
    """
    if not told.evidence.strip() or not told.fault.strip():
        raise BadInput("evidence", "say of which fault, and by what it is seen")
    seen = told.facts
    async with services.db.writing() as tx:
        held = await held_by(services, tx, claim_id, scope, lock=True)
        now = services.clock.now()
        if told.worked_on is not None and told.worked_on > now.astimezone(held.policy.timezone).date():
            raise BadInput("worked_on", "lies ahead: give the day on which the work was done")
        decision = not_offered(held.policy, now)
        if held.policy.warranty is not None and held.claim.kind != DEVELOPMENT:
            facts = {"fault": seen.fault, "ground": told.ground.value, "caused": told.caused, "detail": told.detail}
            facts |= {"withdrawn": told.withdrawn}
            clauses = held.policy.warranty.clauses.decision
            code = WarrantyCode.FINDING_RECORDED
            decision = allow(code, clauses=clauses, policy=held.policy.ref, now=now, facts=facts)
        await audit.record(tx, decision, actor=actor, action="warranty_finding", license_id=held.license.id)
        if not decision.allowed:
            return refusal_of(decision)
        made = FindingRow(
            id=new_id(),
            claim_id=claim_id,
            fault=seen.fault,
            ground=told.ground.value,
            caused=told.caused,
            hardware=told.hardware,
            detail=told.detail,
            evidence=told.evidence.strip(),
            worked_by=told.worked_by,
            worked_on=None if told.worked_on is None else told.worked_on.isoformat(),
            found_at=now,
            found_by=actor,
            withdrawn=told.withdrawn,
        )
        await warranty.insert(tx, made)
    return Done(claim_id, held.license.id, decision)


async def decide_claim(
    services: Services, claim_id: UUID, *, signed: str, actor: str, scope: Scope = EVERYTHING
) -> Done | RefusalAnswer:
    """Sign whether service is free or charged, as the facts give it; pending where the contract is unknown.

    A decision that turns the first one around is told to the customer (NP-14). Raises NotFound.
    """
    async with services.db.writing() as tx:
        held = await held_by(services, tx, claim_id, scope, lock=True)
        now = services.clock.now()
        found = tuple(finding_facts(one) for one in held.findings)
        order = (await bought_by(tx, held.license)).order
        facts = await cover_facts(tx, held.license, order, held.claim.reported_at, found)
        cover = decide_cover(facts, lists_of(services, held.policy), held.policy, now)
        last = held.decisions[-1] if held.decisions else None
        past = None if last is None else await _past(tx, held, last)
        decision = decide_service(cover, signed, past, len(found), held.policy)
        await audit.record(tx, decision, actor=actor, action="warranty_decide", license_id=held.license.id)
        if decision.outcome.value == "deny":
            return refusal_of(decision)
        if decision.allowed and not decision.facts["unchanged"]:
            number = 1 if last is None else last.number + 1
            made = DecisionRow(new_id(), claim_id, number, signed, len(found), now, actor)
            await warranty.insert(tx, made)
            if decision.facts["flipped"]:
                told = {"license_id": str(held.license.id), "outcome": signed, "number": number}
                kind = Effect.SERVICE_DECISION_FLIPPED
                await outbox.add(tx, kind=kind, subject=str(claim_id), payload=told, now=now)
    return Done(claim_id, held.license.id, decision)


async def held_by(services: Services, tx: AsyncConnection, claim_id: UUID, scope: Scope, *, lock: bool = False) -> Held:
    """Return a claim with all that decides about it; `lock` its license before deciding. Raises NotFound."""
    row = await warranty.claim(tx, claim_id)
    if row is None:
        raise NotFound("claim", str(claim_id))
    try:
        held = await license_of(tx, row.license_id, scope, lock=lock)
    except NotFound as error:
        raise NotFound("claim", str(claim_id)) from error
    return Held(
        row,
        held,
        await services.policies.of(tx, held.policy_ref),
        await warranty.of_claim(tx, FindingRow, claim_id),
        await warranty.of_claim(tx, DecisionRow, claim_id),
        await warranty.of_claim(tx, QuoteRow, claim_id),
        await warranty.of_claim(tx, RmaRow, claim_id),
        await warranty.of_claim(tx, ReplacementRow, claim_id),
        await warranty.serial_of(tx, held.id),
    )


def contact_hash(services: Services, email: str, field: str) -> str:
    """Return the keyed hash under which a contact is known. Raises BadInput by `field` for what is no address."""
    return services.pepper.hash_word(_CONTACT, address_of(email, field).casefold()).hex()


async def _intake(tx: AsyncConnection, row: LicenseRow, told: Report, now: datetime) -> IntakeFacts:
    if told.reported_at is not None and told.reported_at > now:
        raise BadInput("reported_at", "lies ahead: give the time at which the fault was told")
    contract = await warranty.contract_of(tx, row.id)
    return IntakeFacts(
        kind=told.kind,
        serial=told.serial,
        symptoms=told.symptoms,
        diagnostics=told.diagnostics,
        known_serial=await warranty.serial_of(tx, row.id),
        partner=None if contract is None else contract.partner,
        region=told.region or (None if contract is None else contract.region),
        told_at=told.reported_at,
        known_by=(told.known_by or "").strip() or None,
    )


async def _past(tx: AsyncConnection, held: Held, last: DecisionRow) -> PastDecision:
    """Return what was signed last; a contract came after it where its id, which rises with time, is above."""
    contract = await warranty.contract_of(tx, held.license.id)
    return PastDecision(last.outcome, last.number, last.findings, contract is not None and contract.id > last.id)


async def _by_key(services: Services, tx: AsyncConnection, key: str, scope: Scope) -> UUID | None:
    """Return the license of a key; one that the caller does not see looks like one that is not there (I13)."""
    try:
        hashed = services.pepper.hash_key(normalize(key))
    except WireError:
        return None
    row = await licenses.by_key_hash(tx, hashed)
    seen = row is not None and scope.admits(customer=row.customer_id, product=row.product_id)
    return row.id if row is not None and seen else None
