"""The two safeguards of one use at a time, each broken to prove the other, and both to prove the test of the race."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.mutation import UnlockedServing, drop_unique_index
from tests.support.premises import own_premises  # noqa: F401 - fixture
from tests.support.race import TWO_HOLDERS, faults, open_project, run_races
from tests.support.server import Serving

INSTALLATIONS = 64
LICENSES = 6
PATIENCE = 40


@contextmanager
def both(kind, installation) -> Iterator[tuple[str, str]]:
    """Two processes of that kind over one database."""
    one, other = kind(installation), kind(installation)
    try:
        yield one.start().url, other.start().url
    finally:
        one.close()
        other.close()


async def race(premises, kind, *, index, licenses=LICENSES, environments=("staging", "production")):
    """Race for licenses until one has two holders; return what was wrong with each race."""
    found = []
    async with premises.database() as database:
        if not index:
            await drop_unique_index(database)
        with both(kind, premises.installation) as urls:
            await open_project(premises, urls[0])
            while len(found) < licenses and not any(TWO_HOLDERS in faulty for faulty in found):
                where = environments[len(found) % len(environments)]
                [one] = await run_races(premises, database, urls, INSTALLATIONS, environment=where)
                found.append(faults(one))
    return found


@pytest.mark.clause("NX-03", "K-11")
async def test_without_the_lock_the_unique_index_alone_lets_one_win(own_premises):  # noqa: F811
    assert await race(own_premises, UnlockedServing, index=True) == [[]] * LICENSES


@pytest.mark.clause("NX-03", "K-11")
async def test_without_the_unique_index_the_lock_alone_lets_one_win(own_premises):  # noqa: F811
    assert await race(own_premises, Serving, index=False) == [[]] * LICENSES


@pytest.mark.clause("NX-03", "K-11")
async def test_without_lock_and_index_the_race_finds_two_holders(own_premises):  # noqa: F811
    # In staging alone: a production activation also binds the license to its project, by an UPDATE of a license that is
    # not bound yet, and would there be a third safeguard.
    found = await race(own_premises, UnlockedServing, index=False, licenses=PATIENCE, environments=("staging",))
    assert TWO_HOLDERS in found[-1], f"{PATIENCE} races without any safeguard, one winner in each: this is no race"
