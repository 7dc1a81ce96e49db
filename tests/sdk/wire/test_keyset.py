"""A till walks from the keyset it was shipped with to the newest one, under the roots of each step, and never back."""

import dataclasses
import json

import pytest

from tests.sdk.wire.documents import (
    ISSUER,
    KEYSET,
    NOW,
    ONLINE,
    ROOTS,
    keyset_claims,
    keyset_document,
    opened,
    private,
    with_member,
    without_member,
)
from tillkey.wire.errors import WireError
from tillkey.wire.keyset import KEYSET_TYP, Keyset, OnlineKey, open_keyset, read_keyset, sign_keyset, step

A, B, C, D = ROOTS
HEADER = {"alg": "Ed25519", "typ": KEYSET_TYP, "kid": A.public.thumbprint}
GOOD = keyset_document(keyset_claims(KEYSET))


def keyset(version, threshold, *roots):
    keys = (OnlineKey(ONLINE.public, NOW - 100, NOW + 100), OnlineKey(private("next").public, NOW, None))
    return Keyset(ISSUER, version, threshold, tuple(root.public for root in roots), keys, NOW)


def refusal(read):
    with pytest.raises(WireError) as refused:
        read()
    return refused.value.code, refused.value.field


SHORT = ("bad_signature", "keyset.signatures")


@pytest.mark.parametrize("signers", [(A,), (A, B), (B, A), (A, A)])
def test_one_of_one_is_reached_by_its_root(signers):
    one = keyset(1, 1, A)
    assert open_keyset(sign_keyset(one, signers)) == one
    assert open_keyset(sign_keyset(one, signers).encode()) == one


@pytest.mark.parametrize("signers", [(B,), (B, C, D), (ONLINE,)])
def test_one_of_one_is_reached_by_no_other(signers):
    assert refusal(lambda: open_keyset(sign_keyset(keyset(1, 1, A), signers))) == SHORT


@pytest.mark.parametrize("signers", [(A, B), (A, C), (B, C), (C, B), (A, B, C), (A, D, C), (A, A, B)])
def test_two_of_three_are_reached_by_any_two(signers):
    three = keyset(1, 2, A, B, C)
    assert open_keyset(sign_keyset(three, signers)) == three


@pytest.mark.parametrize("signers", [(A,), (A, A), (B, B, B), (A, D), (D, D, C), (ONLINE, A)])
def test_two_of_three_are_not_reached_by_one_however_often_it_signs(signers):
    assert refusal(lambda: open_keyset(sign_keyset(keyset(1, 2, A, B, C), signers))) == SHORT


def test_one_root_that_signs_twice_in_two_headers_counts_once():
    claims = keyset_claims(keyset(1, 2, A, B, C))
    one = keyset_document(claims, (A,))
    other = keyset_document(claims, (A,), header=json.dumps({**HEADER}, indent=1).encode())
    assert one["signatures"] != other["signatures"]
    document = {**one, "signatures": one["signatures"] + other["signatures"]}
    assert refusal(lambda: open_keyset(json.dumps(document))) == SHORT


def test_a_signature_under_another_roots_name_does_not_count():
    document = keyset_document(keyset_claims(KEYSET), (A,), header={**HEADER, "kid": B.public.thumbprint})
    assert refusal(lambda: open_keyset(json.dumps(document))) == SHORT


def test_a_bad_signature_beside_enough_good_ones_does_no_harm_and_does_not_count():
    two = keyset_document(keyset_claims(keyset(1, 2, A, B, C)), (A, B, C))
    for index in range(3):
        two["signatures"][index]["signature"] = two["signatures"][index - 1]["signature"]
        if index == 0:
            assert open_keyset(json.dumps(two)).version == 1
    assert refusal(lambda: open_keyset(json.dumps(two))) == SHORT


@pytest.mark.parametrize(
    ("held", "following", "signers"),
    [
        (keyset(1, 1, A), keyset(2, 1, A), (A,)),
        (keyset(1, 1, A), keyset(2, 1, B), (A, B)),
        (keyset(1, 1, A), keyset(2, 2, B, C, D), (A, B, D)),
        (keyset(1, 1, A), keyset(2, 2, A, B, C), (A, C)),
        (keyset(4, 2, A, B, C), keyset(5, 1, D), (D, C, A)),
        (keyset(4, 2, A, B, C), keyset(5, 2, B, C, D), (B, C)),
    ],
)
def test_a_step_is_taken_under_both_thresholds(held, following, signers):
    assert step(held, sign_keyset(following, signers)) == following


