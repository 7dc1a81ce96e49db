"""Whether a device's fault is repaired free: the law of the sales contract, the findings and the exclusions.

1. How long the warranty runs, and from what, is the sales contract's (NP-01): its months, else the terms'; from its
   start day on, the last day covered whole (K-02, K-06). Without a contract on record a person is asked, or it runs
   from the purchase, as the terms say. A fault that is told as of before the first day is neither covered nor charged:
   a person looks which of the two days is wrong.
2. The day of the report counts, not that of the device's arrival (NP-03). After the end service is charged (NP-03,
   NP-04).
3. In time, a fault that comes from the product's quality is repaired free (NP-02).
4. A fault that a finding says was CAUSED by use beyond requirements (NP-05), foreign software (NP-06), something
   abnormal (NP-07), force majeure (NP-08) or work of somebody unauthorized (NP-09) is charged; every other fault of
   the device stays covered, and the mere presence of any of these is evidence only. Foreign software is neither what
   the vendor gave out himself, as a hotfix or a beta, nor a plug-in through his public API (NP-06). Of two findings
   about the same the later counts. The same is one ground of one fault, by one abnormal cause or kind of software, or
   by one installer's work on one day: several causes stand side by side. A finding that is withdrawn leaves nothing.
5. An installer is judged by the day of his work, a channel by the day of the sale: whoever was authorized then is fine
   for good (NP-09, NP-10).
6. A device from an unofficial channel has no warranty at all, whatever its fault (NP-10). A finding that says so is
   about the device, so that the last such finding counts, whichever fault it names; only a withdrawal says no.
7. Where some faults are charged and some are not, service is charged, and the answer tells which are free.
8. The agent signs what these facts give (NP-14). The first decision may be turned around once, upon findings or a
   contract that came on record after it, and the customer is told.
9. A license that is held, terminated, revoked or refunded has neither a warranty nor a claim, and its own state is what
   is told (NP-10, K-13). What is found can still be put on record, as evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.clocks import add_months, first_instant, last_day
from tillkey_server.rules.decision import Decision, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import FROZEN, LicenseFacts, refuse, standing, status_of
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.rules.warranty_policy import (
    CAUSES,
    HARMLESS_SOFTWARE,
    Authorized,
    Exclusion,
    Ground,
    StartBasis,
    WarrantyPolicy,
    WithoutContract,
)

FREE, CHARGEABLE = "free", "chargeable"
CODES: Mapping[Ground, WarrantyCode] = MappingProxyType(
    {
        Ground.MISUSE: WarrantyCode.WARRANTY_EXCLUDED_MISUSE,
        Ground.FOREIGN_SOFTWARE: WarrantyCode.WARRANTY_EXCLUDED_SOFTWARE,
        Ground.ABNORMAL: WarrantyCode.WARRANTY_EXCLUDED_ABNORMAL,
        Ground.FORCE_MAJEURE: WarrantyCode.WARRANTY_EXCLUDED_FORCE_MAJEURE,
        Ground.UNAUTHORIZED_SERVICE: WarrantyCode.WARRANTY_EXCLUDED_UNAUTHORIZED_SERVICE,
        Ground.UNOFFICIAL_CHANNEL: WarrantyCode.WARRANTY_VOID_UNOFFICIAL_CHANNEL,
    }
)
"""The code of each exclusion."""


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What the sales contract says; None: it does not."""

    number: str
    starts_on: date
    basis: StartBasis
    months: int | None = None


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """What was found of one fault; `caused`: the fault comes from the ground, which is else evidence only.

    `detail` names the cause more closely, as `fall`. `worked_by` on `worked_on` is who worked on the device.
    `withdrawn`: what was found of the same before is taken back.
    """

    fault: str
    ground: Ground
    caused: bool
    detail: str | None = None
    worked_by: str | None = None
    worked_on: date | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class CoverFacts:
    """What decides about a claim; `channel` is where the license was bought, on `sold_at`.

    `license` is how the license stands; None: it is supposed to be in use.
    """

    contract: ContractFacts | None
    reported_at: datetime
    sold_at: datetime
    channel: str
    findings: tuple[FindingFacts, ...] = ()
    license: LicenseFacts | None = None


