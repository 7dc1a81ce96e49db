"""JSON is read where every parser reads the same, and nowhere else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.wire.documents import calm
from tillkey.wire.errors import WireError
from tillkey.wire.strict_json import MAX_BYTES, MAX_INTEGER, dumps, loads

STRINGS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
NUMBERS = st.one_of(st.integers(-MAX_INTEGER, MAX_INTEGER), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, STRINGS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(STRINGS, inner, max_size=4)),
    max_leaves=12,
)
# Pieces out of which chance makes almost-JSON more often than bytes alone do.
PIECES = st.lists(
    st.sampled_from(
        ["{", "}", "[", "]", '"', ":", ",", "\\", "\\u", "d800", "0000", "1e999", "-", "9" * 17, "NaN", "é", " ", '"a"']
    ),
    max_size=30,
).map("".join)


def refusal(text, **limits):
    with pytest.raises(WireError) as refused:
        loads(text, field="place", **limits)
    assert refused.value.field == "place"
    return refused.value.code


def depth_of(value):
    if isinstance(value, (list, dict)):
        return 1 + max(map(depth_of, value.values() if isinstance(value, dict) else value), default=0)
    return 0


@calm
@given(VALUES)
def test_every_value_that_dumps_makes_loads_gives_back(value):
    try:
        text = dumps(value)
    except WireError:
        assert depth_of(value) > 8
    else:
        assert loads(text, max_bytes=len(text)) == value
        assert loads(text.decode(), max_bytes=len(text)) == value
        assert json.loads(text) == value


@calm
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60), PIECES, PIECES.map(str.encode)))
def test_whatever_comes_only_a_wire_error_goes(text):
    try:
        value = loads(text)
    except WireError:
        return
    assert loads(dumps(value)) == value


@calm
@given(st.recursive(st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_what_dumps_cannot_carry_is_a_wire_error(value):
    try:
        text = dumps(value)
    except WireError:
        return
    assert loads(text, max_bytes=len(text)) == value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), "\ud800", {"\udfff": 1}, "\x00", 2**53, -(2**53), [[[[[[[[[]]]]]]]]]],
)
def test_dumps_makes_nothing_that_loads_refuses(value):
    with pytest.raises(WireError) as refused:
        dumps(value, "claims")
    assert (refused.value.code, refused.value.field) == ("malformed", "claims")


def test_dumps_is_compact_sorted_and_utf8():
    assert dumps({"b": [1, "ü"], "a": None}) == '{"a":null,"b":[1,"ü"]}'.encode()


def test_dumps_refuses_a_value_in_itself_and_one_without_end():
    ring = []
    ring.append(ring)
    with pytest.raises(WireError):
        dumps(ring)
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(WireError):
        dumps(deep)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '{"a":1,"b":2,"a":3}', '[{"x":{"a":1,"a":2}}]', '{"a":1,"\\u0061":2}']
)
def test_a_name_twice_is_malformed_however_deep_and_however_spelt(text):
    assert refusal(text) == "malformed"


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "[NaN]", '{"a":-Infinity}', "nan", "1e999", "-1e999", "[1e400]"]
)
def test_what_is_no_finite_number_is_malformed(text):
    assert refusal(text) == "malformed"


@pytest.mark.parametrize(
    "text", ['"\\u0000"', '{"\\u0000":1}', '{"a":["b\\u0000c"]}', '{"x":{"a\\u0000":1}}', '"\x00"', '"a\x00"']
)
def test_nul_is_malformed_in_values_and_in_names(text):
    assert refusal(text) == "malformed"
    assert refusal(text.encode()) == "malformed"


@pytest.mark.parametrize(
    "text",
    [
        *('"\\ud800"', '"\\udfff"', '"\\udc00\\ud800"', '"\\ud83c\\ud83c\\udf37"', '{"\\ud800":1}', '[["\\uDBFF"]]'),
        *('"\\ud800\\\\udc00"', '"\ud800"', '{"\udfff":1}'),
    ],
)
def test_a_lone_surrogate_is_malformed_escaped_and_bare(text):
    assert refusal(text) == "malformed"


def test_surrogate_bytes_are_not_utf8():
    assert refusal(b'"\xed\xa0\x80"') == "malformed"
    assert refusal(b'"\xed\xa0\xbc\xed\xbc\xb7"') == "malformed"


def test_a_pair_of_escaped_surrogates_is_one_character():
    assert loads('"\\ud83c\\udf37"') == "\U0001f337"
    assert loads('{"\\uD83C\\uDF37":"\\u00e9"}') == {"\U0001f337": "é"}


@pytest.mark.parametrize("number", [0, 1, -1, 2**53 - 1, 1 - 2**53])
def test_an_integer_under_2_to_the_53_is_read(number):
    assert loads(str(number)) == number
    assert loads(f'{{"unknown":[{number}]}}') == {"unknown": [number]}


@pytest.mark.parametrize("digits", [str(2**53), str(-(2**53)), "9" * 17, "1" * 18, "9" * 5000, "-" + "9" * 5000])
def test_an_integer_of_2_to_the_53_is_malformed_also_in_an_unknown_place(digits):
    assert refusal(digits) == "malformed"
    assert refusal(f'{{"unknown":{{"x":[{digits}]}}}}') == "malformed"


@pytest.mark.parametrize("text", ["01", "-01", "+1", "1.", ".5", "0x10", "1_000", "\u0661", "1e", "--1"])
def test_what_is_no_json_number_is_malformed(text):
    assert refusal(text) == "malformed"


def test_fractions_and_negative_zero_are_read():
    assert loads("[0.5,-0,1e3,-1.5e-3,1E+2]") == [0.5, 0, 1000.0, -0.0015, 100.0]


@pytest.mark.parametrize(
    ("opening", "closing", "times"), [("[", "]", 8), ('{"a":', "}", 8), ('[{"a":', "}]", 4), ('{"[":[', "]}", 4)]
)
def test_depth_8_is_read_and_depth_9_is_malformed(opening, closing, times):
    core = opening * times + "0" + closing * times
    assert depth_of(loads(core)) == 8
    assert refusal(f"[{core}]") == "malformed"
    assert refusal(f'{{"unknown":{core}}}') == "malformed"


@pytest.mark.parametrize(
    "inside", ["[" * 50, "{" * 50, '\\"[[[[[[[[[[', "\\\\", "]]]]", '\\\\\\"{{{{{{{{{{', "\\u005b" * 20, "a\\nb[{" * 5]
)
def test_brackets_in_strings_are_no_depth(inside):
    text = f'{{"{inside}":["{inside}",[[[[[["{inside}"]]]]]]]}}'
    assert loads(text) == json.loads(text)
    assert refusal(f"[{text}]") == "malformed"


def test_siblings_are_no_depth():
    text = "[" + ",".join(['[[{"a":[]}]]'] * 100) + "]"
    assert loads(text) == json.loads(text)


def test_depth_is_counted_before_the_parser_could_recurse():
    assert refusal("[" * 16_000) == "malformed"
    assert refusal('{"a":' * 3_000) == "malformed"
    assert refusal("]" * 8_000 + "[" * 8_000) == "malformed"
    assert refusal('"' + "[" * 100) == "malformed"
    assert refusal('["\\' + "[" * 100) == "malformed"


def test_a_caller_who_lifts_the_limit_of_depth_gets_no_recursion_error():
    deep = "[" * 200_000 + '"\\u0041"' + "]" * 200_000
    assert refusal(deep, max_bytes=10**6, max_depth=10**6) == "malformed"


@pytest.mark.parametrize(
    "text",
    [
        *(
            b"",
            b" ",
            b"\xff",
            b"\xc3",
            b"\xc0\xaf",
            b"\xf5\x80\x80\x80",
            b'"\xe9"',
            b"\xef\xbb\xbf{}",
            "\ufeff{}".encode("utf-16"),
        ),
        *(
            "",
            "\ufeff{}",
            "{} {}",
            "{}x",
            "[1,]",
            '{"a":1,}',
            "{'a':1}",
            "{a:1}",
            "// x\n{}",
            "{}\x00",
            "\x0b1",
            "\u00a01",
        ),
        *('"a\nb"', '"\\x41"', '"\\u12"', '"\\u 123"', '"abc', "tru", "True", "undefined", '{"a"}', "{1:2}", "\x0c{}"),
    ],
)
def test_what_is_no_json_text_is_malformed(text):
    assert refusal(text) == "malformed"


def test_the_four_kinds_of_json_space_are_no_harm():
    assert loads(b' \t\r\n{ "a" :\n1 } \n') == {"a": 1}


def test_the_length_counts_bytes_and_its_limit_is_still_read():
    fits = '"' + "é" * ((MAX_BYTES - 2) // 2) + '"'
    assert loads(fits) == fits[1:-1]
    assert loads(fits.encode()) == fits[1:-1]
    assert refusal(fits + " ") == "too_large"
    assert refusal(fits.encode() + b" ") == "too_large"
    assert refusal("\ud800" * MAX_BYTES) == "too_large"
    assert refusal(b"{}", max_bytes=1) == "too_large"


def test_an_error_does_not_repeat_the_content():
    with pytest.raises(WireError) as refused:
        loads('{"license_key":"SECRET-1","license_key":"SECRET-2"}')
    assert "SECRET" not in str(refused.value)
    assert "SECRET" not in repr(refused.value)