@pytest.mark.parametrize(
    ("held", "following", "signers"),
    [
        (keyset(1, 1, A), keyset(2, 1, B), (B,)),
        (keyset(1, 1, A), keyset(2, 1, B), (A,)),
        (keyset(1, 1, A), keyset(2, 2, A, B, C), (A,)),
        (keyset(1, 1, A), keyset(2, 2, A, B, C), (B, C)),
        (keyset(4, 2, A, B, C), keyset(5, 1, D), (D,)),
        (keyset(4, 2, A, B, C), keyset(5, 1, D), (D, A)),
        (keyset(4, 2, A, B, C), keyset(5, 1, D), (D, A, A)),
        (keyset(4, 2, A, B, C), keyset(5, 1, D), (A, B)),
        (keyset(4, 2, A, B, C), keyset(5, 2, B, C, D), (A, B)),
        (keyset(4, 2, A, B, C), keyset(5, 2, B, C, D), (C, D)),
    ],
)
def test_a_step_that_misses_one_threshold_is_refused(held, following, signers):
    assert refusal(lambda: step(held, sign_keyset(following, signers))) == SHORT


@pytest.mark.parametrize("version", [0, 1, 4, 5, 7, 8, 2**53 - 1])
def test_no_version_is_skipped_repeated_or_gone_back_to(version):
    text = sign_keyset(keyset(version, 1, A), (A,))
    assert refusal(lambda: step(keyset(5, 1, A), text)) == ("malformed", "keyset.version")


@pytest.mark.parametrize("issuer", ["other.example", ISSUER + "/", ISSUER.upper()])
def test_another_issuers_keyset_is_refused(issuer):
    text = sign_keyset(dataclasses.replace(keyset(2, 1, A), issuer=issuer), (A,))
    assert refusal(lambda: step(keyset(1, 1, A), text)) == ("malformed", "keyset.issuer")


def test_a_key_is_found_by_its_thumbprint_alone():
    held = keyset(1, 1, A)
    assert held.find(ONLINE.public.thumbprint) == held.keys[0]
    assert held.find(A.public.thumbprint) is None
    assert held.find("") is None


@pytest.mark.parametrize(("instant", "valid"), [(99, False), (100, True), (199, True), (200, False)])
def test_a_keys_time_is_half_open(instant, valid):
    assert OnlineKey(ONLINE.public, 100, 200).valid_at(instant) is valid
    assert OnlineKey(ONLINE.public, 100, None).valid_at(instant) is (instant >= 100)


@pytest.mark.parametrize("text", [None, 1, [], {}, GOOD, bytearray(b"{}")])
def test_what_is_no_text_is_malformed(text):
    assert refusal(lambda: open_keyset(text)) == ("malformed", "keyset")
    assert refusal(lambda: step(KEYSET, text)) == ("malformed", "keyset")


@pytest.mark.parametrize(
    "document",
    [
        *(None, [], "x", {}, {**GOOD, "header": {}}, {**GOOD, "protected": "x"}, {"payload": GOOD["payload"]}),
        *(
            {**GOOD, "payload": bad}
            for bad in (None, 1, {}, "", "e30=", "AA", "bnVsbA", "W10", "eyJhIjoxLCJhIjoyfQ", "\u00e9")
        ),
        *({**GOOD, "signatures": bad} for bad in (None, {}, "x", [], [None], ["x"], [{}], GOOD["signatures"] * 33)),
        *(
            {**GOOD, "signatures": [{**GOOD["signatures"][0], "protected": bad}]}
            for bad in (None, 1, "", "AA", "bnVsbA", "e30")
        ),
        *(
            {**GOOD, "signatures": [{**GOOD["signatures"][0], "signature": bad}]}
            for bad in (None, 1, "A", "AB", "AA==")
        ),
        {**GOOD, "signatures": [{**GOOD["signatures"][0], "header": {}}]},
    ],
)
def test_a_document_of_another_form_is_malformed(document):
    code, field = refusal(lambda: opened("keyset", json.dumps(document)))
    assert code == "malformed"
    assert field.startswith("keyset")


