"""What `[refund]` may not say, by the key that it is told under."""

import pytest

from tillkey_server.policies.loader import PolicyError, bundled_policies, parse_policy

TEXT = bundled_policies()["crmjetty"].source.replace("repurchase_ignores = []", 'repurchase_ignores = ["partial"]')


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('name = "evaluation"', 'name = "mistake"', "refund.reasons"),
        ('plan = "annual"\nshare', 'plan = "one_time"\nshare', "refund.plans"),
        ('kind = "extra_domain"', 'kind = "support"', "refund.lines"),
        ('sender = "official"', 'sender = "any"', "refund.sender_cooldown"),
        ('repurchase = "deny"', 'repurchase = "allow"', "refund.repurchase_ignores"),
        ('["partial"]', '["ref_denied_solved"]', "refund.repurchase_ignores.0"),
        ('partial = "keep"', 'repurchase_known_by = ["name"]\npartial = "keep"', "refund.repurchase_known_by.0"),
        ("along = []", 'along = ["support"]', "refund.along"),
        ("paid_months = 10", "paid_months = 13", "refund.prorata.paid_months"),
        ('code = "ref_granted_defect"', "", "refund.reasons.defect.code"),
        ('code = "ref_granted_defect"', 'code = "ref_denied_solved"', "refund.reasons.defect.code"),
        ('needs = "unsolved"', 'needs = "active"', "refund.reasons.defect.needs"),
        ('name = "mistake"\nkind = "not_a_ground"', 'name = "mistake"\nkind = "bar"', "refund.reasons.mistake.code"),
        (
            'name = "mistake"\nkind = "not_a_ground"',
            'name = "mistake"\nkind = "not_a_ground"\nneeds = "found"',
            "refund.reasons.mistake.needs",
        ),
        ('code = "ref_granted_defect"', 'code = "ref_granted_gladly"', "refund.reasons.0.code"),
    ],
)
def test_a_contradiction_is_named_by_its_key(old: str, new: str, key: str) -> None:
    assert old in TEXT
    with pytest.raises(PolicyError) as refused:
        parse_policy(TEXT.replace(old, new), "crmjetty.toml")
    assert key in {fault[0] for fault in refused.value.faults}


def test_a_reason_that_is_both_a_ground_and_none_is_named() -> None:
    both = TEXT.replace('name = "mistake"\nkind = "not_a_ground"', 'name = "defect"\nkind = "not_a_ground"')
    with pytest.raises(PolicyError) as refused:
        parse_policy(both, "crmjetty.toml")
    assert refused.value.faults == (("refund.reasons", "'defect' is listed twice: say one thing of it"),)


@pytest.mark.parametrize("section", ["prorata", "renewal"])
def test_what_is_asked_about_must_be_there(section: str) -> None:
    start = TEXT.index(f"[refund.{section}]")
    without = TEXT[:start] + TEXT[TEXT.index("\n[", start) + 1 :]
    with pytest.raises(PolicyError) as refused:
        parse_policy(without, "crmjetty.toml")
    assert (f"refund.{section}", True) in {(key, "is missing" in reason) for key, reason in refused.value.faults}


def test_terms_may_say_nothing_about_refunds() -> None:
    assert bundled_policies()["netposa"].policy.refund is None


def test_a_ground_that_something_is_late_needs_the_clock_that_it_runs_by() -> None:
    start = TEXT.index("[deadlines.resolve]")
    without = TEXT[:start] + TEXT[TEXT.index("\n[", start) + 1 :]
    with pytest.raises(PolicyError) as refused:
        parse_policy(without, "crmjetty.toml")
    reason = "could never hold: there is no deadlines.resolve"
    assert ("refund.reasons.defect.needs", reason) in refused.value.faults
