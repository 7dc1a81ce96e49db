"""A till on paper: a disk, clocks and randomness of its own, and a network that a test may break."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.sdk.license_server import START, LicenseServer
from tillkey import session, trust
from tillkey.effects import Draw, Fetch, Flow, Outcome, Reply, Save, Send, Unreached
from tillkey.exchange import Exchange, Machine
from tillkey.state import State, decode, encode
from tillkey.timeline import TimeMemory
from tillkey.wire.license_key import normalize
from tillkey.wire.request import ClockReading

Network = Callable[[Send], "Reply | Unreached"]


class PowerCut(Exception):
    """The till lost power at this point."""


@dataclass
class Clock:
    """Clocks that stand still until they are moved."""

    wall: int = START
    boottime: int = 1000
    boot_id: str = "boot-1"

    def __call__(self) -> ClockReading:
        return ClockReading(self.wall, self.boottime, self.boot_id)

    def pass_time(self, seconds: int) -> None:
        self.wall += seconds
        self.boottime += seconds


@dataclass
class PaperTill:
    """One state folder: `disk` holds the bytes of the state file."""

    server: LicenseServer
    name: str = "till"
    pinned: str = ""
    disk: bytes | None = None
    clock: Clock = field(default_factory=Clock)
    saves: int = 0
    cut_before_save: int | None = None
    spare_seed: bytes | None = None

    def __post_init__(self) -> None:
        self.pinned = self.pinned or self.server.keysets[1]
        self.network: Network = lambda send: self.server.post(send.path, send.body)
        self._draws = itertools.count()

    @property
    def state(self) -> State:
        assert self.disk is not None
        return decode(self.disk)

    def activate(
        self,
        key: str,
        environment: str = "production",
        project: str | None = "Corner Shop",
        ticket: str | None = None,
    ) -> Outcome:
        ask = session.Ask(normalize(key), environment, project, None, ticket)
        return self._run(lambda way: session.activate(way, ask, spare_seed=self.spare_seed))

    def heartbeat(self) -> Outcome:
        return self._run(session.heartbeat)

    def move(self, environment: str = "production") -> Outcome:
        return self._run(lambda way: session.move(way, environment))

    def deactivate(self) -> Outcome:
        return self._run(session.deactivate)

    def _run(self, begin: Callable[[Exchange], Flow]) -> Outcome:
        pin = trust.pinned(self.pinned)
        state = decode(self.disk) if self.disk else State(self.server.product, self.server.issuer, memory=TimeMemory())
        keys = trust.resumed(pin, state.keysets)
        machine = Machine("1.0", {"hostname": self.name})
        flow = begin(Exchange(replace(state, keysets=keys.texts), keys, machine))
        result = None
        while True:
            try:
                effect = flow.send(result)
            except StopIteration as stop:
                return stop.value
            result = self._do(effect)

    def _do(self, effect: object) -> object:
        if isinstance(effect, Save):
            if self.saves == self.cut_before_save:
                raise PowerCut
            self.saves += 1
            self.disk = encode(effect.state)
            return None
        if isinstance(effect, Send):
            return self.network(effect)
        if isinstance(effect, Fetch):
            return self.server.get(effect.path)
        if isinstance(effect, Draw):
            return hashlib.sha256(f"{self.name} {next(self._draws)}".encode()).digest()[: effect.count]
        return self.clock()
