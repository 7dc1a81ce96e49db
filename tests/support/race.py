"""Many installations after one license at the same instant, and the one function that judges what came of it.

The real races and the mutated ones (`mutation`) are judged by the same `faults`: what it finds in a server whose safety
was removed is what it would find in ours.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.census import Census, census, totals
from tests.support.premises import Premises
from tests.support.till import RawTill, Reply
from tests.support.volley import shot, taking, volley
from tillkey_server.store.db import Database

ROUNDS = int(os.environ.get("TILLKEY_RACES", "6"))
"""How often each race of two is run: a few times every day, ten thousand times by `make races`."""
BLOCKS = [min(1000, ROUNDS - done) for done in range(0, ROUNDS, 1000)]
"""The same rounds, a thousand for each database: for a race whose every round leaves a product in the catalogue."""
CREATED = 201
WIN = (CREATED, None)
IN_USE = (409, "license_in_use")
TWO_HOLDERS = "the license has more than one holder"


@dataclass(frozen=True)
class Race:
    """What came of one license: the answers, the rows about it.

    `gained` are the rows that all tables gained by the races that were run together, `together` of them.
    """

    replies: tuple[Reply, ...]
    census: Census
    gained: Counter[str]
    together: int


async def run_races(
    premises: Premises,
    database: Database,
    urls: Sequence[str],
    installations: int,
    *,
    environment: str = "production",
    together: int = 1,
) -> list[Race]:
    """Let that many new installations activate one license through the servers in turn, all at once.

    `together` licenses at the same time, each with installations of its own: while a license's requests wait for one
    another, the servers have something to do.
    """
    sold = [premises.license() for _ in range(together)]
    shots = [
        shot(till, urls[n % len(urls)], taking(till, one.license_key, environment=environment))
        for n in range(installations)
        for one in sold
        for till in [RawTill(None, premises.keyset)]
    ]
    before = await totals(database)
    replies = await volley(shots)
    gained = await totals(database) - before
    return [
        Race(tuple(replies[n::together]), await census(database, one.license_id), gained, together)
        for n, one in enumerate(sold)
    ]


async def open_project(premises: Premises, url: str) -> None:
    """Let the shop's first till make the project, which all later ones find."""
    till = RawTill(None, premises.keyset)
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
    if race.gained != dict.fromkeys(("installation", "activation", "chain", "lease"), race.together):
        found.append(f"the tables gained {dict(race.gained)}")
    return found
