"""Types, lengths and alphabets of claims (PROTOCOL section 5, fine print). Unknown claims are ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Optional

from tillkey.wire.errors import malformed
from tillkey.wire.strict_json import MAX_INTEGER

_TOKEN = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]\Z")
_DIGEST = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_COMPONENT = re.compile(r"[a-z_]{1,32}\Z")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_CLAUSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
# C0 and C1 controls, line and paragraph separators, and what turns the direction of text: they would be printed raw
# on a person's terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
MAX_COMPONENTS = 16
MAX_NAMES = 64
ENVIRONMENTS = ("production", "staging", "development")
LANGUAGES = ("en", "fr", "it")
ENGLISH = "en"


class Claims:
    """A reader of claims that names the claim in every complaint."""

    def __init__(self, claims: Mapping[str, Any], where: str) -> None:
        """Take parsed claims and the document's name."""
        self._claims = claims
        self._where = where

    def _get(self, name: str) -> Any:
        if name not in self._claims:
            raise malformed(f"{self._where}.{name}", "is missing")
        return self._claims[name]

    def has(self, name: str) -> bool:
        """Tell whether the claim is there and not null."""
        return self._claims.get(name) is not None

    def text(self, name: str, *, least: int = 1, most: int = 200) -> str:
        """Read a string of ``least`` to ``most`` characters without control characters."""
        value = self._get(name)
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise malformed(f"{self._where}.{name}", f"must be a string of {least} to {most} characters")
        if _CONTROL.search(value):
            raise malformed(f"{self._where}.{name}", "has a control character")
        return value

    def optional_text(self, name: str, *, least: int = 1, most: int = 200) -> Optional[str]:
        """Read a string, or None where the claim is absent or null."""
        return self.text(name, least=least, most=most) if self.has(name) else None

    def number(self, name: str) -> int:
        """Read an integer from 0 to 2^53 - 1; a boolean is none."""
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
            raise malformed(f"{self._where}.{name}", "must be an integer that is not negative")
        return value

    def optional_number(self, name: str) -> Optional[int]:
        """Read an integer, or None where the claim is absent or null."""
        return self.number(name) if self.has(name) else None

    def nullable_number(self, name: str) -> Optional[int]:
        """Read an integer, or None where the claim is null; it has to be there, since null is the wider right."""
        return None if self._get(name) is None else self.number(name)

    def boolean(self, name: str) -> bool:
        """Read true or false."""
        value = self._get(name)
        if not isinstance(value, bool):
            raise malformed(f"{self._where}.{name}", "must be true or false")
        return value

    def _matching(self, name: str, pattern: re.Pattern[str], what: str) -> str:
        value = self._get(name)
        if not isinstance(value, str) or not pattern.match(value):
            raise malformed(f"{self._where}.{name}", f"must be {what}")
        return value

    def token(self, name: str) -> str:
        """Read a ``rid`` or ``nonce``: base64url of 16 bytes, 22 characters, canonical."""
        return self._matching(name, _TOKEN, "base64url of 16 bytes")

    def digest(self, name: str) -> str:
        """Read a thumbprint: base64url of 32 bytes, 43 characters, canonical."""
        return self._matching(name, _DIGEST, "base64url of 32 bytes")

    def uuid(self, name: str) -> str:
        """Read a UUID in its lower-case form (RFC 9562 section 4)."""
        return self._matching(name, _UUID, "a UUID in lower case")

    def optional_uuid(self, name: str) -> Optional[str]:
        """Read a UUID, or None where the claim is absent or null."""
        return self.uuid(name) if self.has(name) else None

    def code(self, name: str) -> str:
        """Read a code: 1 to 64 of a-z, 0-9, dot, dash and underscore."""
        return self._matching(name, _CODE, "a code of 1 to 64 of a-z, 0-9, dot, dash, underscore")

    def word(self, name: str) -> str:
        """Read a word of a vendor's terms: 1 to 64 of a-z, 0-9 and underscore, a letter first."""
        return self._matching(name, _WORD, "a word of 1 to 64 of a-z, 0-9, underscore, beginning with a letter")

    def optional_word(self, name: str) -> Optional[str]:
        """Read a word, or None where the claim is absent or null."""
        return self.word(name) if self.has(name) else None

    def _one_of(self, name: str, known: tuple[str, ...]) -> str:
        value = self._get(name)
        if value not in known:
            raise malformed(f"{self._where}.{name}", f"must be one of {', '.join(known)}")
        return str(value)

    def environment(self, name: str = "environment") -> str:
        """Read ``production``, ``staging`` or ``development``."""
        return self._one_of(name, ENVIRONMENTS)

    def language(self, name: str = "language") -> str:
        """Read ``en``, ``fr`` or ``it``; English where the claim is absent or null."""
        return self._one_of(name, LANGUAGES) if self.has(name) else ENGLISH

    def _list(self, name: str, pattern: re.Pattern[str], what: str) -> tuple[str, ...]:
        value = self._get(name)
        if not isinstance(value, list) or len(value) > MAX_NAMES:
            raise malformed(f"{self._where}.{name}", f"must be a list of at most {MAX_NAMES}")
        if not all(isinstance(item, str) and pattern.match(item) for item in value):
            raise malformed(f"{self._where}.{name}", f"must hold {what}")
        return tuple(value)

    def codes(self, name: str) -> tuple[str, ...]:
        """Read a list of codes."""
        return self._list(name, _CODE, "codes")

    def clauses(self, name: str) -> tuple[str, ...]:
        """Read a list of clause ids."""
        return self._list(name, _CLAUSE, "clause ids")

    def fingerprint(self, name: str = "fingerprint") -> dict[str, str]:
        """Read ``{component: HMAC}`` with at most 16 components."""
        value = self._get(name)
        if not isinstance(value, dict) or len(value) > MAX_COMPONENTS:
            raise malformed(f"{self._where}.{name}", f"must be an object of at most {MAX_COMPONENTS} components")
        for component, trait in value.items():
            if not _COMPONENT.match(component):
                raise malformed(f"{self._where}.{name}", "has a component's name outside a-z and underscore, 1 to 32")
            if not isinstance(trait, str) or not _DIGEST.match(trait):
                raise malformed(f"{self._where}.{name}.{component}", "must be base64url of 32 bytes")
        return dict(value)

    def nested(self, name: str) -> Claims:
        """Read an object."""
        value = self._get(name)
        if not isinstance(value, dict):
            raise malformed(f"{self._where}.{name}", "must be an object")
        return Claims(value, f"{self._where}.{name}")
