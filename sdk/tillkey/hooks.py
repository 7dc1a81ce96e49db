"""Telling the host: its own hook for a verdict that changed, and the logger ``tillkey``.

1. A hook is called when what a till may do, or what its people should be told, is another than before: once for each
   change, in their order, one call at a time, whichever threads found them out.
2. It is called from a thread of its own, which ends when all is told. The verb that found a change returns when it is
   told, or after ``HOOK_PATIENCE``: a hook that blocks, or calls the client itself, holds up neither the till nor its
   background beats. What came meanwhile is told when it returns. A hook that raises harms nobody: it is logged.
3. A log line names the product, a status, a reason, an error's kind. No license key, no lease, no nonce, no address.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from typing import Any, Callable, Optional

from tillkey.errors import Refused, TillkeyError, Unreachable
from tillkey.verdict import Verdict

log = logging.getLogger("tillkey")
# Where the host has set up no logging, Python would write warnings on the standard error of its till.
log.addHandler(logging.NullHandler())


class Watch:
    """Notices when a verdict, or the error of the last exchange, is another than before; any thread may look."""

    def __init__(self, product: str, on_change: Optional[Callable[[Verdict], Any]]) -> None:
        """Take the product's code, for the log, and the host's hook."""
        self._product = product
        self._on_change = on_change
        self._told: Optional[tuple[object, ...]] = None
        self._error: Optional[str] = None
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._turn = threading.RLock()
        self._waiting: deque[Verdict] = deque()
        self._teller: Optional[threading.Thread] = None

    def see(self, check: Callable[[], Verdict], error: Optional[TillkeyError], patience: float = 0.0) -> None:
        """Look at what holds now; the first look tells, and later ones where something changed. Never raises.

        ``check`` is called in here, so that a verdict that was found earlier is never told later; ``patience`` is how
        many seconds to wait at most until the hook has returned.
        """
        if self._process != os.getpid():
            # A child of fork: the parent's lock may be held here for ever, and what waits there is the parent's to say.
            self._begin()
        kind = None if error is None else _kind(error)
        with self._turn:
            verdict = check()
            told = _what_is_told(verdict)
            changed, failed = told != self._told, kind is not None and kind != self._error
            self._told, self._error = told, kind
            teller = self._hand_over(verdict) if changed and self._on_change is not None else None
        if failed:
            log.warning("%s: %s", self._product, kind)
        if changed:
            log.info("%s: %s (%s)", self._product, verdict.status, verdict.reason)
        if teller is not None and teller is not threading.current_thread():
            teller.join(patience)

    def _hand_over(self, verdict: Verdict) -> Optional[threading.Thread]:
        """Let a change be told after those before it; return who tells it, None where no thread is to be had now."""
        self._waiting.append(verdict)
        if self._teller is None:
            teller = threading.Thread(target=self._tell, name="tillkey-hook", daemon=True)
            try:
                teller.start()
            except RuntimeError:
                # The system has no thread left, or the program ends: it is told with the next change.
                return None
            self._teller = teller
        return self._teller

    def _tell(self) -> None:
        while True:
            with self._turn:
                if not self._waiting:
                    self._teller = None
                    return
                verdict = self._waiting.popleft()
            try:
                guarded(self._on_change, verdict)
            except BaseException as error:  # noqa: BLE001 - sys.exit() in a hook would leave later changes untold
                complain(error)


def guarded(hook: Optional[Callable[[Verdict], Any]], verdict: Verdict) -> Any:
    """Call a host's hook and return what it returned; what it raises is logged and goes no further."""
    if hook is None:
        return None
    try:
        return hook(verdict)
    except Exception as error:  # noqa: BLE001 - the host's own fault must not harm its till
        complain(error)
        return None


def complain(error: BaseException) -> None:
    """Log that a hook raised: its kind, and not its message, which is the host's and may say anything."""
    log.error("a hook of the host raised %s", type(error).__name__)


def _what_is_told(verdict: Verdict) -> tuple[object, ...]:
    """Return what makes a verdict another one for the host; the times of a lease change with each heartbeat."""
    return (
        verdict.status,
        verdict.usable,
        verdict.reason,
        verdict.entitlements,
        verdict.notice,
        verdict.problems,
    )


def _kind(error: TillkeyError) -> str:
    if isinstance(error, Unreachable):
        return f"unreachable: {error.kind}"
    return f"refused: {error.code}" if isinstance(error, Refused) else type(error).__name__
