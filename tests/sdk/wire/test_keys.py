"""A key is an Ed25519 point of large order under one name."""

import copy
import pickle

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.sdk.wire.documents import TILL, private
from tillkey.wire import b64
from tillkey.wire.errors import WireError, bad_signature
from tillkey.wire.keys import PrivateKey, PublicKey

# RFC 8032 section 5.1: the field, the curve's constant and the order of its base point.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493
IDENTITY = (0, 1)


def add(one, two):
    (x1, y1), (x2, y2) = one, two
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(scalar, point):
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def point_of(y):
    """A point with that y coordinate, or None where the curve has none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return None if (x * x - square) % P else (x, y)


def torsion():
    """The eight points whose order divides 8: multiples of a point of the curve times the order of the base point."""
    for y in range(2, 100):
        point = point_of(y)
        generator = times(L, point) if point else IDENTITY
        if times(4, generator) != IDENTITY:
            return [times(number, generator) for number in range(8)]
    raise AssertionError("the first hundred points of the curve are all of odd order")


def encoded(y, sign):
    return (y | sign << 255).to_bytes(32, "little")


def refusal(raw):
    with pytest.raises(WireError) as refused:
        PublicKey(raw)
    assert refused.value.code == "malformed"
    return refused.value


def test_the_thumbprint_of_rfc_8037_appendix_a3():
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert PublicKey.from_jwk(jwk).thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_key_and_the_signature_of_rfc_8037_appendices_a1_and_a4():
    key = PrivateKey.from_jwk(
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }
    )
    signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    assert b64.encode(key.sign(signed)) == signature
    assert key.public.verify(b64.decode(signature), signed)


def test_there_are_eight_points_of_small_order():
    points = torsion()
    assert len(set(points)) == 8
    assert all(times(8, point) == IDENTITY for point in points)
    assert {y for _, y in points} >= {1, P - 1, 0}


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("sign", [0, 1])
def test_a_point_of_small_order_is_refused_in_every_encoding(number, sign):
    _, y = torsion()[number]
    assert "small order" in str(refusal(encoded(y, sign)))
    if y + P < 2**255:
        assert "canonical" in str(refusal(encoded(y + P, sign)))


def test_without_that_check_one_signature_would_fit_every_message():
    identity = encoded(1, 0)
    for message in (b"one", b"two", b""):
        Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), message)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(TILL.public.x).verify(identity + bytes(32), b"one")


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("excess", range(19))
def test_a_y_that_is_not_reduced_is_refused(excess, sign):
    assert "canonical" in str(refusal(encoded(P + excess, sign)))


def test_the_y_next_to_the_refused_ones_are_read():
    assert PublicKey(encoded(2, 0)).x[0] == 2
    assert PublicKey(encoded(P - 2, 1)).x[31] == 0xFF


def test_a_y_that_is_on_no_point_verifies_nothing():
    y = next(y for y in range(2, 100) if point_of(y) is None)
    assert not PublicKey(encoded(y, 0)).verify(bytes(64), b"")


@pytest.mark.parametrize("length", [0, 1, 31, 33, 57, 64])
def test_a_key_of_another_length_is_refused(length):
    assert refusal(b"\x05" * length).field == "jwk.x"
    with pytest.raises(WireError) as refused:
        PrivateKey.from_seed(b"\x05" * length)
    assert refused.value.field == "jwk.d"


def test_a_key_is_read_back_from_its_jwk():
    assert PublicKey.from_jwk(TILL.public.jwk()) == TILL.public
    again = PrivateKey.from_jwk(TILL.jwk())
    assert (again.seed, again.public) == (TILL.seed, TILL.public)
    assert hash(again.public) == hash(TILL.public)


GOOD = TILL.public.jwk()


@pytest.mark.parametrize(
    "jwk",
    [
        *(None, [], "x", 7, {}, True, list(GOOD)),
        *({name: member for name, member in GOOD.items() if name != gone} for gone in GOOD),
        *({**GOOD, name: "x"} for name in ("kid", "alg", "use", "key_ops", "d", "y", "x5c", "ext", "KTY")),
        *({**GOOD, "kty": other} for other in ("EC", "RSA", "oct", "okp", None, 1, ["OKP"])),
        *({**GOOD, "crv": other} for other in ("Ed448", "X25519", "P-256", "ed25519", None, 1)),
        *({**GOOD, "x": other} for other in (None, 1, [], {}, True, GOOD["x"] + "=", GOOD["x"] + "\n", "", "+" * 43)),
        *({**GOOD, "x": b64.encode(bytes(length))} for length in (31, 32, 33)),
    ],
)
def test_what_is_not_exactly_an_ed25519_jwk_is_malformed(jwk):
    with pytest.raises(WireError) as refused:
        PublicKey.from_jwk(jwk, "request.header.jwk")
    assert refused.value.code == "malformed"
    assert refused.value.field.startswith("request.header.jwk")


def test_the_complaint_about_a_weak_key_names_its_place():
    with pytest.raises(WireError) as refused:
        PublicKey.from_jwk({**GOOD, "x": b64.encode(encoded(0, 0))}, "keyset.roots")
    assert refused.value.field == "keyset.roots.x"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"d": None}, "root"),
        ({"d": 7}, "root"),
        ({"d": b64.encode(bytes(31))}, "root.d"),
        ({"d": "not base64url!"}, "root.d"),
        ({"d": b64.encode(bytes(32))}, "root"),
        ({"x": private("another").public.jwk()["x"]}, "root"),
        ({"kid": "x"}, "root"),
        ({"x": None}, "root"),
    ],
)
def test_a_private_jwk_with_a_fault_is_malformed(change, field):
    with pytest.raises(WireError) as refused:
        PrivateKey.from_jwk({**TILL.jwk(), **change}, "root")
    assert (refused.value.code, refused.value.field) == ("malformed", field)


@pytest.mark.parametrize("jwk", [None, [], "x", GOOD])
def test_what_has_no_d_is_no_private_key(jwk):
    with pytest.raises(WireError):
        PrivateKey.from_jwk(jwk)


def test_a_private_key_does_not_show_its_secret():
    assert b64.encode(TILL.seed) not in repr(TILL)
    assert TILL.public.thumbprint in repr(TILL)
    assert b64.encode(TILL.seed) not in str(vars(TILL)["public"])


def test_only_the_signed_message_and_the_whole_signature_verify():
    signature = TILL.sign(b"message")
    assert TILL.public.verify(signature, b"message")
    assert not TILL.public.verify(signature, b"messagf")
    assert not private("another").public.verify(signature, b"message")
    for wrong in (b"", signature[:-1], signature + b"\x00", bytes(64), b"\xff" * 64):
        assert not TILL.public.verify(wrong, b"message")


def test_a_signature_has_no_second_form():
    signature = TILL.sign(b"message")
    number = int.from_bytes(signature[32:], "little")
    for factor in range(1, 15):
        twin = signature[:32] + (number + factor * L).to_bytes(32, "little")
        assert not TILL.public.verify(twin, b"message")


def test_a_wire_error_survives_copying_and_pickling():
    error = bad_signature("lease.signature", "is wrong")
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (again.code, again.field, again.detail) == ("bad_signature", "lease.signature", "is wrong")
        assert str(again) == "lease.signature: is wrong"
