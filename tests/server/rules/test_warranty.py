"""The sentences are those of `rules.warranty`."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import DAY, NOW, POLICIES, SECOND, facts_in, told
from tillkey_server.rules.decision import Outcome, Refusal
from tillkey_server.rules.standing import FROZEN, Status
from tillkey_server.rules.warranty import (
    CODES,
    ContractFacts,
    CoverFacts,
    FindingFacts,
    Lists,
    PastDecision,
    decide_contract,
    decide_cover,
    decide_service,
    warranty_end,
)
from tillkey_server.rules.warranty_code import WarrantyCode
from tillkey_server.rules.warranty_policy import (
    HARMLESS_SOFTWARE,
    AbnormalCause,
    Authorized,
    Ground,
    SoftwareKind,
    StartBasis,
    WithoutContract,
)

TERMS = POLICIES["netposa"]
SILENT = POLICIES["default"]
START = date(2025, 11, 30)
CONTRACT = ContractFacts("C-1", START, StartBasis.DELIVERY, 24)
NOBODY = Lists()
NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)
EXCLUDED = [ground for ground in CODES if ground is not Ground.UNOFFICIAL_CHANNEL]


def terms(**changes):
    return replace(TERMS, warranty=replace(TERMS.warranty, **changes))


def facts(*findings, **more):
    given_facts = {"contract": CONTRACT, "reported_at": NOW, "sold_at": NOW - 100 * DAY, "channel": "direct"}
    return CoverFacts(**(given_facts | {"findings": findings} | more))


def finding(ground=Ground.QUALITY, *, caused=True, fault="board", **more):
    return FindingFacts(fault, ground, caused, **more)


@pytest.mark.clause("NP-01", "K-02")
@pytest.mark.parametrize(
    "contract,last",
    [
        (ContractFacts("C", date(2025, 1, 31), StartBasis.INVOICE, 1), "2025-02-28"),
        (ContractFacts("C", date(2024, 2, 29), StartBasis.ACCEPTANCE, 12), "2025-02-28"),
        (ContractFacts("C", date(2025, 3, 10), StartBasis.DELIVERY), "2026-03-10"),
        (None, "2026-12-01"),
    ],
)
def test_the_contract_says_how_long_and_its_last_day_is_covered_whole(contract, last):
    """Sentence 1: in the vendor's own zone, eight hours ahead of UTC."""
    policy = terms(without_contract=WithoutContract.FROM_PURCHASE)
    asked = facts(contract=contract, sold_at=datetime(2025, 11, 30, 20, tzinfo=UTC))
    end = warranty_end(asked, policy.warranty, policy)
    assert end.isoformat() == f"{last}T16:00:00+00:00"
    before = decide_cover(replace(asked, reported_at=end - SECOND), NOBODY, policy, NOW)
    assert (before.code, before.facts["last_day"]) == (WarrantyCode.WARRANTY_ACTIVE, last)
    assert decide_cover(replace(asked, reported_at=end), NOBODY, policy, NOW).code is WarrantyCode.WARRANTY_EXPIRED


@pytest.mark.clause("NP-01", "NP-04")
def test_a_contract_of_no_months_covers_no_day():
    """Sentence 1."""
    contract = ContractFacts("C", date(2025, 3, 10), StartBasis.DELIVERY, 0)
    for day in (-1, 0, 1):
        decision = decide_cover(facts(contract=contract, reported_at=NOON + day * DAY), NOBODY, TERMS, NOW)
        assert (decision.code, decision.facts["last_day"]) == (WarrantyCode.WARRANTY_EXPIRED, "2025-03-09")


@pytest.mark.clause("NP-01", "K-02")
@pytest.mark.parametrize("contract", [ContractFacts("C", date(2025, 3, 10), StartBasis.DELIVERY), None])
def test_before_its_first_day_a_warranty_neither_covers_nor_charges(contract):
    """Sentence 1: the first day is whole, in the vendor's own zone."""
    policy = terms(without_contract=WithoutContract.FROM_PURCHASE)
    start = datetime(2025, 3, 9, 16, tzinfo=UTC)
    asked = facts(finding(Ground.MISUSE), contract=contract, sold_at=NOON, reported_at=start - SECOND)
    early = decide_cover(asked, NOBODY, policy, NOW)
    assert (early.outcome, early.code) == (Outcome.PEND, WarrantyCode.WARRANTY_NOT_BEGUN)
    assert (early.clauses, early.options) == (("NP-01",), ("record_contract",))
    assert early.facts["starts_on"] == "2025-03-10"
    assert decide_service(early, "chargeable", None, 1, policy) is early
    first = decide_cover(replace(asked, findings=(), reported_at=start), NOBODY, policy, NOW)
    assert first.code is WarrantyCode.WARRANTY_ACTIVE