@dataclass(frozen=True, slots=True)
class PastDecision:
    """The claim's decision so far: `free` or `chargeable`, its number from 1, and how many findings it rests on.

    `contract_since`: a contract came on record after it.
    """

    outcome: str
    number: int
    findings: int
    contract_since: bool = False


@dataclass(frozen=True, slots=True)
class Lists:
    """Who is authorized: as the terms of the sale say, and as today's do."""

    installers: tuple[Authorized, ...] = ()
    channels: tuple[Authorized, ...] = ()


def warranty_end(facts: CoverFacts, terms: WarrantyPolicy, policy: Policy) -> datetime | None:
    """Return the exclusive end of the warranty (sentence 1); None where the contract is needed and unknown."""
    contract = facts.contract
    if contract is None and terms.without_contract is WithoutContract.PEND:
        return None
    starts_on = first_day(facts, policy)
    months = terms.months if contract is None or contract.months is None else contract.months
    last = add_months(starts_on, months) if months else starts_on - timedelta(days=1)
    return first_instant(last + timedelta(days=1), policy.timezone)


def first_day(facts: CoverFacts, policy: Policy) -> date:
    """Return the day from which a warranty runs (sentence 1): the contract's, or that of the purchase."""
    contract = facts.contract
    return facts.sold_at.astimezone(policy.timezone).date() if contract is None else contract.starts_on


def frozen(license_: LicenseFacts | None, policy: Policy, now: datetime) -> Decision | None:
    """Return why nothing is done for a license (sentence 9), or None."""
    if license_ is None or status_of(license_, now) not in FROZEN:
        return None
    return refuse(standing(license_, policy, now), license_, policy, now)


def decide_contract(contract: ContractFacts, serial: str, policy: Policy, now: datetime) -> Decision:
    """Decide whether the sales contract of a device is recorded: where the terms know a warranty (sentence 1).

    Facts `contract`, `serial`, `months`, `start_basis`.
    """
    terms = policy.warranty
    if terms is None:
        return not_offered(policy, now)
    shown: dict[str, object] = {
        "contract": contract.number,
        "serial": serial,
        "months": contract.months,
        "start_basis": contract.basis.value,
    }
    return allow(WarrantyCode.CONTRACT_RECORDED, clauses=terms.clauses.period, policy=policy.ref, now=now, facts=shown)


def decide_cover(facts: CoverFacts, lists: Lists, policy: Policy, now: datetime) -> Decision:
    """Decide whether a claim is covered (sentences 1 to 7, and 9).

    Facts `until`, `last_day`, `timezone`, `free_faults`, `charged_faults`, `grounds` (each with its cause).
    """
    terms, ref = policy.warranty, policy.ref
    if terms is None:
        return not_offered(policy, now)
    refused = frozen(facts.license, policy, now)
    if refused is not None:
        return refused
    period = terms.clauses.period
    shown = _shown(facts, policy)
    outside = _unofficial(facts, lists, terms, policy)
    if outside is not None:
        code = CODES[outside.ground]
        shown["channel"] = facts.channel
        return deny(code, clauses=outside.clauses, policy=ref, now=now, facts=shown, options=("quote",))
    end = warranty_end(facts, terms, policy)
    if end is None:
        code = WarrantyCode.WARRANTY_CONTRACT_UNKNOWN
        return pend(code, clauses=period, policy=ref, now=now, facts=shown, options=("record_contract",))
    shown |= {"until": instant(end), "last_day": last_day(end, policy.timezone).isoformat()}
    begins_on = first_day(facts, policy)
    begins_at = first_instant(begins_on, policy.timezone)
    if facts.reported_at < begins_at < end:
        shown["starts_on"] = begins_on.isoformat()
        code = WarrantyCode.WARRANTY_NOT_BEGUN
        return pend(code, clauses=period, policy=ref, now=now, facts=shown, options=("record_contract",))
    if facts.reported_at >= end or end <= begins_at:
        clauses = terms.clauses.expired + terms.clauses.chargeable + period
        return deny(
            WarrantyCode.WARRANTY_EXPIRED, clauses=clauses, policy=ref, now=now, facts=shown, options=("quote",)
        )
    newest = _newest(facts.findings)
    if not newest:
        return allow(WarrantyCode.WARRANTY_ACTIVE, clauses=period, policy=ref, now=now, facts=shown)
    return _by_findings(newest, lists, terms, policy, now, shown)


