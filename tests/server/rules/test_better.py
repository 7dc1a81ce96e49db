"""The sentences are those of `rules.better`."""

from dataclasses import replace

import pytest

from tests.server.rules.facts import NEXOPOS, NOW
from tillkey_server.rules.better import better_of, may_apply
from tillkey_server.rules.decision import allow, deny, pend
from tillkey_server.rules.renewal_codes import RenewalCode
from tillkey_server.rules.term_policy import VersionsPolicy

CODE = RenewalCode.RENEWAL_QUOTE


def answer(make=allow, **facts):
    return make(CODE, clauses=("ZZ-01",), policy=NEXOPOS.ref, now=NOW, facts=facts)


@pytest.mark.clause("K-09")
@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (answer(allow, amount_minor=1), answer(pend, amount_minor=9)),
        (answer(pend), answer(deny, until="2099-01-01")),
        (answer(amount_minor=2), answer(amount_minor=1, until="2099-01-01")),
        (answer(until="2026-02-01"), answer(until="2026-01-31")),
        (answer(amount_minor=1), answer()),
    ],
)
def test_better_is_allow_then_the_larger_amount_then_the_later_date(better, worse):
    """Sentence 2, in both directions."""
    assert better_of(worse, better) is better
    assert better_of(better, worse) is better


@pytest.mark.clause("K-09")
def test_where_neither_is_better_the_older_version_stands():
    """Sentence 3."""
    old, new = answer(amount_minor=5, until="2026-01-01"), answer(amount_minor=5, until="2026-01-01")
    assert better_of(old, new) is old


def test_what_the_customer_gains_may_be_told_otherwise():
    """Sentence 2: of a price the lower one."""
    dear, cheap = answer(price=9), answer(price=1)
    assert better_of(dear, cheap, gain=lambda one: -one.facts["price"]) is cheap


@pytest.mark.clause("K-09")
def test_only_a_later_version_of_the_same_terms_that_says_so_may_decide():
    """Sentence 1."""
    says_so = VersionsPolicy(apply_if_better=True, clauses=("K-09",))
    later = replace(NEXOPOS, version=NEXOPOS.version + 1, versions=says_so)
    assert may_apply(NEXOPOS, later)
    for other in (
        replace(later, version=NEXOPOS.version),
        replace(later, name="other"),
        replace(later, versions=None),
        replace(later, versions=replace(says_so, apply_if_better=False)),
    ):
        assert not may_apply(NEXOPOS, other)
