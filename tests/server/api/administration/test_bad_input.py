"""Bad input on every write: a problem that names the field, and nothing stored."""

import json
from typing import Any

import pytest

from tests.support.administration import EXAMPLES, Shelf
from tests.support.administration.operations import ADDRESSED, LISTS, OPERATIONS, WRITES, ask, shape
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.picture import picture
from tillkey_server.store import tables

COLUMNS = sorted({column.name for table in tables.metadata.sorted_tables for column in table.columns})

# Whole bodies, each wrong by itself; `%s` is where a valid body's members go.
RAW = {
    "over 16 KiB": b'{"name":"' + b"x" * 16400 + b'"}',
    "nested deeply": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "nested by nine": b'{"a":' * 9 + b"1" + b"}" * 9,
    "a name twice": b'{"reason":"a","reason":"b"}',
    "NaN": b'{"reason":NaN}',
    "5,000 digits": b'{"quantity":' + b"9" * 5000 + b"}",
    "a lone surrogate": b'{"reason":"\\ud800"}',
    "a lone surrogate as a name": b'{"\\udfff":"a"}',
    "NUL": b'{"reason":"a\\u0000b"}',
    "no UTF-8": b'{"reason":"\xff"}',
    "a list": b"[]",
    "nothing": b"",
    "half of it": b'{"reason":"a"',
    "an exponent": b'{"quantity":1e400}',
}
WRONG: dict[str, Any] = {
    "a number": 7,
    "a huge number": 2**53 - 1,
    "a list": [],
    "an object": {},
    "true": True,
    "a control character": "a\x07b",
    "nothing but spaces": "   ",
    "an empty text": "",
    "a long text": "x" * 9000,
}


def members(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every member within a body."""
    if isinstance(document, dict):
        nested = [(*path, name) for name in document]
    elif isinstance(document, list):
        nested = [(*path, index) for index in range(len(document))]
    else:
        return []
    return nested + [deeper for one in nested for deeper in members(_at(document, one[len(path) :]), one)]


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    _at(copy, path[:-1])[path[-1]] = value
    return copy


@pytest.mark.parametrize("name", WRITES)
async def test_a_body_that_is_no_strict_json_is_refused_and_nothing_is_stored(
    one_house: House, one_callers: Callers, name: str
) -> None:
    client = await one_callers.client()
    example = await EXAMPLES[name](Shelf(one_house))
    before = await picture(one_house)
    for what, content in RAW.items():
        answer = await ask(client, name, example, content=content)
        assert answer.status_code == (413 if what == "over 16 KiB" else 400), what
        assert answer.json()["code"] in {"malformed", "too_large"}, what
        assert answer.json()["detail"].startswith("body"), what
    assert await picture(one_house) == before


@pytest.mark.parametrize("name", WRITES)
async def test_a_wrong_value_is_refused_by_the_name_of_its_field_or_is_a_right_one(
    one_house: House, one_callers: Callers, name: str
) -> None:
    """A value may happen to be right for a field; then the write is done. Whatever is refused names the field."""
    client = await one_callers.client()
    example = await EXAMPLES[name](Shelf(one_house))
    assert example.body is not None
    before = await picture(one_house)
    for path in members(example.body):
        for what, value in WRONG.items():
            wrong = replaced(example.body, path, value)
            answer = await ask(client, name, example, content=json.dumps(wrong).encode())
            assert answer.status_code < 500, (path, what)
            if answer.status_code == 400:
                assert str(path[0]) in answer.json()["detail"], (path, what, answer.json()["detail"])
                assert await picture(one_house) == before, (path, what)
            else:
                before = await picture(one_house)


@pytest.mark.parametrize("name", WRITES)
async def test_a_missing_and_an_unknown_member_are_refused_by_name(
    one_house: House, one_callers: Callers, name: str
) -> None:
    client = await one_callers.client()
    example = await EXAMPLES[name](Shelf(one_house))
    required = shape(name).get("required", [])
    before = await picture(one_house)
    assert example.body is not None
    for missing in required:
        fewer = {member: value for member, value in example.body.items() if member != missing}
        answer = await ask(client, name, example, content=json.dumps(fewer).encode())
        assert (answer.status_code, answer.json()["detail"]) == (400, f"body.{missing}: is missing")
    answer = await ask(client, name, example, content=json.dumps({**example.body, "surprise": 1}).encode())
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("body.surprise: is unknown")
    assert await picture(one_house) == before


@pytest.mark.parametrize("name", WRITES)
async def test_no_column_of_the_database_can_be_assigned_that_the_shape_does_not_name(
    one_house: House, one_callers: Callers, name: str
) -> None:
    client = await one_callers.client()
    example = await EXAMPLES[name](Shelf(one_house))
    assert example.body is not None
    known = set(shape(name).get("properties", {}))
    before = await picture(one_house)
    for column in COLUMNS:
        if column in known:
            continue
        answer = await ask(client, name, example, content=json.dumps({**example.body, column: None}).encode())
        assert answer.status_code == 400, column
        assert answer.json()["detail"].startswith(f"body.{column}: is unknown"), column
    assert await picture(one_house) == before


QUERIES = {
    "surprise=1": "query.surprise",
    "limit=0": "limit",
    "limit=201": "limit",
    "limit=x": "limit",
    "limit=" + "9" * 5000: "limit",
    "limit=1&limit=2": "query.limit",
    "after=nowhere": "after",
    "after=%00": "query",
    "after=WyJuYW1lIiwicyIsMV0": "after",
    "sort=secret": "sort",
}
NO_NAMES = ("x", "..", "%00", "%ff", "%F0%9F%98%80", "'%20OR%201=1--", "0" * 500)


@pytest.mark.parametrize("name", LISTS)
async def test_a_wrong_query_is_refused_by_name(one_house: House, one_callers: Callers, name: str) -> None:
    client = await one_callers.client()
    for query, named in QUERIES.items():
        answer = await client.get(f"{OPERATIONS[name].path}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), query
        assert named in answer.json()["detail"], query


@pytest.mark.parametrize("name", ADDRESSED)
async def test_what_can_be_no_name_names_nothing(one_house: House, one_callers: Callers, name: str) -> None:
    client = await one_callers.client()
    example = await EXAMPLES[name](Shelf(one_house))
    for place in NO_NAMES:
        answer = await ask(client, name, example, places=dict.fromkeys(example.path, place))
        assert answer.status_code in {404, 405}, place