@pytest.mark.clause("NP-01")
def test_a_contract_is_recorded_where_the_terms_know_a_warranty():
    """Sentence 1."""
    shown = {"contract": "C-1", "serial": "S-1", "months": 24, "start_basis": "delivery"}
    recorded = decide_contract(CONTRACT, "S-1", TERMS, NOW)
    assert told(recorded) == ("allow", "contract_recorded", TERMS.warranty.clauses.period, shown, ())
    silent = decide_contract(CONTRACT, "S-1", SILENT, NOW)
    assert told(silent) == ("deny", "warranty_not_offered", SILENT.clocks.clauses.support, {}, ())


@pytest.mark.clause("NP-01")
def test_without_a_contract_a_person_is_asked():
    """Sentence 1, the literal reading."""
    decision = decide_cover(facts(contract=None), NOBODY, TERMS, NOW)
    assert (decision.outcome, decision.code) == (Outcome.PEND, WarrantyCode.WARRANTY_CONTRACT_UNKNOWN)
    assert (decision.clauses, decision.options) == (("NP-01",), ("record_contract",))


@pytest.mark.clause("NP-03", "NP-04")
def test_the_day_of_the_report_counts_and_not_that_of_the_decision():
    """Sentence 2."""
    asked = facts(finding(), reported_at=NOW)
    assert decide_cover(asked, NOBODY, TERMS, NOW + 4000 * DAY).code is WarrantyCode.SERVICE_FREE
    late = decide_cover(facts(finding(), reported_at=NOW + 4000 * DAY), NOBODY, TERMS, NOW)
    assert (late.code, late.clauses) == (WarrantyCode.WARRANTY_EXPIRED, ("NP-04", "NP-03", "NP-01"))


@pytest.mark.clause("NP-02")
def test_a_fault_of_quality_is_repaired_free():
    """Sentence 3."""
    decision = decide_cover(facts(finding()), NOBODY, TERMS, NOW)
    assert (decision.code, decision.clauses) == (WarrantyCode.SERVICE_FREE, ("NP-02", "NP-01"))


@pytest.mark.clause("NP-05", "NP-06", "NP-07", "NP-08", "NP-09")
@pytest.mark.parametrize("ground", EXCLUDED)
def test_what_a_ground_caused_is_charged_and_its_mere_presence_is_not(ground):
    """Sentence 4."""
    charged = decide_cover(facts(finding(ground, detail="fall")), NOBODY, TERMS, NOW)
    own = {exclusion.ground: exclusion.clauses for exclusion in TERMS.warranty.exclusions}[ground]
    assert (charged.outcome, charged.code, charged.clauses) == (Outcome.DENY, CODES[ground], (*own, "NP-03"))
    assert charged.facts["grounds"] == [{"fault": "board", "code": CODES[ground].value, "cause": "fall"}]
    assert decide_cover(facts(finding(ground, caused=False)), NOBODY, TERMS, NOW).code is WarrantyCode.SERVICE_FREE
    unlisted = terms(exclusions=())
    assert decide_cover(facts(finding(ground)), NOBODY, unlisted, NOW).code is WarrantyCode.SERVICE_FREE


@pytest.mark.clause("NP-05")
def test_where_the_terms_ask_for_no_cause_presence_is_enough():
    strict = terms(exclusions=tuple(replace(one, needs_cause=False) for one in TERMS.warranty.exclusions))
    decision = decide_cover(facts(finding(Ground.MISUSE, caused=False)), NOBODY, strict, NOW)
    assert decision.code is WarrantyCode.WARRANTY_EXCLUDED_MISUSE


