"""docs/problems.md explains every code that the server can answer, and none that it cannot."""

import re
from pathlib import Path

import pytest

from tillkey.wire.answers import ENDING_CODES
from tillkey_server.api import problems
from tillkey_server.rules.decision import Refusal

PAGE = Path(__file__).resolve().parents[2] / "docs" / "problems.md"


def sections() -> dict[str, str]:
    """Return the page's text under each `### `code``."""
    parts = re.split(r"^### `([a-z_]+)`$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    assert len(parts[1::2]) == len(set(parts[1::2])), "a code is explained twice"
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_code_has_a_section_and_every_section_a_code() -> None:
    assert set(sections()) == set(problems.KINDS)


def test_every_refusal_has_a_row_in_the_table_of_problems() -> None:
    assert set(Refusal) <= set(problems.KINDS)


@pytest.mark.parametrize("code", sorted(problems.KINDS))
def test_a_section_tells_the_status_the_meaning_and_who_does_what(code: str) -> None:
    section = sections()[code]
    assert re.search(rf"^HTTP {problems.KINDS[code].status}\b[^.]*\. \w", section, flags=re.MULTILINE), section
    assert re.search(r"^- Till: \w", section, flags=re.MULTILINE), section
    assert re.search(r"^- Person: \S", section, flags=re.MULTILINE), section


def test_a_403_is_a_signed_code_that_ends_use_or_an_api_key_that_may_not() -> None:
    answered = {code for code, kind in problems.KINDS.items() if kind.status == 403}
    assert answered == {*ENDING_CODES, "permission_denied"}


@pytest.mark.parametrize(
    "status, codes",
    [
        (404, {"license_invalid", "not_found"}),
        (400, {"malformed"}),
        (413, {"too_large"}),
        (401, {"bad_signature", "api_key_invalid"}),
        (429, {"rate_limited"}),
        (503, {"unavailable"}),
    ],
)
def test_the_statuses_are_the_protocols(status: int, codes: set[str]) -> None:
    assert {code for code, kind in problems.KINDS.items() if kind.status == status} == codes


@pytest.mark.parametrize("code", sorted(problems.KINDS))
def test_a_problem_says_in_words_what_to_do_next(code: str) -> None:
    members = problems.document(code)
    assert members["type"] == f"urn:tillkey:problem:{code}"
    assert members["status"] == problems.KINDS[code].status
    assert problems.KINDS[code].next_step in str(members["detail"])
