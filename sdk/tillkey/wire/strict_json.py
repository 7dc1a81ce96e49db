"""JSON without what two parsers read differently (RFC 8259 section 4, RFC 8725 section 2.4).

Refused: duplicate names, NaN and infinities, NUL and lone surrogates in any string, integers of 2^53 or more, depth
over the limit, anything that is not UTF-8, and text over the limit in bytes. The limits hold inside unknown members
too.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, Union

from tillkey.wire.errors import WireError, malformed

MAX_BYTES = 16 * 1024
MAX_DEPTH = 8
MAX_INTEGER = 2**53 - 1
_INTEGER_DIGITS = 17
# A string, closed or not, is one piece, so that the brackets in it do not count.
_PIECE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_FOREIGN = re.compile(r"[\x00\ud800-\udfff]")


def loads(
    text: Union[str, bytes],
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    field: str = "body",
) -> Any:
    """Parse one JSON value.

    ``max_bytes`` bounds the UTF-8 length, ``max_depth`` counts containers, the outermost being 1.
    Raises ``WireError``: ``too_large`` over the length, ``malformed`` for everything else.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > max_bytes:
        raise WireError("too_large", field, f"is over {max_bytes} bytes")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed(field, "is not UTF-8") from error
    _check_depth(decoded, max_depth, field)
    try:
        value = json.loads(
            decoded,
            object_pairs_hook=lambda pairs: _object(pairs, field),
            parse_int=lambda digits: _integer(digits, field),
            parse_float=lambda digits: _float(digits, field),
            parse_constant=lambda name: _constant(name, field),
        )
        # UTF-8 has no surrogates and JSON no bare NUL: only an escape can have made one.
        if "\\u" in decoded:
            _check_strings(value, field)
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise malformed(field, "is not JSON") from error
    return value


def dumps(value: Any, field: str = "document") -> bytes:
    """Serialise to compact UTF-8 with sorted names; used to make a document, never to check one.

    Raises ``WireError`` for what ``loads`` would refuse whatever the length: nobody could read the document.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
        raw = text.encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise malformed(field, "has a number, a string or a depth that JSON cannot carry") from error
    loads(raw, max_bytes=len(raw), field=field)
    return raw


def _check_depth(text: str, limit: int, field: str) -> None:
    # Counted before parsing: the parser itself would recurse once for each bracket.
    if text.count("[") + text.count("{") <= limit:
        return
    depth = 0
    for piece in _PIECE.findall(text):
        if piece in {"[", "{"}:
            depth += 1
            if depth > limit:
                raise malformed(field, f"is nested deeper than {limit}")
        elif piece in {"]", "}"}:
            depth -= 1


def _object(pairs: list[tuple[str, Any]], field: str) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise malformed(field, "has a name twice")
    return members


def _integer(digits: str, field: str) -> int:
    if len(digits) > _INTEGER_DIGITS or abs(int(digits)) > MAX_INTEGER:
        raise malformed(field, "has an integer of 2^53 or more")
    return int(digits)


def _float(digits: str, field: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        raise malformed(field, "has a number without a finite value")
    return value


def _constant(name: str, field: str) -> NoReturn:
    raise malformed(field, f"has {name}, which is not JSON")


def _check_strings(value: Any, field: str) -> None:
    if isinstance(value, str):
        if _FOREIGN.search(value):
            raise malformed(field, "has a NUL or a lone surrogate in a string")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_strings(name, field)
            _check_strings(member, field)
    elif isinstance(value, list):
        for member in value:
            _check_strings(member, field)
