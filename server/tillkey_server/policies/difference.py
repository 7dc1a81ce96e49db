"""What differs between two policies, key by key, as a vendor reads it before new terms are published (K-09)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One key with another value; None where a policy does not have the key. Values are as in JSON."""

    key: str
    before: object
    after: object


def differences(before: str, after: str) -> tuple[Change, ...]:
    """Return the keys in which two valid policies differ, by their texts; comments and order do not count."""
    old, new = dict(_flat(tomllib.loads(before))), dict(_flat(tomllib.loads(after)))
    keys = [*old, *(key for key in new if key not in old)]
    return tuple(Change(key, old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _plain(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: dates and times of day as texts, wherever they stand."""
    match value:
        case date() | time():
            return value.isoformat()
        case list():
            return [_plain(one) for one in value]
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case _:
            return value
