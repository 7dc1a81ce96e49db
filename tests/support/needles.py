"""Secrets, every encoding that they travel in, and the search for them in what a test run leaves behind.

A run issues tens of thousands of secrets and leaves tens of megabytes: each encoding is filed under its first `WINDOW`
symbols, and each different word of what is left is looked up at every position, once.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

WINDOW = 12
_LEAST_DIFFERENT = 7
_SHORTEST_EMAIL = 10
_WORD = re.compile(r"[A-Za-z0-9_+/=%\\@.!#$&'*{|}~^`?-]{12,}")
# An address of a machine, as in a database's URL, is no mail box: the last label is a word.
_EMAIL = re.compile(r"[\w.+'-]+(?:@|%40|\\u0040)[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
_STARTS = (0, 2, 3)

LICENSE_KEY = "license key or ticket"
API_KEY = "API key"
PEPPER = "pepper"
NONCE = "nonce"
EMAIL = "e-mail address"


def encodings(kind: str, secret: str) -> Iterator[str]:
    """Return the texts that a secret travels as."""
    plain = {secret}
    if kind == LICENSE_KEY:
        body = "".join(secret.split("-")[1:]) or secret
        plain |= {body, secret.partition("-")[2]}
    if kind != NONCE:
        plain |= {text.lower() for text in plain} | {text.upper() for text in plain}
    for text in plain:
        yield text
        yield from _base64(text.encode())
        if kind != NONCE:
            yield text.encode().hex()
            yield text.encode().hex().upper()
            yield quote(text, safe="")
            yield json.dumps(text)[1:-1].replace("@", "\\u0040")


def of_bytes(secret: bytes) -> Iterator[str]:
    """Return the texts that a binary secret travels as."""
    yield secret.hex()
    yield secret.hex().upper()
    yield from _base64(secret)


def _base64(content: bytes) -> Iterator[str]:
    """Return what of a text's base64 is the same whatever stands before and behind it: one for each alignment."""
    for offset, start in enumerate(_STARTS):
        encoded = base64.b64encode(bytes(offset) + content).decode().rstrip("=")
        core = encoded[start : (offset + len(content)) * 8 // 6]
        yield core
        if "+" in core or "/" in core:
            yield core.translate(str.maketrans("+/", "-_"))


class Needles:
    """What to search for."""

    def __init__(self) -> None:
        self._known: set[str | bytes] = set()
        self._filed: dict[str, list[tuple[str, str]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def add(self, kind: str, secret: str | bytes) -> None:
        """Search for one more; a placeholder of few different symbols is none, since it would be found everywhere."""
        if secret in self._known or len(set(secret)) < _LEAST_DIFFERENT or len(secret) < WINDOW:
            return
        self._known.add(secret)
        for text in of_bytes(secret) if isinstance(secret, bytes) else encodings(kind, secret):
            if len(text) >= WINDOW:
                self._filed.setdefault(text[:WINDOW], []).append((text, kind))

    def find(self, words: Mapping[str, str]) -> Iterator[str]:
        """Search words, each with where it was seen first; return complaints, which do not repeat the secret."""
        for word, where in words.items():
            for kind in self._in(word):
                yield f"{where}: {kind}"

    def _in(self, word: str) -> set[str]:
        found = set()
        for start in range(len(word) - WINDOW + 1):
            for text, kind in self._filed.get(word[start : start + WINDOW], ()):
                if word.startswith(text, start):
                    found.add(kind)
        return found


def words_of(text: str) -> Iterable[str]:
    """Return the different words of a text; what is written in UTF-16 reads as if it were not."""
    return set(_WORD.findall(text.replace("\0", "")))


def has_email(text: str) -> bool:
    """Tell whether a text holds an e-mail address, whether or not anybody issued it.

    Six symbols that look like one stand in a hash that is read as text, once in a million.
    """
    return any(len(found[0]) >= _SHORTEST_EMAIL for found in _EMAIL.finditer(text.replace("\0", "")))
