"""How often somebody may ask (GCRA: the leaky bucket as one moment for each subject).

1. A subject may ask `burst` times at once, and once more for every `interval` that passes.
2. What is kept is `due`, the moment by which all that was asked is paid for. A question is allowed while `due` lies no
   further ahead than the burst allows; an allowed one moves it by an interval, a refused one does not.
3. What guesses is counted by the address that it comes from: unknown license keys, unknown API keys. What names a real
   license is counted by that license. Honest tills behind one address are therefore never locked out by what else
   comes from there: their keys are known.
4. Heartbeats are not counted, and what a till asks beside them is counted apart: it takes nothing from an activation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: what is counted, how many at once, and after how long one more."""

    scope: str
    burst: int
    interval: timedelta

    @property
    def tolerance(self) -> timedelta:
        """Return how far ahead `due` may lie for a question to be allowed."""
        return self.interval * (self.burst - 1)


LICENSE_KEY_GUESSES = Limit("license_key_guesses", 30, timedelta(seconds=2))
"""Unknown license keys by address, asked about or activated."""
API_KEY_GUESSES = Limit("api_key_guesses", 20, timedelta(seconds=6))
"""Invalid API keys by address."""
ACTIVATIONS = Limit("activations", 120, timedelta(seconds=10))
"""Activations of one license, whatever comes of them."""
SUPPORT_QUESTIONS = Limit("support_questions", 10, timedelta(minutes=1))
"""Questions of a license's tills about support."""

LIMITS = (LICENSE_KEY_GUESSES, API_KEY_GUESSES, ACTIVATIONS, SUPPORT_QUESTIONS)
"""Every limit; docs/operations.md shows them, and a test compares."""


@dataclass(frozen=True, slots=True)
class Rated:
    """Whether a question is allowed, `due` afterwards, and in how many seconds to come back where it is not."""

    allowed: bool
    due: datetime
    wait: int = 0


def decide_rate(due: datetime | None, limit: Limit, now: datetime) -> Rated:
    """Decide a question at `now`. In: what is kept of the subject, None where nothing is."""
    owed = max(due or now, now)
    ahead = owed - now - limit.tolerance
    if ahead > timedelta(0):
        return Rated(allowed=False, due=owed, wait=math.ceil(ahead.total_seconds()))
    return Rated(allowed=True, due=owed + limit.interval)
