"""Pages of a list: how a caller names the next one, and what a page looks like.

A caller gets `next` with a page and gives it back as `after`: the key of the last row where a list is in the order of
its keys, and an opaque word for any other order. A word of another order is refused, since it names no place in this.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String

from tillkey_server.clock import from_epoch, to_epoch
from tillkey_server.errors import BadInput
from tillkey_server.store.columns import Instant
from tillkey_server.store.paging import BY_KEY, Paging, Place, Sort

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
MAX_WORD = 16 * 1024
"""Characters: a name of 200 comes to six thousand bytes where its letters are written out, as U+FDFA is."""
_NO_PLACE = "names no place in this list: give the `next` of its last page, or leave it out"
_TIME, _TEXT, _NUMBER = "t", "s", "n"
_KINDS = ((Instant, _TIME), (String, _TEXT), (Integer, _NUMBER))


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, and the word for the page that comes after them; None on the last page."""

    items: tuple[dict[str, object], ...]
    next: str | None


def paging_of(
    *,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    sorts: Mapping[str, Sort] | None = None,
    number_keys: bool = False,
) -> Paging:
    """Read which page is wanted.

    In: `sort` is one of `sorts` or `id`, with `-` before it for the reverse; `limit` 1 to 200. Raises BadInput, naming
    the field.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise BadInput("limit", f"must be from 1 to {MAX_LIMIT}")
    named = sort or BY_KEY
    name = named.removeprefix("-")
    orders = sorts or {}
    if name not in {BY_KEY, *orders}:
        raise BadInput(
            "sort", f"must be one of {', '.join([BY_KEY, *sorted(orders)])}, with - before it for the reverse"
        )
    place = None if after is None else _place(after, name, orders.get(name), number_keys=number_keys)
    return Paging(limit, name, named.startswith("-"), place)


def page_of(
    found: Sequence[Any],
    paging: Paging,
    *,
    show: Callable[[Any], dict[str, object]],
    key: Callable[[Any], UUID | int],
    sorts: Mapping[str, Sort] | None = None,
) -> Page:
    """Return the page made of fetched rows, of which there may be one more than the page holds."""
    kept = found[: paging.limit]
    more = len(found) > paging.limit
    word = None
    if more:
        value = None if paging.sort == BY_KEY else (sorts or {})[paging.sort].of(kept[-1])
        word = _word(paging.sort, Place(key(kept[-1]), value))
    return Page(tuple(show(row) for row in kept), word)


def _word(sort: str, place: Place) -> str:
    if sort == BY_KEY:
        return str(place.key)
    text = json.dumps([sort, *_told(place.value), str(place.key)], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")


def _told(value: Any) -> tuple[str, str | int]:
    if isinstance(value, datetime):
        return _TIME, to_epoch(value)
    return (_NUMBER, value) if isinstance(value, int) else (_TEXT, str(value))


def _place(word: str, name: str, sort: Sort | None, *, number_keys: bool) -> Place:
    """Read a word. Raises BadInput for one that was not given with a page of this order; `sort` None: of the keys'."""
    try:
        if sort is None:
            return Place(_key(word, number_keys=number_keys))
        named, kind, value, key = _opened(word)
        found = Place(_key(key, number_keys=number_keys), _value(kind, value))
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise BadInput("after", _NO_PLACE) from error
    # Anybody can write a word: one of another column's kind is a statement that no database understands.
    if named != name or kind != _kind_of(sort):
        raise BadInput("after", _NO_PLACE)
    return found


def _kind_of(sort: Sort) -> str:
    """Return which kind of value stands in an order's column."""
    return next(kind for held, kind in _KINDS if isinstance(sort.column.type, held))


def _opened(word: str) -> Any:
    """Return what stands in an opaque word; ValueError for anything else."""
    padded = word[:MAX_WORD] + "=" * (-len(word) % 4)
    return json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))


def _key(text: object, *, number_keys: bool) -> UUID | int:
    if not isinstance(text, str):
        raise ValueError(text)  # noqa: TRY004 - what was forged is a wrong value, not a wrong call
    if not number_keys:
        return UUID(text)
    if not (text.isascii() and text.isdigit() and len(text) < len(str(2**63))):
        raise ValueError(text)
    return int(text)


def _value(kind: object, value: Any) -> Any:
    """Return the value of a place; ValueError for what no column could hold."""
    if kind == _TEXT and isinstance(value, str) and "\0" not in value:
        value.encode()
        return value
    if kind in {_TIME, _NUMBER} and type(value) is int and abs(value) < 2**53:
        return from_epoch(value) if kind == _TIME else value
    raise ValueError(kind)
