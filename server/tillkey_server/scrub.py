"""Takes what looks like a secret out of a text that leaves the process: the last guard behind care (invariant I16).

It knows secrets by their look, since a log line's author cannot be trusted to know all of them:

1. License keys and move tickets, however typed: in groups or in one piece, in any case.
2. API keys, bearer tokens, JWS, and any other opaque token of 22 symbols or more: nonces, `rid`s, peppers in base64
   or hexadecimal. Words, class names and UUIDs are none.
3. E-mail addresses, also with the `@` written `%40` or as an escape of JSON.
4. Passwords in addresses, and whatever stands behind a name that says that it is secret.
5. A text in base64, hexadecimal or percent-encoding is of one of these kinds when it is opaque or what it says is.

It may take out too much, never too little: what a person must find again is a UUID or a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

REDACTED = "[redacted]"

_SYMBOL = "[0-9A-Za-z]"
_BETWEEN = r"[\s\-._\u00ad\u00a0\u2000-\u200f\u2010-\u2015\u2028\u2029\u202f\u2060\u2212\ufeff]{1,3}"
_GROUPED = re.compile(
    rf"(?<!{_SYMBOL})(?:[0-9A-Za-z]{{1,12}}{_BETWEEN})?(?:{_SYMBOL}{{5}}{_BETWEEN}){{4}}{_SYMBOL}{{7}}(?!{_SYMBOL})"
)
_WHOLE = re.compile(rf"(?<!{_SYMBOL})(?=[A-Za-z]*[0-9]){_SYMBOL}{{27}}(?!{_SYMBOL})")
_JWS = re.compile(r"eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){0,2}")
_API_KEY = re.compile(r"tks_[A-Za-z0-9_-]{8,}", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer|basic)\s+[^\s\"',]+", re.IGNORECASE)
_PASSWORD_IN_ADDRESS = re.compile(r"(://[^\s/:@]*):[^\s/]+@")
_NAMED = re.compile(
    r"((?:password|passphrase|pepper|secret|authorization|license_key|api_key|nonce|ticket)[\"']?\s*[=:]\s*[\"']?)"
    r"(?!\[)[^\s\"',&;]+",
    re.IGNORECASE,
)
_EMAIL = re.compile(
    r"[^\s@<>\"'(),:;=/\\\[\]]+(?:@|%40|\\u0040)[^\s@<>\"'(),:;=/\\]*[^\s@<>\"'(),:;=/\\.]", re.IGNORECASE
)
# A setting's name before its value, `TILLKEY_STRICT_SQLITE=1`, is no padded base64.
_PADDED = re.compile(r"(?<![A-Za-z0-9+/_-])(?!TILLKEY_[A-Z_]+=(?!=))[A-Za-z0-9+/_-]{20,}={1,2}")
_PLAIN_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])(?=[A-Za-z0-9/]*\+)[A-Za-z0-9+/]{22,}(?![A-Za-z0-9+/])")
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{22,}")
_PERCENT = re.compile(r"[^\s\"'<>]*%[0-9A-Fa-f]{2}[^\s\"'<>]*")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"[0-9a-f]{32,}", re.IGNORECASE)
# Names of functions, settings and classes. Of random tokens of 22 symbols one in 100,000 looks like one of these.
_WORD = re.compile(r"[_-]*(?:[a-z][a-z0-9]*(?:[_-]+[a-z0-9]+)*|[A-Z]+(?:_[A-Z]+)+|(?:[A-Z]+[a-z]{2,})+)[_-]*")
_SECRET_NAMES = re.compile(
    r"password|passphrase|pepper|secret|authorization|license_?key|api_?key|nonce|\brid\b|ticket|e_?mail|cookie",
    re.IGNORECASE,
)


def text(given: str) -> str:
    """Return the text with every secret replaced by `[redacted]`."""
    found = _PERCENT.sub(_percent, given)
    found = _PASSWORD_IN_ADDRESS.sub(rf"\1:{REDACTED}@", found)
    found = _BEARER.sub(rf"\1 {REDACTED}", found)
    found = _NAMED.sub(rf"\1{REDACTED}", found)
    for pattern in (_JWS, _API_KEY, _GROUPED, _WHOLE, _EMAIL, _PADDED, _PLAIN_BASE64):
        found = pattern.sub(REDACTED, found)
    return _OPAQUE.sub(_opaque, found)


def value(given: object) -> object:
    """Return a value as JSON knows it, scrubbed to its depths; what JSON does not know becomes its text."""
    if given is None or isinstance(given, (bool, int, float)):
        return given
    if isinstance(given, Mapping):
        return members(given)
    if isinstance(given, (list, tuple, set, frozenset)):
        return [value(one) for one in given]
    if isinstance(given, (bytes, bytearray)):
        return REDACTED
    return text(str(given))


def members(given: Mapping[Any, object]) -> dict[str, object]:
    """Return named values scrubbed; a name that says that its value is secret is believed."""
    return {
        text(str(name)): REDACTED if _SECRET_NAMES.search(str(name)) and one is not None else value(one)
        for name, one in given.items()
    }


def _percent(found: re.Match[str]) -> str:
    """Redact a percent-encoded run where what it says is secret."""
    said = unquote(found[0])
    return found[0] if said == found[0] or text(said) == said else REDACTED


def _opaque(found: re.Match[str]) -> str:
    """Redact a long run of symbols, but for UUIDs and words."""
    run = found[0]
    rest = _UUID.sub("", run)
    if rest != run:
        # A UUID with words around it, as in `urn-<uuid>`; what is left is judged by itself.
        return run if len(rest) < len("1234567890123456789012") else _OPAQUE.sub(_opaque, rest)
    if _WORD.fullmatch(run) and not _HEXADECIMAL.search(run):
        return run
    return REDACTED