@pytest.mark.parametrize("signature", ["", "AA", "A" * 86, "A" * 88])
def test_a_signature_that_is_none_does_not_count(signature):
    document = {**GOOD, "signatures": [{**GOOD["signatures"][0], "signature": signature}]}
    assert refusal(lambda: open_keyset(json.dumps(document))) == SHORT


@pytest.mark.parametrize(
    "change",
    [
        *({"alg": alg} for alg in ("none", "EdDSA", "HS256", None, ["Ed25519"])),
        *({"typ": typ} for typ in ("tillkey-lease+jwt", "JWT", None)),
        *({"kid": kid} for kid in (None, 1, [A.public.thumbprint])),
        *({extra: []} for extra in ("crit", "b64", "jwk", "jku")),
    ],
)
def test_each_signatures_header_is_exact(change):
    document = keyset_document(keyset_claims(KEYSET), header={**HEADER, **change})
    assert refusal(lambda: open_keyset(json.dumps(document))) == ("malformed", "keyset.signatures")


@pytest.mark.parametrize("gone", HEADER)
def test_each_signatures_header_is_complete(gone):
    header = {name: member for name, member in HEADER.items() if name != gone}
    document = keyset_document(keyset_claims(KEYSET), header=header)
    assert refusal(lambda: open_keyset(json.dumps(document))) == ("malformed", "keyset.signatures")


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("not_before", bad) for bad in (None, -1, "1", 1.0, True)),
        *(("not_after", bad) for bad in (-1, "1", 1.0, True)),
        *(("jwk", bad) for bad in (None, "x", {}, A.jwk(), {**A.public.jwk(), "crv": "X25519"})),
    ],
)
def test_an_online_keys_members_are_checked_and_named(name, bad):
    entry = with_member(keyset_claims(KEYSET)["keys"][0], name, bad)
    document = keyset_document({**keyset_claims(KEYSET), "keys": [entry]})
    assert refusal(lambda: open_keyset(json.dumps(document))) == ("malformed", f"keyset.keys.{name}")


@pytest.mark.parametrize("name", ["not_before", "not_after", "jwk"])
def test_an_online_keys_members_are_all_there(name):
    entry = without_member(keyset_claims(KEYSET)["keys"][0], name)
    document = keyset_document({**keyset_claims(KEYSET), "keys": [entry]})
    assert refusal(lambda: open_keyset(json.dumps(document))) == ("malformed", f"keyset.keys.{name}")


def test_a_keyset_has_a_limit_of_its_own():
    claims = {**keyset_claims(KEYSET), "later": "x" * 40_000}
    assert open_keyset(json.dumps(keyset_document(claims))) == KEYSET
    claims["later"] = "x" * 64_000
    assert refusal(lambda: open_keyset(json.dumps(keyset_document(claims)))) == ("too_large", "keyset")


def test_thirty_two_keys_and_roots_are_read():
    roots = tuple(private(f"many {number}") for number in range(32))
    keys = tuple(OnlineKey(private(f"key {number}").public, 0, None) for number in range(32))
    many = Keyset(ISSUER, 1, 32, tuple(root.public for root in roots), keys, 0)
    assert open_keyset(sign_keyset(many, roots)) == many
    assert refusal(lambda: open_keyset(sign_keyset(many, roots[1:]))) == SHORT


@pytest.mark.parametrize(
    "change", [{"threshold": 0}, {"threshold": 2}, {"roots": ()}, {"keys": ()}, {"issuer": ""}, {"version": -1}]
)
def test_a_keyset_that_no_till_could_read_is_not_signed(change):
    with pytest.raises(WireError):
        sign_keyset(dataclasses.replace(KEYSET, **change), (A,))


def test_what_an_unfinished_keyset_says_and_who_signed_it_is_read_without_believing_it():
    three = keyset(2, 2, A, B, C)
    assert read_keyset(sign_keyset(three, (D,))) == (three, (D.public.thumbprint,))
    assert refusal(lambda: read_keyset("{}"))[0] == "malformed"
