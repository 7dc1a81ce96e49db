"""What a valid request is made of, and the shelf on which its objects stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.house import House


@dataclass(frozen=True)
class Example:
    """A valid request of one endpoint.

    `path` fills the places of its address with an object of the shelf's customer and product; `missing` fills them
    with what is not there. `concerns` tells what the object belongs to: a caller limited to another `customer` or
    another `product` must be told that there is none.
    """

    path: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    query: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    concerns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shelf:
    """A house, and whose things are made in it."""

    house: House
    customer: str = "owner@shop.example"
    product: str = "pos-core"


Make = Callable[[Shelf], Awaitable[Example]]

NOBODY = "00000000-0000-7000-8000-000000000000"
"""An id that nothing has."""
