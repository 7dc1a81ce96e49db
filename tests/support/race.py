"""Many installations after one license at the same instant, and the one function that judges what came of it.

The real races and the mutated ones (`mutation`) are judged by the same `faults`: what it finds in a server whose safety
was removed is what it would find in ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.census import Census, census, totals
from tests.support.premises import Premises
from tests.support.server import IssuedKey
from tests.support.till import RawTill, Reply
from tests.support.volley import shot, taking, volley
from tillkey_server.store.db import Database

CREATED = 201
WIN = (CREATED, None)
IN_USE = (409, "license_in_use")
TWO_HOLDERS = "the license has more than one holder"


@dataclass(frozen=True)
class Race:
    """What came of one license: the answers, the rows about it, and the rows that all tables gained."""

    replies: tuple[Reply, ...]
    census: Census
    gained: Counter[str]


async def run_race(
    premises: Premises,
    database: Database,
    urls: Sequence[str],
    sold: IssuedKey,
    installations: int,
    environment: str = "production",
) -> Race:
    """Let that many new installations activate one license through the servers in turn, all at once."""
    keyset = premises.keyset
    tills = [RawTill(None, keyset) for _ in range(installations)]  # type: ignore[arg-type] - volley sends for them
    shots = [
        shot(till, urls[n % len(urls)], taking(till, sold.license_key, environment=environment))
        for n, till in enumerate(tills)
    ]
    before = await totals(database)
    replies = await volley(shots)
    after = await totals(database)
    return Race(tuple(replies), await census(database, sold.license_id), after - before)


async def open_project(premises: Premises, url: str) -> None:
    """Let the shop's first till make the project, which all later ones find."""
    till = RawTill(None, premises.keyset)  # type: ignore[arg-type] - volley sends for it
    [reply] = await volley([shot(till, url, taking(till, premises.license().license_key))])
    assert reply.status == CREATED, reply


def faults(race: Race) -> list[str]:
    """Say what is wrong with a race, nothing where one won and all others got the right refusal and left no row.

    The winner must hold the activation that the database knows, the others a signed `license_in_use`, and the audit
    log one line for each.
    """
    asked = len(race.replies)
    answers = Counter((reply.status, reply.code) for reply in race.replies)
    winners = [reply for reply in race.replies if reply.status == CREATED]
    found = []
    if len(race.census.holders) > 1 or len(winners) > 1:
        found.append(TWO_HOLDERS)
    if answers != {WIN: 1, IN_USE: asked - 1}:
        found.append(f"the answers were {dict(answers)}")
    if any(reply.statement is None for reply in race.replies if reply.status != CREATED):
        found.append("a refusal was not signed")
    if {str(holder) for holder in race.census.holders} != {reply.granted.sub for reply in winners}:
        found.append("who was told yes is not who holds the license")
    if race.census.decisions != {("allow", "activation_granted"): 1, ("deny", "license_in_use"): asked - 1}:
        found.append(f"the audit log tells {dict(race.census.decisions)}")
    if race.gained != {"installation": 1, "activation": 1, "chain": 1, "lease": 1}:
        found.append(f"the tables gained {dict(race.gained)}")
    return found
