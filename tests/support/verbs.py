"""What a till asks of its server, each verb by itself, and what must hold when its answer does not come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.proxy import Deed
from tests.support.server import IssuedKey
from tests.support.shop import PROJECT, Machine, picture, sells
from tillkey import LicenseClient, Unreachable


@dataclass(frozen=True)
class Verb:
    """How to ask, whether an activation must come before, and how many steps of the chain it takes."""

    ask: Callable[[LicenseClient, IssuedKey], object]
    after_activation: bool
    steps: int

    def ready(self, machine: Machine, sold: IssuedKey) -> LicenseClient:
        """Start a till and bring it to where the verb makes sense."""
        return machine.activated(sold, environment="staging") if self.after_activation else machine.till()


VERBS = {
    "activate": Verb(lambda till, sold: till.activate(sold.license_key, project=PROJECT), False, 1),
    "heartbeat": Verb(lambda till, sold: till.heartbeat(), True, 1),
    "move": Verb(lambda till, sold: till.move_ticket("production"), True, 1),
    "deactivate": Verb(lambda till, sold: till.deactivate(), True, 0),
}


def missed(machine: Machine, till: LicenseClient, sold: IssuedKey, verb: Verb, deed: Deed) -> Unreachable:
    """Ask while the line does something: the till hears nothing that it believes, and holds what it held."""
    before, rights = picture(till.check()), machine.rights()
    machine.line.next(deed)
    with pytest.raises(Unreachable) as unreachable:
        verb.ask(till, sold)
    assert picture(till.check()) == before
    assert machine.rights() == rights
    assert sells(till.check()) is verb.after_activation
    return unreachable.value


def retried(machine: Machine, sold: IssuedKey, verb: Verb, seq: int) -> None:
    """Ask again, by the program started anew: the same request, which ends in one step and one activation."""
    verb.ask(machine.till(), sold)
    assert machine.line.rids[-2] == machine.line.rids[-1]
    assert machine.line.ops[-2] == machine.line.ops[-1]
    assert machine.seq == seq + verb.steps
    verdict = machine.till().check()
    told = machine.shop.explained(sold)
    if verb.steps:
        assert sells(verdict)
        assert told.seats == [(verdict.activation, "active")]
    else:
        assert (verdict.status, verdict.usable) == ("released", False)
        assert told.seats == [(verdict.activation, "released")]
    assert told.suspicions == (0, 0)