def decide_service(cover: Decision, signed: str, past: PastDecision | None, findings: int, policy: Policy) -> Decision:
    """Decide whether the agent's signature stands (sentence 8): `service_free`, `service_chargeable`, or why not.

    In: `cover` as `decide_cover` gave it, `signed` free or chargeable, how many `findings` are on record. Facts of
    `cover`, and `because`, its code; `number` of this decision, `flipped`, `unchanged`.
    """
    now, ref = cover.evaluated_at, cover.policy
    terms = policy.warranty
    if cover.outcome.value == "pend" or terms is None or cover.code is WarrantyCode.WARRANTY_NOT_OFFERED:
        return cover
    if isinstance(cover.code, Refusal):
        return cover
    cited = terms.clauses.decision + cover.clauses
    shown: dict[str, Any] = {**cover.facts, "because": cover.code.value, "signed": signed}
    if cover.code is WarrantyCode.WARRANTY_ACTIVE:
        return deny(WarrantyCode.FINDING_NEEDED, clauses=cited, policy=ref, now=now, facts=shown)
    found = FREE if cover.allowed else CHARGEABLE
    if signed != found:
        shown["found"] = found
        return deny(WarrantyCode.SERVICE_DECISION_DIFFERS, clauses=cited, policy=ref, now=now, facts=shown)
    refused = None if past is None or past.outcome == found else _unflippable(past, findings)
    if refused is not None:
        return deny(refused, clauses=cited, policy=ref, now=now, facts=shown)
    shown["unchanged"] = past is not None and past.outcome == found
    shown["flipped"] = past is not None and past.outcome != found
    shown["number"] = 1 if past is None else past.number + shown["flipped"]
    code = WarrantyCode.SERVICE_FREE if found == FREE else WarrantyCode.SERVICE_CHARGEABLE
    return allow(code, clauses=cited, policy=ref, now=now, facts=shown)


def not_offered(policy: Policy, now: datetime) -> Decision:
    """Return that these terms know no warranty."""
    clauses = policy.clocks.clauses.support
    return deny(WarrantyCode.WARRANTY_NOT_OFFERED, clauses=clauses, policy=policy.ref, now=now)


def authorized(listed: Iterable[Authorized], name: str, day: date) -> bool:
    """Tell whether somebody was authorized on a day (sentence 5)."""
    return any(one.id == name and one.is_on(day) for one in listed)


def _unflippable(past: PastDecision, findings: int) -> WarrantyCode | None:
    if past.number > 1:
        return WarrantyCode.SERVICE_DECISION_FINAL
    return None if findings > past.findings or past.contract_since else WarrantyCode.SERVICE_NEEDS_NEW_EVIDENCE


def _shown(facts: CoverFacts, policy: Policy) -> dict[str, Any]:
    contract = facts.contract
    return {
        "contract": None if contract is None else contract.number,
        "start_basis": StartBasis.PURCHASE.value if contract is None else contract.basis.value,
        "starts_on": None if contract is None else contract.starts_on.isoformat(),
        "reported_at": instant(facts.reported_at),
        "timezone": policy.timezone.key,
    }


