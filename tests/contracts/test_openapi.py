"""openapi.yaml is what the app does: written from it, valid, and complete."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.administration.operations import DOCUMENT
from tillkey_server.api import problems
from tillkey_server.api.administration.table import ENDPOINTS
from tillkey_server.app import create_app
from tillkey_server.rules.decision import Code
from tillkey_server.settings import Settings

ADDRESSES = {
    ("post", "/v1/activations"): {200, 201, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503},
    ("post", "/v1/activations/{activation_id}/heartbeat"): {200, 400, 401, 403, 408, 409, 413, 500, 503},
    ("post", "/v1/activations/{activation_id}/move"): {200, 400, 401, 403, 408, 409, 413, 500, 503},
    ("post", "/v1/activations/{activation_id}/deactivate"): {200, 400, 401, 408, 409, 413, 500, 503},
    ("post", "/v1/activations/{activation_id}/support"): {200, 400, 401, 403, 408, 409, 413, 429, 500, 503},
    ("post", "/v1/licenses/check"): {200, 400, 408, 413, 429, 500, 503},
    ("get", "/v1/keyset"): {200, 304, 500},
    ("get", "/v1/keyset/{version}"): {200, 304, 404, 500},
    ("get", "/.well-known/jwks.json"): {200, 304, 500},
    ("get", "/healthz"): {200, 500},
    ("get", "/readyz"): {200, 500, 503},
    ("get", "/metrics"): {200, 404, 500, 503},
}


OF_THE_ADMINISTRATION = {(row.method.lower(), row.path) for row in ENDPOINTS}
READING = {400, 401, 403, 429, 500, 503}
WRITING = READING | {408, 409, 413, 422}


@pytest.fixture(scope="module")
def document() -> Any:
    return DOCUMENT


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_the_file_equals_what_the_app_serves(document, tmp_path) -> None:
    app = create_app(Settings.load(tmp_path, {}))
    assert app.openapi() == document, "run `make openapi`"


def test_every_address_is_described_with_every_status_that_it_can_answer(document) -> None:
    described = {
        (method, path): {int(status) for status in op["responses"]} for method, path, op in operations(document)
    }
    assert described.keys() - OF_THE_ADMINISTRATION == ADDRESSES.keys()
    assert {address: described[address] for address in ADDRESSES} == ADDRESSES


@pytest.mark.parametrize("row", ENDPOINTS, ids=lambda row: row.name)
def test_an_endpoint_of_the_administration_is_described_with_what_its_row_says(document, row) -> None:
    operation = document["paths"][row.path][row.method.lower()]
    described = {int(status) for status in operation["responses"]}
    named = {problems.kind_of(code).status for code in row.refusals}
    assert described == {*row.statuses, *named, *(WRITING if row.writes else READING)}
    assert operation["x-tillkey-permission"] == row.permission
    assert operation["security"] == [{"ApiKey": []}]
    assert not row.places or 404 in described


def test_every_reference_leads_to_a_schema_and_no_schema_is_left_over(document) -> None:
    used = set(references(document))
    assert used == {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, member in node.items():
            if name == "$ref":
                yield member
            else:
                yield from references(member)
    elif isinstance(node, list):
        for member in node:
            yield from references(member)


def test_every_refusal_is_problem_details(document) -> None:
    for method, path, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and (path, status) != ("/readyz", "503"):
                assert list(response["content"]) == [problems.MEDIA_TYPE], (method, path, status)


def test_the_document_has_the_form_of_openapi_3_1(document) -> None:
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version", "description"} <= set(document["info"])
    identifiers = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(identifiers) == len(set(identifiers))
    for _, path, operation in operations(document):
        assert operation["summary"]
        assert all(response["description"] for response in operation["responses"].values())
        named = {entry["name"] for entry in operation.get("parameters", []) if entry["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_code_of_the_server_is_in_the_schema_of_a_problem(document) -> None:
    told = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    of_terms = {member.value for family in Code.__subclasses__() for member in family}
    assert told == sorted(of_terms | set(problems.KINDS))


def test_a_written_body_is_required_closed_and_json(document) -> None:
    schemas = document["components"]["schemas"]
    for method, path, operation in operations(document):
        if method in {"post", "patch"}:
            body = operation["requestBody"]
            assert body["required"]
            assert list(body["content"]) == ["application/json"]
            schema = body["content"]["application/json"]["schema"]
            named = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
            assert named["additionalProperties"] is False, (method, path)


def test_each_shape_has_a_name_of_its_own(document) -> None:
    """Two shapes of one name get names of our modules, which generators of clients stumble over."""
    assert [name for name in document["components"]["schemas"] if "__" in name] == []
