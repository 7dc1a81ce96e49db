"""The limits hold through two processes, and count who asks, not who says so."""

import httpx

from tests.support.premises import premises, servers  # noqa: F401 - fixtures
from tillkey_server.rules.rate import LICENSE_KEY_GUESSES

QUESTION = {"license_key": "POS-00000-00000-00000-00000-0000000", "product": "pos-core"}


async def test_two_processes_count_together_and_a_header_that_anybody_can_write_counts_for_nothing(servers):  # noqa: F811
    asked = LICENSE_KEY_GUESSES.burst * 2
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        statuses = [
            (
                await http.post(
                    f"{servers[number % 2]}/v1/licenses/check",
                    json=QUESTION,
                    headers={"X-Forwarded-For": f"198.51.100.{number}"},
                )
            ).status_code
            for number in range(asked)
        ]
    # While they are asked some more become due: one every two seconds.
    assert set(statuses[: LICENSE_KEY_GUESSES.burst]) == {200}
    assert LICENSE_KEY_GUESSES.burst <= statuses.count(200) < asked
