"""The limit of `check` counts who asks, not who says so."""

from pathlib import Path

from tests.support.server import Installation

ASKED = 40


async def test_a_header_that_anybody_can_write_does_not_pass_the_limit_of_check(tmp_path: Path):
    installation = Installation(tmp_path / "data").init()
    question = {"license_key": "POS-00000-00000-00000-00000-0000000", "product": "pos-core"}
    with installation.serving() as server:
        async with server.client() as http:
            answers = [
                await http.post(
                    "/v1/licenses/check", json=question, headers={"X-Forwarded-For": f"198.51.100.{number}"}
                )
                for number in range(ASKED)
            ]
    assert {answer.status_code for answer in answers} == {200, 429}
