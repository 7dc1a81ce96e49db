"""What the state machine asks its driver to do, and what it comes to.

A flow of ``session`` is a generator: it yields effects, is sent their results, and returns an ``Outcome``. The driver
owns everything that is not a rule: the disk, the network, the clocks, randomness. The synchronous client is one
driver, a simulator is another.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from tillkey.state import State
from tillkey.wire.answers import Lease, Statement


@dataclass(frozen=True)
class Save:
    """Make the state durable before going on. Result: None."""

    state: State


@dataclass(frozen=True)
class Send:
    """POST a JSON body to a path of the server. Result: ``Reply`` or ``Unreached``."""

    path: str
    body: bytes


@dataclass(frozen=True)
class Fetch:
    """GET a path of the server. Result: ``Reply`` or ``Unreached``."""

    path: str


@dataclass(frozen=True)
class Sense:
    """Read the clocks. Result: ``wire.request.ClockReading``."""


@dataclass(frozen=True)
class Draw:
    """Draw random bytes from the system's source. Result: ``bytes`` of that length."""

    count: int


Effect = Union[Save, Send, Fetch, Sense, Draw]


@dataclass(frozen=True)
class Reply:
    """Bytes that came over HTTP, not yet believed. ``retry_after`` is in seconds."""

    status: int
    content_type: str
    body: bytes
    retry_after: Optional[int] = None
    date: Optional[int] = field(default=None, compare=False)


@dataclass(frozen=True)
class Unreached:
    """Nothing came, or nothing that may be read: ``kind`` as in ``errors.Unreachable``."""

    kind: str
    detail: str = ""
    retry_after: Optional[int] = None


@dataclass(frozen=True)
class Granted:
    """A lease that answers the request; ``ticket`` for a move."""

    lease: Lease
    ticket: Optional[str] = None


@dataclass(frozen=True)
class Released:
    """The signed receipt that the activation is over."""

    statement: Statement


@dataclass(frozen=True)
class Declined:
    """A no. With ``statement`` it is signed and verified; without, it is a hint that lowers nothing."""

    code: str
    clauses: tuple[str, ...] = ()
    statement: Optional[Statement] = None
    detail: str = ""
    options: tuple[str, ...] = ()
    retry_at: Optional[int] = None


@dataclass(frozen=True)
class WentBack:
    """A genuine answer whose ``seq`` is not above the held one: the server lost history (PROTOCOL section 5)."""


@dataclass(frozen=True)
class Nothing:
    """There is no activation to do this with."""


Answer = Union[Granted, Released, Declined, WentBack, Unreached]
Result = Union[Granted, Released, Declined, Unreached, Nothing]


@dataclass(frozen=True)
class Outcome:
    """How a call ended, and the state that was last saved."""

    state: State
    result: Result


Flow = Generator[Effect, Any, Outcome]
