"""The till's own judgement: a pure function of lease, keys, statement, memory of time and now (PROTOCOL section 6).

===================================================  ======================  ======  =========================
what holds, first match                              status                  usable  entitlements
===================================================  ======================  ======  =========================
no lease, or one of another installation or product  ``unlicensed``          no      none
a signed statement with an ending code               its status              no      none
``use_until`` <= t                                   ``expired``             no      none
the lease's key left the newest keyset               ``degraded``            yes     the lease's ``degraded``
``exp`` <= t                                         ``degraded``            yes     the lease's ``degraded``
``soft_exp`` <= t < ``exp``                          ``grace``               yes     the lease's
``refresh_at`` <= t < ``soft_exp``                   ``refresh_due``         yes     the lease's
t < ``refresh_at``                                   ``valid``               yes     the lease's
===================================================  ======================  ======  =========================

t is the effective time of ``timeline``. The table leaves ``suspended`` and ``expired`` to the policy; a lease of
protocol version 1 carries no claim for them, so the conservative reading stands: not usable. (A vendor who lets a
shop run on through a suspension has the server withhold the statement for so long.) A statement holds until a later
signed lease replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, Optional

from tillkey.timeline import TimeMemory, effective
from tillkey.wire.answers import ENDING_CODES, Lease, Statement
from tillkey.wire.request import ClockReading

STATUSES = (
    "valid",
    "refresh_due",
    "grace",
    "degraded",
    "expired",
    "revoked",
    "superseded",
    "released",
    "suspended",
    "unlicensed",
)
"""Every value of ``Verdict.status``, from full rights to none."""

_EXPLAINED = frozenset({"state_unreadable", "check_failed"})
"""Reasons whose notice is completed by the problem itself, which names the path."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z, the end of datetime

_NOTICES: Mapping[str, str] = MappingProxyType(
    {
        "never_activated": "This till is not activated. Activate it with the license key.",
        "other_installation": "The stored license is another installation's. Activate this till with its own key.",
        "other_product": "The stored license is for another product. Activate this till with its own license key.",
        "lease_unreadable": "The stored license cannot be verified with the pinned keyset, which is of another server "
        "or too new for it. Connect to the internet, or give the program the keyset of the license's server.",
        "keyset_mismatch": "The pinned keyset is of another server than the stored license. Give the program the "
        "keyset of the license's server, or a state folder of its own.",
        "state_damaged": "The stored license is damaged. Activate this till again with its license key.",
        "state_unreadable": "The state folder cannot be read",
        "check_failed": "The license cannot be judged",
        "lease_ended": "Extras are off: the license server was not reached for too long. Connect to the internet.",
        "key_withdrawn": "Extras are off: the key that signed this license was withdrawn. Connect to the internet.",
        "term_ended": "The license has run out. Renew it.",
        "license_revoked": "The license was revoked. Ask the vendor's support.",
        "license_terminated": "The license was terminated. Ask the vendor's support.",
        "license_expired": "The license has run out. Renew it.",
        "activation_superseded": "Another installation holds the license now.",
        "activation_released": "The license was freed from this till. Activate it again with the license key.",
        "account_suspended": "The account is suspended. Ask the vendor's support.",
        "license_suspended": "The license is suspended. Ask the vendor's support.",
        "legal_hold": "The license is on hold. Ask the vendor's support.",
    }
)


@dataclass(frozen=True)
class Evidence:
    """What the judge looks at: documents that were verified when they were read.

    ``lease_key_held`` tells whether the lease's key is in the newest keyset; ``unreadable`` that a lease is stored
    which no trusted keyset verifies; ``jkt`` names this installation's key; ``project`` is the name that the person
    gave. ``fault`` tells why there is no lease although one may be stored: ``keyset_mismatch``, ``other_product``,
    ``state_damaged``, ``state_unreadable`` or ``check_failed``; ``problems`` then ends with the sentence about it.
    """

    product: str
    jkt: Optional[str] = None
    lease: Optional[Lease] = None
    lease_key_held: bool = True
    unreadable: bool = False
    statement: Optional[Statement] = None
    project: Optional[str] = None
    problems: tuple[str, ...] = ()
    fault: Optional[str] = None


