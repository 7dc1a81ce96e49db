"""What the cashier sees of the license: a status line, and a notice where there is something to do."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta

from tillkey import Verdict

from .licensing import LOYALTY

_LAMP = {"valid": "32", "refresh_due": "32", "grace": "33", "degraded": "33"}
_RED = "31"


def color_wanted() -> bool:
    """Tell whether standard output is a terminal that takes color (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, sgr: str) -> str:
    """Return the text in an ANSI color, or as it is where none is wanted."""
    return f"\x1b[{sgr}m{text}\x1b[0m" if color_wanted() else text


def status_line(verdict: Verdict) -> str:
    """Return the license state on one line: status, where, dates, extras."""
    parts = [f"license {verdict.status}"]
    if verdict.environment and verdict.project:
        parts.append(f"{verdict.environment} of {verdict.project}")
    if verdict.usable:
        parts += [_full_rights(verdict), f"extras {'on: loyalty' if LOYALTY in verdict.entitlements else 'off'}"]
    else:
        parts.append(verdict.reason)
    return f"[{paint('#', _LAMP.get(verdict.status, _RED))}] " + " | ".join(parts)


def screen(verdict: Verdict) -> str:
    """Return the status line and, below it, what a person should know."""
    lines = [status_line(verdict)]
    if verdict.notice:
        lines.append(f"    {verdict.notice}")
    if verdict.clock_suspect:
        lines.append("    This machine's clock looks wrong. Selling goes on; set it when you can.")
    lines += [f"    {problem}" for problem in verdict.problems]
    return "\n".join(lines)


def support_line(verdict: Verdict) -> str:
    """Return until when the vendor supports this till; the bound is the first instant that is not covered any more."""
    if verdict.support_until is None:
        return "support: ask your vendor"
    return f"support until {_day(verdict.support_until - timedelta(seconds=1))}"


def _full_rights(verdict: Verdict) -> str:
    if verdict.lease_ends_at is None:
        return "full rights"
    word = "ended" if verdict.lease_ends_at <= verdict.as_of else "until"
    return f"full rights {word} {_day(verdict.lease_ends_at)}"


def _day(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d}"