def _unofficial(facts: CoverFacts, lists: Lists, terms: WarrantyPolicy, policy: Policy) -> Exclusion | None:
    """Return the exclusion of unofficial channels where it applies (sentence 6)."""
    exclusion = _exclusion(terms, Ground.UNOFFICIAL_CHANNEL)
    listed = terms.channels + lists.channels
    if exclusion is not None and any(one.ground is exclusion.ground for one in _newest(facts.findings)):
        return exclusion
    day = facts.sold_at.astimezone(policy.timezone).date()
    if exclusion is None or not terms.channels or authorized(listed, facts.channel, day):
        return None
    return exclusion


def _exclusion(terms: WarrantyPolicy, ground: Ground) -> Exclusion | None:
    return next((one for one in terms.exclusions if one.ground is ground), None)


def _by_findings(
    newest: tuple[FindingFacts, ...],
    lists: Lists,
    terms: WarrantyPolicy,
    policy: Policy,
    now: datetime,
    shown: dict[str, Any],
) -> Decision:
    """Decide by what was found of each fault (sentences 3, 4 and 7)."""
    charged = [(one, found) for one in newest if (found := _excludes(one, lists, terms)) is not None]
    faults = list(dict.fromkeys(one.fault for one in newest))
    spoiled = {one.fault for one, _ in charged}
    shown |= {
        "free_faults": [one for one in faults if one not in spoiled],
        "charged_faults": [one for one in faults if one in spoiled],
        "grounds": [_told(one, exclusion) for one, exclusion in charged],
    }
    if not charged:
        clauses = terms.clauses.covered + terms.clauses.period
        return allow(WarrantyCode.SERVICE_FREE, clauses=clauses, policy=policy.ref, now=now, facts=shown)
    exclusions = [exclusion for _, exclusion in charged]
    cited: Clauses = tuple(clause for one in exclusions for clause in one.clauses)
    freeing = any(one.ground is Ground.FORCE_MAJEURE for one in exclusions)
    options = ("quote", "replace_device") if freeing else ("quote",)
    code = CODES[exclusions[0].ground]
    return deny(
        code, clauses=cited + terms.clauses.chargeable, policy=policy.ref, now=now, facts=shown, options=options
    )


def _newest(findings: Iterable[FindingFacts]) -> tuple[FindingFacts, ...]:
    """Return the last word about each subject (sentence 4); a withdrawal is none."""
    return tuple(one for one in {_subject(one): one for one in findings}.values() if not one.withdrawn)


def _subject(finding: FindingFacts) -> tuple[object, ...]:
    """Return what a finding is about; two with the same are about the same (sentences 4 and 6)."""
    ground = finding.ground
    if ground is Ground.UNOFFICIAL_CHANNEL:
        return (ground,)
    if ground is Ground.UNAUTHORIZED_SERVICE:
        return finding.fault, ground, finding.worked_by, finding.worked_on
    return finding.fault, ground, (finding.detail or "other") if ground in CAUSES else None


def _excludes(finding: FindingFacts, lists: Lists, terms: WarrantyPolicy) -> Exclusion | None:
    """Return the exclusion that a finding brings upon its fault, or None."""
    exclusion = _exclusion(terms, finding.ground)
    if exclusion is None or (exclusion.needs_cause and not finding.caused):
        return None
    if finding.ground is Ground.FOREIGN_SOFTWARE and finding.detail in HARMLESS_SOFTWARE:
        return None
    if finding.ground is not Ground.UNAUTHORIZED_SERVICE or finding.worked_by is None or finding.worked_on is None:
        return exclusion
    listed = terms.installers + lists.installers
    return None if authorized(listed, finding.worked_by, finding.worked_on) else exclusion


def _told(finding: FindingFacts, exclusion: Exclusion) -> dict[str, object]:
    return {"fault": finding.fault, "code": CODES[exclusion.ground].value, "cause": finding.detail}
