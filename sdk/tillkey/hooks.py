"""Telling the host: its own hook for a verdict that changed, and the logger ``tillkey``.

1. A hook is called when what a till may do, or what its people should be told, is another than before; from the thread
   that found it out. A hook that raises harms nobody: it is logged.
2. A log line names the product, a status, a reason, an error's kind. No license key, no lease, no nonce, no address.
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Optional

from tillkey.errors import Refused, TillkeyError, Unreachable
from tillkey.verdict import Verdict

log = logging.getLogger("tillkey")


class Watch:
    """Notices when a verdict, or the error of the last exchange, is another than before."""

    def __init__(self, product: str, on_change: Optional[Callable[[Verdict], Any]]) -> None:
        """Take the product's code, for the log, and the host's hook."""
        self._product = product
        self._on_change = on_change
        self._told: Optional[tuple[object, ...]] = None
        self._error: Optional[str] = None

    def see(self, verdict: Verdict, error: Optional[TillkeyError]) -> None:
        """Look at what holds now; the first look tells, and later ones where something changed. Never raises."""
        self._see_error(error)
        told = (verdict.status, verdict.usable, verdict.reason, verdict.entitlements, verdict.notice, verdict.problems)
        if told == self._told:
            return
        self._told = told
        log.info("%s: %s (%s)", self._product, verdict.status, verdict.reason)
        guarded(self._on_change, verdict)

    def _see_error(self, error: Optional[TillkeyError]) -> None:
        kind = None if error is None else _kind(error)
        if kind != self._error and kind is not None:
            log.warning("%s: %s", self._product, kind)
        self._error = kind


def guarded(hook: Optional[Callable[[Verdict], Any]], verdict: Verdict) -> Any:
    """Call a host's hook and return what it returned; what it raises is logged and goes no further."""
    if hook is None:
        return None
    try:
        return hook(verdict)
    except Exception as error:  # noqa: BLE001 - the host's own fault must not harm its till
        complain(error)
        return None


def complain(error: Exception) -> None:
    """Log that a hook raised: its kind, and not its message, which is the host's and may say anything."""
    log.error("a hook of the host raised %s", type(error).__name__)


def _kind(error: TillkeyError) -> str:
    if isinstance(error, Unreachable):
        return f"unreachable: {error.kind}"
    return f"refused: {error.code}" if isinstance(error, Refused) else type(error).__name__
