"""When the next background beat is due (PROTOCOL section 6, "Manners"). Pure: the draw, from 0 to 1, is an argument.

1. A lease is renewed around its ``refresh_at``, spread by 20 % of the interval either way, so that tills sold on one
   day do not beat in step.
2. Under a statement a till beats daily, since nothing could be lifted otherwise.
3. What is overdue at start, or pending, goes within a minute at random.
4. After a failure: anywhere between now and a bound that doubles up to 24 hours ("full jitter"), and never before the
   server's ``Retry-After``, honored up to 24 hours. Fifty thousand tills that come back after an outage must not
   hammer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from tillkey._constants import (
    BACKOFF_BASE,
    BACKOFF_CAP,
    BEAT_INTERVAL,
    BEAT_JITTER,
    RETRY_AFTER_CAP,
    STARTUP_SPREAD,
    STATEMENT_INTERVAL,
)

_LEAST = 1.0
_MOST_DOUBLINGS = 20


@dataclass(frozen=True)
class Due:
    """What the next beat depends on; times in epoch seconds by the effective clock.

    ``issued_at`` is when the last answer was signed (None: there is nothing to beat with), ``refresh_at`` the lease's
    wish.
    """

    issued_at: Optional[int] = None
    refresh_at: Optional[int] = None
    under_statement: bool = False
    pending: bool = False


def delay(due: Due, now: int, draw: float) -> Optional[float]:
    """Return the seconds until the next beat: 0 or less if overdue, None where there is nothing to beat with."""
    if due.pending:
        return 0.0
    if due.issued_at is None:
        return None
    interval = STATEMENT_INTERVAL
    if not due.under_statement:
        interval = (due.refresh_at or 0) - due.issued_at
        interval = interval if interval > 0 else BEAT_INTERVAL
    return due.issued_at + interval * (1 + BEAT_JITTER * (2 * draw - 1)) - now


def spread(draw: float) -> float:
    """Return the seconds that an overdue beat waits, so that tills which start together do not ask together."""
    return draw * STARTUP_SPREAD


def backoff(failures: int, retry_after: Optional[int], draw: float) -> float:
    """Return the seconds to wait after the given number of failures in a row, 1 or more."""
    bound = min(BACKOFF_CAP, BACKOFF_BASE * (1 << min(failures - 1, _MOST_DOUBLINGS)))
    wait = max(_LEAST, draw * bound)
    if retry_after is None:
        return wait
    asked = min(retry_after, RETRY_AFTER_CAP)
    # All tills were given the same wait: spread them behind it.
    return min(float(RETRY_AFTER_CAP), max(asked + draw * max(STARTUP_SPREAD, asked * BEAT_JITTER), wait))