@pytest.mark.clause("NP-07")
def test_of_several_faults_each_is_judged_by_itself_and_of_several_causes_all_are_told():
    """Sentences 4 and 7."""
    several = facts(
        finding(Ground.ABNORMAL, fault="screen", detail="fall"),
        finding(Ground.MISUSE, fault="screen"),
        finding(Ground.QUALITY, fault="printer"),
    )
    decision = decide_cover(several, NOBODY, TERMS, NOW)
    assert decision.code is WarrantyCode.WARRANTY_EXCLUDED_ABNORMAL
    assert (decision.facts["free_faults"], decision.facts["charged_faults"]) == (["printer"], ["screen"])
    assert [one["code"] for one in decision.facts["grounds"]] == [
        "warranty_excluded_abnormal",
        "warranty_excluded_misuse",
    ]
    assert decision.clauses == ("NP-07", "NP-05", "NP-03")


def test_a_later_finding_about_the_same_takes_an_earlier_ones_place():
    """Sentence 4."""
    taken_back = facts(finding(Ground.MISUSE), finding(Ground.MISUSE, caused=False))
    assert decide_cover(taken_back, NOBODY, TERMS, NOW).code is WarrantyCode.SERVICE_FREE


@pytest.mark.clause("NP-07", "NP-09")
@pytest.mark.parametrize(
    "ground,first,second",
    [
        (Ground.ABNORMAL, {"detail": "fall"}, {"detail": "heat"}),
        (Ground.FOREIGN_SOFTWARE, {"detail": "pirated"}, {"detail": "vendor_beta"}),
        (Ground.UNAUTHORIZED_SERVICE, {"worked_by": "backyard"}, {"worked_by": "vendor"}),
        (
            Ground.UNAUTHORIZED_SERVICE,
            {"worked_by": "backyard", "worked_on": date(2025, 12, 1)},
            {"worked_by": "backyard", "worked_on": date(2025, 12, 2)},
        ),
        (Ground.MISUSE, {"fault": "screen"}, {"fault": "board"}),
    ],
)
def test_a_word_about_one_cause_says_nothing_of_another(ground, first, second):
    """Sentence 4: only about the same does the later count."""
    caused, other = finding(ground, **first), finding(ground, caused=False, **second)
    for findings in ((caused, other), (other, caused)):
        assert decide_cover(facts(*findings), NOBODY, TERMS, NOW).code is CODES[ground]
    taken_back = (caused, other, finding(ground, caused=False, **first))
    assert decide_cover(facts(*taken_back), NOBODY, TERMS, NOW).code is WarrantyCode.SERVICE_FREE


@pytest.mark.clause("NP-07")
def test_of_several_causes_of_one_ground_all_are_told():
    """Sentences 4 and 7."""
    both = (finding(Ground.ABNORMAL, detail="fall"), finding(Ground.ABNORMAL, detail="heat"))
    decision = decide_cover(facts(*both), NOBODY, TERMS, NOW)
    assert [one["cause"] for one in decision.facts["grounds"]] == ["fall", "heat"]


def test_a_cause_that_nobody_named_is_the_same_as_another_one():
    """Sentence 4: what was found before a cause had to be named can be taken back."""
    unnamed, other = finding(Ground.ABNORMAL), finding(Ground.ABNORMAL, caused=False, detail=AbnormalCause.OTHER.value)
    assert decide_cover(facts(unnamed, other), NOBODY, TERMS, NOW).code is WarrantyCode.SERVICE_FREE


@pytest.mark.clause("NP-06")
@pytest.mark.parametrize("kind", SoftwareKind)
def test_what_the_vendor_gave_out_or_opened_an_interface_for_is_not_foreign(kind):
    """Sentence 4."""
    decision = decide_cover(facts(finding(Ground.FOREIGN_SOFTWARE, detail=kind.value)), NOBODY, TERMS, NOW)
    assert decision.allowed is (kind in HARMLESS_SOFTWARE)
    assert {"vendor_hotfix", "vendor_beta", "public_api"} == HARMLESS_SOFTWARE


def test_a_withdrawn_finding_leaves_nothing_to_decide_by():
    """Sentence 4: even where presence alone excludes."""
    strict = terms(exclusions=tuple(replace(one, needs_cause=False) for one in TERMS.warranty.exclusions))
    both = (finding(Ground.MISUSE), finding(Ground.MISUSE, caused=False, withdrawn=True))
    assert decide_cover(facts(*both), NOBODY, strict, NOW).code is WarrantyCode.WARRANTY_ACTIVE
    told_again = decide_cover(facts(*both, finding(Ground.MISUSE)), NOBODY, strict, NOW)
    assert told_again.code is WarrantyCode.WARRANTY_EXCLUDED_MISUSE


