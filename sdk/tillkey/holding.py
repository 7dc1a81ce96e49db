"""What a till holds, in memory: the state as it was last read or saved, and the judge's answer to it.

This is all that ``check()`` needs. What talks to the server (``driver`` and everything behind it) is imported with
the first request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

from tillkey import platform, trust
from tillkey.errors import StateError, TillkeyError
from tillkey.state import State
from tillkey.storage import StateFolder
from tillkey.timeline import TimeMemory, merge, observe
from tillkey.verdict import Evidence, Verdict, judge
from tillkey.wire.keys import PrivateKey
from tillkey.wire.request import ClockReading


@dataclass
class Snapshot:
    """A state with its documents opened; ``memory`` goes on with each look at the clock, ``stamp`` is the file's."""

    state: State
    evidence: Evidence
    memory: TimeMemory
    stamp: tuple[int, ...]


class Holding:
    """One product's state on this till. Threads replace the snapshot whole, so reading it needs no lock."""

    def __init__(self, folder: StateFolder, pin: trust.Trust, product: str, clock: Callable[[], ClockReading]) -> None:
        """Take the state folder, the pinned keyset, the product's code and the clocks."""
        self.folder = folder
        self.clock = clock
        self.issuer = pin.newest.issuer
        self.product = product
        self.snapshot: Optional[Snapshot] = None
        self._pin = pin
        self._problems: tuple[str, ...] = ()
        self._fault: Optional[str] = None

    def check(self) -> Verdict:
        """Judge what is held, from memory; the file is read the first time. Never raises."""
        try:
            reading = self.clock()
            snapshot = self.snapshot or self.look()
            snapshot.memory = observe(snapshot.memory, reading)
            return judge(snapshot.evidence, snapshot.memory, reading)
        except Exception as error:  # noqa: BLE001 - check() never raises; the host learns of it in .problems
            problem = str(error) if isinstance(error, TillkeyError) else f"{type(error).__name__}: {error}"
            fault = "state_unreadable" if isinstance(error, StateError) else "check_failed"
            evidence = Evidence(self.product, problems=(*self._problems, problem), fault=fault)
            return judge(evidence, TimeMemory(), platform.read_clock())

    def look(self) -> Snapshot:
        """Read the file, without the lock and without changing anything."""
        return self.remember(*self.read(tidy=False))

    def refresh(self) -> None:
        """Read the file again where another process has written it; raises ``StateError``."""
        before = self.snapshot
        if before is None or before.stamp != self.folder.stamp():
            fresh = self.look()
            if before is not None:
                fresh.memory = merge(fresh.memory, before.memory)

    def read(self, *, tidy: bool) -> tuple[State, trust.Trust]:
        """Read the file and walk its keysets; ``tidy``, under the lock alone, sets damaged files aside."""
        loaded = self.folder.load()
        if tidy:
            self.folder.set_aside(loaded)
        self._fault = loaded.fault
        self._problems = tuple(dict.fromkeys((*self._problems, *loaded.problems)))
        state = loaded.state or State(self.product, self.issuer)
        return state, trust.resumed(self._pin, state.keysets)

    def remember(self, state: State, keys: trust.Trust) -> Snapshot:
        """Open a state's documents and keep them as what ``check()`` judges."""
        stamp = self.folder.stamp()
        held = trust.held_lease(keys, state.lease)
        lease, current = held or (None, True)
        evidence = Evidence(
            product=self.product,
            jkt=PrivateKey.from_seed(state.seed).public.thumbprint if state.seed else None,
            lease=lease,
            lease_key_held=current,
            unreadable=state.lease is not None and lease is None,
            statement=trust.held_statement(keys, state.statement),
            project=state.project,
            problems=self._problems,
            fault=self._fault,
        )
        self.snapshot = Snapshot(state, evidence, state.memory, stamp)
        return self.snapshot
