"""docs/protocol.md has a row for every claim that travels and for none that does not, and tells the wire's limits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tillkey.wire import answers, b64, keyset, request, strict_json
from tillkey.wire.fields import ENVIRONMENTS, MAX_COMPONENTS, MAX_NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text("utf-8")
NAMED = set(re.findall(r"`([^`\s]+)`", PAGE))
LATER = "a claim of a later version is ignored"


def vectors(name: str) -> list[dict[str, Any]]:
    """Return the golden vectors of one file, without the one that plays a later version."""
    found = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text("utf-8"))
    return [vector for vector in found if vector["name"] != LATER]


def part(text: str, number: int) -> dict[str, Any]:
    """Return a compact JWS's header (0) or claims (1)."""
    opened = json.loads(b64.decode(text.split(".")[number]))
    assert isinstance(opened, dict)
    return opened


def claims(vectors_of: list[dict[str, Any]]) -> set[str]:
    """Return every claim of these documents."""
    return {name for vector in vectors_of for name in part(vector["text"], 1)}


def rows(begin: str) -> set[str]:
    """Return the names in the first column of the first table below a line that begins so."""
    table = PAGE.split(f"\n{begin}", 1)[1].split("\n| --- ", 1)[1].split("\n\n", 1)[0]
    return {name for line in table.splitlines()[1:] for name in re.findall(r"`([a-z_]+)`", line.split(" | ")[0])}


def test_the_tables_of_requests_have_every_claim_and_no_other() -> None:
    common = rows("`POST` with")
    assert common == {"aud", "op", "rid", "keyset", "iat"}
    by_op = {
        op: claims([vector for vector in vectors("requests") if part(vector["text"], 1)["op"] == op]) - common
        for op in ("activate", "heartbeat", "move", "deactivate", "support")
    }
    assert rows("`activate`, to") == by_op["activate"]
    assert rows("`heartbeat`, to") == by_op["heartbeat"]
    assert by_op["move"] == {"activation", "nonce", "environment"}
    assert by_op["deactivate"] == {"activation"}
    assert rows("`support`, to") == by_op["support"]


@pytest.mark.parametrize("kind", ["lease", "statement"])
def test_the_tables_of_answers_have_every_claim_and_no_other(kind: str) -> None:
    found = claims([vector for vector in vectors("answers") if vector["kind"] == kind])
    assert rows(f"{kind.capitalize()}, `typ`") == found


def test_the_table_of_the_keyset_has_every_member_and_no_other() -> None:
    payloads = [json.loads(b64.decode(json.loads(vector["text"])["payload"])) for vector in vectors("keysets")]
    assert rows("`GET /v1/keyset`") == {name for payload in payloads for name in payload}
    assert {name for payload in payloads for key in payload["keys"] for name in key} <= NAMED


def test_members_of_objects_headers_paths_and_codes_are_named() -> None:
    documents = [vector["text"] for name in ("requests", "answers") for vector in vectors(name)]
    inside = {"protected", "signature", "payload", "signatures"}
    for text in documents:
        inside |= set(part(text, 0)) | set(part(text, 0).get("jwk", {}))
        objects = {name: value for name, value in part(text, 1).items() if isinstance(value, dict)}
        inside |= {name for claim, value in objects.items() if claim != "fingerprint" for name in value}
    assert sorted(inside - NAMED) == []
    types = {request.REQUEST_TYP, answers.LEASE_TYP, answers.STATEMENT_TYP, keyset.KEYSET_TYP}
    assert sorted((types | set(answers.ENDING_CODES) | set(ENVIRONMENTS)) - NAMED) == []
    paths = {re.sub(r"[0-9a-f]{8}-[0-9a-f-]+", "{id}", vector["path"]) for vector in vectors("requests")}
    assert sorted(paths - NAMED) == []


def test_limits_are_those_of_the_code() -> None:
    assert f"{strict_json.MAX_BYTES // 1024} KiB" in PAGE.split("## Requests")[1].split("## Answers")[0]
    assert f"At most {answers.MAX_ANSWER // 1024} KiB." in PAGE
    assert f"at most {keyset.MAX_KEYSET_BYTES // 1024} KiB" in PAGE.split("## Keyset")[1]
    assert f"at most {strict_json.MAX_DEPTH} containers deep" in PAGE
    assert f"at most {MAX_COMPONENTS} members" in PAGE
    assert f"lists of at most {MAX_NAMES} codes" in PAGE