@pytest.mark.clause("NP-08")
def test_force_majeure_is_charged_and_the_license_can_be_freed_by_a_replacement():
    """Sentence 4: two effects, kept apart."""
    decision = decide_cover(facts(finding(Ground.FORCE_MAJEURE)), NOBODY, TERMS, NOW)
    assert decision.options == ("quote", "replace_device")
    assert decide_cover(facts(finding(Ground.MISUSE)), NOBODY, TERMS, NOW).options == ("quote",)


@pytest.mark.clause("NP-09")
def test_an_installer_is_judged_by_the_day_of_his_work():
    """Sentence 5."""
    then = Authorized("partner-1", date(2025, 1, 1), date(2025, 6, 30))
    policy = terms(installers=(then,))
    for day, code in (
        (date(2025, 6, 30), WarrantyCode.SERVICE_FREE),
        (date(2025, 7, 1), WarrantyCode.WARRANTY_EXCLUDED_UNAUTHORIZED_SERVICE),
        (date(2024, 12, 31), WarrantyCode.WARRANTY_EXCLUDED_UNAUTHORIZED_SERVICE),
    ):
        worked = finding(Ground.UNAUTHORIZED_SERVICE, worked_by="partner-1", worked_on=day)
        assert decide_cover(facts(worked), NOBODY, policy, NOW).code is code
    by_todays = Lists(installers=(replace(then, until=None),))
    worked = finding(Ground.UNAUTHORIZED_SERVICE, worked_by="partner-1", worked_on=date(2025, 7, 1))
    assert decide_cover(facts(worked), by_todays, policy, NOW).code is WarrantyCode.SERVICE_FREE
    somebody = finding(Ground.UNAUTHORIZED_SERVICE, worked_by="partner-1")
    assert not decide_cover(facts(somebody), by_todays, policy, NOW).allowed


@pytest.mark.clause("NP-10")
def test_an_unofficial_channel_ends_the_warranty_of_the_whole_device():
    """Sentences 5 and 6: a reseller who was one on the day of the sale stays good."""
    sold_on = (NOW - 100 * DAY).date()
    gone = Authorized("reseller", date(2020, 1, 1), sold_on)
    policy = terms(channels=(gone,))
    assert decide_cover(facts(finding(), channel="reseller"), NOBODY, policy, NOW).allowed
    late = facts(finding(), channel="reseller", sold_at=NOW - 98 * DAY)
    void = decide_cover(late, NOBODY, policy, NOW)
    assert (void.code, void.clauses) == (WarrantyCode.WARRANTY_VOID_UNOFFICIAL_CHANNEL, ("NP-10",))
    assert decide_cover(late, Lists(channels=(replace(gone, until=None),)), policy, NOW).allowed
    assert decide_cover(facts(finding(), channel="gray"), NOBODY, terms(channels=()), NOW).allowed
    assert decide_cover(facts(finding(), channel="gray"), NOBODY, terms(exclusions=()), NOW).allowed
    seen = facts(finding(Ground.UNOFFICIAL_CHANNEL, caused=False, fault="memory"), finding())
    assert decide_cover(seen, NOBODY, TERMS, NOW).code is WarrantyCode.WARRANTY_VOID_UNOFFICIAL_CHANNEL


@pytest.mark.clause("NP-10")
def test_a_finding_of_an_unofficial_channel_is_taken_back_by_a_withdrawal_of_whichever_fault():
    """Sentence 6."""
    found = finding(Ground.UNOFFICIAL_CHANNEL, fault="memory")
    back = finding(Ground.UNOFFICIAL_CHANNEL, caused=False, fault="board", withdrawn=True)
    cover = decide_cover(facts(found, back, finding()), NOBODY, TERMS, NOW)
    assert cover.code is WarrantyCode.SERVICE_FREE
    again = decide_cover(facts(back, finding(), found), NOBODY, TERMS, NOW)
    assert again.code is WarrantyCode.WARRANTY_VOID_UNOFFICIAL_CHANNEL


@pytest.mark.clause("NP-10", "K-01")
def test_the_day_of_the_sale_is_the_vendors():
    """Sentence 5: at 20:00 in UTC it is the next day in Shanghai."""
    evening = datetime(2026, 1, 31, 20, tzinfo=UTC)
    for last, allowed in ((date(2026, 1, 31), False), (date(2026, 2, 1), True)):
        policy = terms(channels=(Authorized("reseller", date(2020, 1, 1), last),))
        cover = decide_cover(facts(channel="reseller", sold_at=evening), NOBODY, policy, NOW)
        assert cover.allowed is allowed


