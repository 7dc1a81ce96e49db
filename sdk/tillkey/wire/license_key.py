"""The license key that people read aloud: ``POS-7XK2M-…``.

Crockford's base32 (https://www.crockford.com/base32.html): 26 symbols hold 130 random bits, one symbol checks them
modulo 37. A value whose check would be one of ``* ~ $ = U`` is drawn again, so that a key has only digits and
letters; that costs 0.2 bits and leaves 129. The prefix tells people the product; it is not part of the key's
identity, so a mistyped one does no harm.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Callable

from tillkey.wire.errors import malformed

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BODY_SYMBOLS = 27
_RANDOM_SYMBOLS = BODY_SYMBOLS - 1
_RANDOM_BITS = 5 * _RANDOM_SYMBOLS
_RANDOM_BYTES = 17
_CHECK_MODULUS = 37
_PREFIX = re.compile(r"[A-Z0-9]{1,12}\Z")
_GROUPS = (5, 5, 5, 5, 7)
# What a human hand puts for a symbol that Crockford leaves out, after upper-casing.
_HOMOGLYPHS = str.maketrans({"O": "0", "I": "1", "L": "1"})
# What mails, chats and word processors put between and around the groups: dashes, spaces, and the invisible characters
# of writing direction, hyphenation and line breaking (general categories of Unicode), minus sign and full stop besides.
_SEPARATORS = frozenset({"Pd", "Pc", "Zs", "Zl", "Zp", "Cf", "Cc"})
_MORE_SEPARATORS = frozenset("\u2212.")


def format_key(prefix: str, random_bytes: Callable[[int], bytes]) -> str:
    """Make a license key.

    ``prefix`` is 1 to 12 of A-Z and 0-9; ``random_bytes(n)`` returns n random bytes. Raises ``WireError`` for another
    prefix.
    """
    if not _PREFIX.match(prefix):
        raise malformed("prefix", "must be 1 to 12 of A-Z and 0-9")
    value = _draw(random_bytes)
    symbols = "".join(ALPHABET[value >> shift & 31] for shift in range(_RANDOM_BITS - 5, -1, -5))
    return display(prefix, symbols + ALPHABET[value % _CHECK_MODULUS])


def display(prefix: str, body: str) -> str:
    """Group a normalized body behind its prefix."""
    groups = []
    start = 0
    for length in _GROUPS:
        groups.append(body[start : start + length])
        start += length
    return "-".join([prefix, *groups])


def normalize(text: str, field: str = "license_key") -> str:
    """Return the 27 symbols that identify a key, however it was typed (K-14).

    Case, dashes, spaces of any kind and O for 0, I and L for 1 do not matter; the prefix may be missing.
    Raises ``WireError`` where the text cannot be a key or its check symbol does not fit.
    """
    return _parts(text, field)[1]


def hint(text: str) -> str:
    """Return what may be shown of a key: its prefix where one was typed, the first four symbols and the last four."""
    prefix, body = _parts(text, "license_key")
    shown = f"{body[:4]}…{body[-4:]}"
    return f"{prefix}-{shown}" if prefix else shown


def _parts(text: str, field: str) -> tuple[str, str]:
    typed = unicodedata.normalize("NFKC", text)
    plain = "".join(symbol for symbol in typed if not _separates(symbol)).upper()
    prefix, body = plain[:-BODY_SYMBOLS], plain[-BODY_SYMBOLS:].translate(_HOMOGLYPHS)
    if len(body) != BODY_SYMBOLS or (prefix and not _PREFIX.match(prefix)):
        raise malformed(field, "is not a key: copy all of it, from the prefix to the last symbol")
    if any(symbol not in ALPHABET for symbol in body):
        raise malformed(field, "has a symbol that no key has: only digits and letters other than U")
    value = 0
    for symbol in body[:_RANDOM_SYMBOLS]:
        value = value << 5 | ALPHABET.index(symbol)
    if value % _CHECK_MODULUS != ALPHABET.index(body[-1]):
        raise malformed(field, "is mistyped somewhere: check each symbol")
    return prefix, body


def _separates(symbol: str) -> bool:
    return symbol in _MORE_SEPARATORS or unicodedata.category(symbol) in _SEPARATORS


def _draw(random_bytes: Callable[[int], bytes]) -> int:
    while True:
        value = int.from_bytes(random_bytes(_RANDOM_BYTES), "big") >> (8 * _RANDOM_BYTES - _RANDOM_BITS)
        if value % _CHECK_MODULUS < len(ALPHABET):
            return value