@dataclass(frozen=True)
class Verdict:
    """What a till may do now.

    ``status`` is one of ``STATUSES``; ``usable`` whether to sell; ``reason`` a code for machines; ``notice`` a
    sentence for people or ""; ``entitlements`` the rights that hold now. ``lease_ends_at`` (full rights without the
    server), ``support_until``, ``updates_until``, ``use_until`` and ``as_of`` (the effective time) are aware UTC
    datetimes; None means no end or not known. ``activated`` tells whether this installation holds an activation;
    ``clock_suspect`` that the machine's clock contradicts what is known; ``problems`` what went wrong with the stored
    state, as sentences.
    """

    status: str
    usable: bool
    reason: str
    entitlements: tuple[str, ...]
    lease_ends_at: Optional[datetime]
    support_until: Optional[datetime]
    updates_until: Optional[datetime]
    use_until: Optional[datetime]
    activated: bool
    activation: Optional[str]
    license: Optional[str]
    project: Optional[str]
    environment: Optional[str]
    notice: str
    clock_suspect: bool
    as_of: datetime
    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-able values; times as ISO 8601 with ``Z``."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def judge(evidence: Evidence, memory: TimeMemory, reading: ClockReading) -> Verdict:
    """Say what the till may do at a reading of its clocks.

    Never raises for evidence whose documents were opened by ``wire``.
    """
    now = effective(memory, reading)
    status, usable, reason = _decide(evidence, now.time)
    lease = evidence.lease if status != "unlicensed" else None
    if lease is None or not usable:
        entitlements: tuple[str, ...] = ()
    else:
        entitlements = lease.degraded if status == "degraded" else lease.entitlements
    return Verdict(
        status=status,
        usable=usable,
        reason=reason,
        entitlements=entitlements,
        lease_ends_at=_moment(lease.exp) if lease else None,
        support_until=_moment(lease.support_until) if lease else None,
        updates_until=_moment(lease.updates_until) if lease else None,
        use_until=_moment(lease.use_until) if lease else None,
        activated=lease is not None and status not in {"superseded", "released"},
        activation=lease.sub if lease else None,
        license=lease.license if lease else None,
        project=(evidence.project or lease.project) if lease else None,
        environment=lease.environment if lease else None,
        notice=_notice(status, reason, lease, evidence.problems),
        clock_suspect=now.clock_suspect,
        as_of=_at(now.time),
        problems=evidence.problems,
    )


def _decide(evidence: Evidence, now: int) -> tuple[str, bool, str]:
    """Return status, usable and reason: the first row of the module's table that matches."""
    lease = evidence.lease
    if lease is None:
        return "unlicensed", False, "lease_unreadable" if evidence.unreadable else evidence.fault or "never_activated"
    if lease.jkt != evidence.jkt:
        return "unlicensed", False, "other_installation"
    if lease.aud != evidence.product:
        return "unlicensed", False, "other_product"
    statement = evidence.statement
    if statement is not None and statement.code in ENDING_CODES:
        return ENDING_CODES[statement.code], False, statement.code
    if lease.use_until is not None and lease.use_until <= now:
        return "expired", False, "term_ended"
    if not evidence.lease_key_held:
        return "degraded", True, "key_withdrawn"
    return _by_age(lease, now)


def _by_age(lease: Lease, now: int) -> tuple[str, bool, str]:
    if lease.exp <= now:
        return "degraded", True, "lease_ended"
    if lease.soft_exp <= now:
        return "grace", True, "server_not_reached"
    if lease.refresh_at <= now:
        return "refresh_due", True, "refresh_due"
    return "valid", True, "lease_valid"


def _notice(status: str, reason: str, lease: Optional[Lease], problems: tuple[str, ...]) -> str:
    if status == "grace" and lease is not None:
        day = _at(lease.exp).date().isoformat()
        return f"The license server has not been reached for a while. Connect this till to the internet before {day}."
    notice = _NOTICES.get(reason, "")
    if reason in _EXPLAINED:
        return ": ".join((notice, *problems[-1:])).rstrip(".") + "."
    return notice


def _at(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=min(seconds, _LAST_SECOND))


def _moment(seconds: Optional[int]) -> Optional[datetime]:
    return None if seconds is None else _at(seconds)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return list(value) if isinstance(value, tuple) else value
