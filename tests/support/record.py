"""What a test process issued and left behind, for the secret scan (`secrecy`). The support modules write into it."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.support import dumps, needles
from tests.support.needles import Needles

_ISSUED_KEY = re.compile(r"\b[A-Z0-9]{1,12}(?:-[0-9A-HJKMNP-TV-Z]{5}){4}-[0-9A-HJKMNP-TV-Z]{7}\b")
_ISSUED_API_KEY = re.compile(r"\btks_[A-Za-z0-9_-]{43}")


class Record:
    """What was issued, and what was left behind: each different word with where it was seen first."""

    def __init__(self) -> None:
        self.needles = Needles()
        self.words: dict[str, str] = {}
        self.emails: set[str] = set()
        self.folders: set[Path] = set()
        self.logs: set[Path] = set()
        self.texts = 0
        self.databases = 0
        self._seen: set[int] = set()

    def issued(self, text: str) -> None:
        """Note the keys, tickets and API keys in an answer that rightfully holds them."""
        for found in _ISSUED_KEY.findall(text):
            self.needles.add(needles.LICENSE_KEY, found)
        for found in _ISSUED_API_KEY.findall(text):
            self.needles.add(needles.API_KEY, found)

    def left(self, where: str, text: str) -> None:
        """Note what was left behind."""
        self.texts += 1
        if hash(text) in self._seen:  # as most cells of most databases are
            return
        self._seen.add(hash(text))
        for word in needles.words_of(text):
            self.words.setdefault(word, where)
        if needles.has_email(text):
            self.emails.add(where)

    def database(self, cells: Iterable[dumps.Cell]) -> None:
        """Note a database: what its columns hold by right is a secret elsewhere."""
        self.databases += 1
        for column, held in cells:
            kind = dumps.RIGHTFUL.get(column)
            if kind is None:
                self.left(column, held)
            else:
                self.needles.add(kind, held)

    def leaks(self) -> list[str]:
        """Search everything."""
        for log in self.logs:
            if log.is_file():
                self.left(f"log of serve, {log.name}", log.read_text("utf-8", "replace"))
        for folder in self.folders:
            pepper = folder / "pepper"
            if pepper.is_file():
                self.needles.add(needles.PEPPER, pepper.read_bytes())
            self.database(dumps.of_sqlite(folder / "tillkey.sqlite"))
        mailed = (f"{where}: {needles.EMAIL}" for where in self.emails)
        return sorted({*mailed, *self.needles.find(self.words)})


RECORD = Record()
