"""The terms that a fake license is sold under: those values of a policy that a till can notice.

The defaults are the plain default policy's. A vendor whose policy differs gives the values that do:
``Terms(staging_exempt=True, soft=timedelta(days=3))``. Dates are counted in UTC.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Optional

PRODUCTION = "production"
AFTER_PRODUCTION = "permanent_after_production"
FROM_FIRST = "permanent_from_first_activation"
WHILE_ACTIVE = "while_active"
_BINDINGS = (AFTER_PRODUCTION, FROM_FIRST, WHILE_ACTIVE)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Terms:
    """What a policy says that a till can notice; the names are those of the policy file's keys where it has them.

    ``staging_exempt``: staging and development have a seat of their own. ``project_binding``: what ties a license to a
    project for good, ``permanent_after_production``, ``permanent_from_first_activation`` or ``while_active``.
    ``heartbeat_every``, ``soft`` (the notice), ``full`` (the end of full rights) and ``full_while_refundable`` count
    from the lease. ``use_months`` 0 is a perpetual right; ``support_months`` and ``updates_months`` None have no end.
    ``takeover_threshold`` equal fingerprint components, ``takeover_required`` among them, are the same machine set up
    afresh, ``takeover_limit`` times in ``takeover_window``. ``granted`` are the entitlements, ``degraded`` those left
    after ``full``.

    Raises ``ValueError`` for a binding that there is not.
    """

    name: str = "default"
    version: int = 3
    staging_exempt: bool = False
    project_binding: str = AFTER_PRODUCTION
    require_project: bool = True
    heartbeat_every: timedelta = timedelta(hours=6)
    soft: timedelta = timedelta(days=7)
    full: timedelta = timedelta(days=30)
    full_while_refundable: timedelta = timedelta(days=10)
    use_months: int = 0
    support_months: Optional[int] = 12
    updates_months: Optional[int] = 12
    refund_days: Optional[int] = 30
    ticket_lifetime: timedelta = timedelta(hours=24)
    takeover_threshold: int = 3
    takeover_required: tuple[str, ...] = ("location",)
    takeover_limit: int = 3
    takeover_window: timedelta = timedelta(days=30)
    granted: tuple[str, ...] = ("sell", "reports", "loyalty")
    degraded: tuple[str, ...] = ("sell",)

    def __post_init__(self) -> None:
        """Check the one value that is a word."""
        if self.project_binding not in _BINDINGS:
            raise ValueError(f"project_binding: {self.project_binding!r} is none; use one of {', '.join(_BINDINGS)}")

    def slot_of(self, environment: str) -> str:
        """Return the seat that an environment takes: a second one where staging is exempt."""
        return "staging" if self.staging_exempt and environment != PRODUCTION else "main"

    def binds(self, environment: str) -> bool:
        """Tell whether an activation in this environment ties a license to its project for good."""
        if self.project_binding == AFTER_PRODUCTION:
            return environment == PRODUCTION
        return self.project_binding == FROM_FIRST

    def same_machine(self, held: Mapping[str, str], offered: Mapping[str, str]) -> bool:
        """Tell whether two fingerprints are one machine (X-06, NX-49)."""
        equal = {name for name, value in held.items() if offered.get(name) == value}
        return len(equal) >= self.takeover_threshold and equal.issuperset(self.takeover_required)


def seconds_of(span: timedelta) -> int:
    """Return a duration in whole seconds."""
    return span // timedelta(seconds=1)


def months_end(start: int, months: Optional[int]) -> Optional[int]:
    """Return the exclusive end of a term of whole months, epoch seconds: the day after its last day (K-05, K-06).

    0 months are over at once; None has no end.
    """
    if not months:
        return None if months is None else start
    begun = _EPOCH + timedelta(seconds=start)
    year, month0 = divmod(begun.year * 12 + begun.month - 1 + months, 12)
    day = min(begun.day, monthrange(year, month0 + 1)[1])
    return _seconds(datetime(year, month0 + 1, day, tzinfo=timezone.utc) + timedelta(days=1))


def days_end(start: int, days: Optional[int]) -> Optional[int]:
    """Return the exclusive end of a window in which the day of ``start`` is day 0 (K-03)."""
    if not days:
        return None if days is None else start
    midnight = (_EPOCH + timedelta(seconds=start)).replace(hour=0, minute=0, second=0)
    return _seconds(midnight + timedelta(days=days + 1))


def _seconds(moment: datetime) -> int:
    return seconds_of(moment - _EPOCH)
