"""Versions of software and of platforms, and which of two is the newer.

1. A version is one to four numbers with dots between (`8.1`, `1.7.8.11`), and may end in a word after a dash
   (`2.0.0-rc.1`), which stands before the version without one.
2. Numbers are compared as numbers, and one that is left out is 0: 1.7.8.11 is newer than 1.7.8.2, and 8.1 is 8.1.0.
3. Words are compared part by part: numbers as numbers, and before letters (as SemVer 2.0.0 section 11 has it).
4. A platform's range has both ends in it. An upper end covers whatever begins with it: up to `8.1` takes 8.1.5.
"""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Self

_FORM = re.compile(r"(?P<numbers>[0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?:-(?P<word>[0-9A-Za-z]+(?:\.[0-9A-Za-z]+)*))?")
PATTERN = f"^{_FORM.pattern}$".replace("?P<numbers>", "?:").replace("?P<word>", "?:")
"""The same form for a document's schema."""
MAX_LENGTH = 64
_PARTS = 4


@total_ordering
class Version:
    """One version; equal versions may be written differently (`8.1`, `8.1.0`)."""

    __slots__ = ("numbers", "text", "word")

    def __init__(self, text: str) -> None:
        """Read a version. Raises ValueError for what is none."""
        match = _FORM.fullmatch(text)
        if match is None or len(text) > MAX_LENGTH:
            raise ValueError(f"{text[:MAX_LENGTH]!r} is no version")
        self.text = text
        self.numbers = tuple(int(part) for part in match["numbers"].split("."))
        self.word = match["word"]

    def begins_with(self, other: Self) -> bool:
        """Tell whether the numbers of `other` are the first of these."""
        return self.padded[: len(other.numbers)] == other.numbers

    @property
    def padded(self) -> tuple[int, ...]:
        """Return the numbers, those that were left out as 0."""
        return (*self.numbers, *[0] * (_PARTS - len(self.numbers)))

    @property
    def canonical(self) -> str:
        """Return the one spelling that all equal versions have."""
        numbers = ".".join(str(one) for one in self.padded)
        words = [text or str(number) for _, number, text in self._words]
        return f"{numbers}-{'.'.join(words)}" if words else numbers

    @property
    def _words(self) -> tuple[tuple[bool, int, str], ...]:
        return () if self.word is None else tuple(_part(one) for one in self.word.split("."))

    @property
    def _order(self) -> tuple[object, ...]:
        return (self.padded, self.word is None, self._words)

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same version, however written."""
        return isinstance(other, Version) and self._order == other._order

    def __lt__(self, other: Version) -> bool:
        """Tell whether the other one is newer (sentences 2 and 3)."""
        return self._order < other._order

    def __hash__(self) -> int:
        """Return the same for equal versions."""
        return hash(self._order)

    def __repr__(self) -> str:
        """Show it as it was written."""
        return f"Version({self.text!r})"


def in_range(platform: Version, lowest: Version | None, highest: Version | None) -> bool:
    """Tell whether a platform's version is in a range (sentence 4); None has no end on that side."""
    if lowest is not None and platform < lowest:
        return False
    return highest is None or platform <= highest or platform.begins_with(highest)


def _part(text: str) -> tuple[bool, int, str]:
    """Return a part of a word so that parts compare: numbers first, by their size."""
    return (False, int(text), "") if text.isdigit() else (True, 0, text)
