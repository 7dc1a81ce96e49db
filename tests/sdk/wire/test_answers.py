"""A till believes an answer only from the issuer it knows, by a key of the keyset it holds, at a time of that key."""

import dataclasses

import pytest

from tests.sdk.wire.documents import (
    ISSUER,
    KEYSET,
    LEASE,
    NOW,
    ONLINE,
    ROOTS,
    STATEMENT,
    TILL,
    claims_of,
    opened,
    private,
)
from tillkey.wire.answers import ENDING_CODES, open_lease, open_statement, sign_lease, sign_statement
from tillkey.wire.errors import WireError
from tillkey.wire.keyset import OnlineKey

KINDS = [
    pytest.param(sign_lease, open_lease, LEASE, id="lease"),
    pytest.param(sign_statement, open_statement, STATEMENT, id="statement"),
]


def refusal(opener, text, keyset=KEYSET):
    with pytest.raises(WireError) as refused:
        opener(text, keyset)
    return refused.value.code, refused.value.field.split(".", 1)[1]


@pytest.mark.parametrize(("sign", "opener", "answer"), KINDS)
def test_an_answer_is_read_as_it_was_written(sign, opener, answer):
    assert opener(sign(answer, ONLINE), KEYSET) == answer


def test_a_statement_of_the_least_leaves_the_rest_out():
    least = dataclasses.replace(STATEMENT, sub=None, retry_at=None, options=(), clauses=())
    text = sign_statement(least, ONLINE)
    assert set(claims_of(text)) == {"iss", "iat", "jti", "cnf", "rid", "code", "clauses"}
    assert open_statement(text, KEYSET) == least


def test_a_lease_without_end_says_so():
    endless = dataclasses.replace(LEASE, use_until=None, support_until=None, updates_until=None, offline=False)
    claims = claims_of(sign_lease(endless, ONLINE))
    assert (claims["use_until"], claims["support_until"], claims["updates_until"]) == (None, None, None)
    assert open_lease(sign_lease(endless, ONLINE), KEYSET) == endless


@pytest.mark.parametrize(("sign", "opener", "answer"), KINDS)
@pytest.mark.parametrize("key", [TILL, ROOTS[0], private("stranger")])
def test_a_key_that_is_not_an_online_key_of_the_keyset_proves_nothing(sign, opener, answer, key):
    assert refusal(opener, sign(answer, key)) == ("bad_signature", "header.kid")


@pytest.mark.parametrize(("sign", "opener", "answer"), KINDS)
def test_a_key_that_left_the_keyset_proves_nothing_any_more(sign, opener, answer):
    newer = dataclasses.replace(KEYSET, version=2, keys=(OnlineKey(private("next").public, NOW, None),))
    assert refusal(opener, sign(answer, ONLINE), newer) == ("bad_signature", "header.kid")


@pytest.mark.parametrize(("sign", "opener", "answer"), KINDS)
@pytest.mark.parametrize(
    ("iat", "good"), [(-101, False), (-100, True), (0, True), (99, True), (100, False), (10**9, False)]
)
def test_a_key_signs_from_its_beginning_until_before_its_end(sign, opener, answer, iat, good):
    answer = dataclasses.replace(answer, iat=NOW + iat)
    if good:
        assert opener(sign(answer, ONLINE), KEYSET) == answer
    else:
        assert refusal(opener, sign(answer, ONLINE)) == ("bad_signature", "iat")


@pytest.mark.parametrize(("sign", "opener", "answer"), KINDS)
def test_a_key_without_end_goes_on(sign, opener, answer):
    keyset = dataclasses.replace(KEYSET, keys=(OnlineKey(ONLINE.public, 0, None),))
    late = dataclasses.replace(answer, iat=2**53 - 1)
    assert opener(sign(late, ONLINE), keyset) == late


@pytest.mark.parametrize(("sign", "opener", "answer"), KINDS)
@pytest.mark.parametrize("issuer", ["other.example", ISSUER + ".", ISSUER.upper(), "https://" + ISSUER, ISSUER[:-1]])
def test_another_issuers_answer_is_refused(sign, opener, answer, issuer):
    assert refusal(opener, sign(dataclasses.replace(answer, iss=issuer), ONLINE)) == ("bad_signature", "iss")


def test_a_lease_and_a_statement_do_not_stand_in_for_each_other():
    assert refusal(open_statement, sign_lease(LEASE, ONLINE)) == ("malformed", "header.typ")
    assert refusal(open_lease, sign_statement(STATEMENT, ONLINE)) == ("malformed", "header.typ")


def test_a_second_online_key_signs_as_well_as_the_first():
    keyset = dataclasses.replace(KEYSET, keys=(*KEYSET.keys, OnlineKey(private("next").public, 0, None)))
    for key in (ONLINE, private("next")):
        assert open_lease(sign_lease(LEASE, key), keyset) == LEASE


def test_a_lease_over_four_kibibytes_is_not_signed():
    many = tuple(f"{'e' * 61}{number}" for number in range(64))
    with pytest.raises(WireError, match="fewer or shorter entitlements"):
        sign_lease(dataclasses.replace(LEASE, entitlements=many), ONLINE)
    with pytest.raises(WireError, match="4096"):
        sign_statement(dataclasses.replace(STATEMENT, options=many), ONLINE)


@pytest.mark.clause("X-03")
def test_the_codes_that_end_use_are_a_closed_list():
    assert dict(ENDING_CODES) == {
        "license_revoked": "revoked",
        "license_terminated": "revoked",
        "license_expired": "expired",
        "activation_superseded": "superseded",
        "activation_released": "released",
        "account_suspended": "suspended",
        "license_suspended": "suspended",
        "legal_hold": "suspended",
    }
    with pytest.raises(TypeError):
        ENDING_CODES["unavailable"] = "revoked"


@pytest.mark.parametrize("code", ENDING_CODES)
def test_every_ending_code_can_be_stated(code):
    said = dataclasses.replace(STATEMENT, code=code)
    assert opened("statement", sign_statement(said, ONLINE)) == said