@pytest.mark.clause("NP-10", "K-13")
@pytest.mark.parametrize("status", Status)
def test_a_license_that_is_held_or_over_has_no_warranty(status):
    """Sentence 9: a suspension or the end of a use right is another matter."""
    cover = decide_cover(facts(finding(), license=facts_in(status)), NOBODY, TERMS, NOW)
    signed = decide_service(cover, "chargeable", None, 1, TERMS)
    if status in FROZEN:
        assert isinstance(cover.code, Refusal)
        assert signed is cover
    else:
        assert cover.code is WarrantyCode.SERVICE_FREE


def test_terms_without_a_warranty_know_no_claims():
    decision = decide_cover(facts(), NOBODY, SILENT, NOW)
    assert (decision.outcome, decision.code) == (Outcome.DENY, WarrantyCode.WARRANTY_NOT_OFFERED)
    assert decide_service(decision, "free", None, 0, SILENT) is decision


@pytest.mark.clause("NP-14")
def test_the_agent_signs_what_the_facts_give_and_nothing_else():
    """Sentence 8."""
    free = decide_cover(facts(finding()), NOBODY, TERMS, NOW)
    cover = decide_cover(facts(finding(Ground.MISUSE)), NOBODY, TERMS, NOW)
    signed = decide_service(cover, "chargeable", None, 1, TERMS)
    assert (signed.outcome, signed.code) == (Outcome.ALLOW, WarrantyCode.SERVICE_CHARGEABLE)
    assert (signed.clauses, signed.facts["because"]) == (("NP-14", "NP-05", "NP-03"), "warranty_excluded_misuse")
    assert decide_service(free, "free", None, 1, TERMS).code is WarrantyCode.SERVICE_FREE
    for found, word in ((free, "chargeable"), (cover, "free")):
        refused = decide_service(found, word, None, 1, TERMS)
        assert (refused.code, refused.facts["signed"]) == (WarrantyCode.SERVICE_DECISION_DIFFERS, word)
    nothing = decide_cover(facts(), NOBODY, TERMS, NOW)
    assert decide_service(nothing, "free", None, 0, TERMS).code is WarrantyCode.FINDING_NEEDED
    unknown = decide_cover(facts(contract=None), NOBODY, TERMS, NOW)
    assert decide_service(unknown, "free", None, 1, TERMS).outcome is Outcome.PEND


@pytest.mark.clause("NP-14")
def test_a_decision_is_turned_around_once_and_upon_new_evidence_only():
    """Sentence 8."""
    cover = decide_cover(facts(finding(Ground.MISUSE)), NOBODY, TERMS, NOW)

    def signed(past, findings=2):
        return decide_service(cover, "chargeable", past, findings, TERMS)

    assert signed(PastDecision("free", 1, 2)).code is WarrantyCode.SERVICE_NEEDS_NEW_EVIDENCE
    turned = signed(PastDecision("free", 1, 1))
    assert (turned.code, turned.facts["flipped"], turned.facts["number"]) == (
        WarrantyCode.SERVICE_CHARGEABLE,
        True,
        2,
    )
    found_contract = signed(PastDecision("free", 1, 2, contract_since=True))
    assert found_contract.code is WarrantyCode.SERVICE_CHARGEABLE
    assert signed(PastDecision("free", 2, 1)).code is WarrantyCode.SERVICE_DECISION_FINAL
    again = signed(PastDecision("chargeable", 2, 1))
    assert (again.allowed, again.facts["unchanged"], again.facts["number"]) == (True, True, 2)


@given(st.lists(st.tuples(st.sampled_from(list(Ground)[:-1]), st.booleans(), st.sampled_from("ab")), max_size=6))
def test_a_device_is_never_charged_for_what_nothing_excluded_caused(drawn):
    """A law of sentence 4."""
    findings = [finding(ground, caused=caused, fault=fault) for ground, caused, fault in drawn]
    decision = decide_cover(facts(*findings), NOBODY, TERMS, NOW)
    caused = {(one.fault, one.ground): one.caused for one in findings}
    spoiled = {fault for (fault, ground), was in caused.items() if was and ground is not Ground.QUALITY}
    assert decision.allowed is (not spoiled)
    assert set(decision.facts.get("charged_faults", [])) == spoiled
