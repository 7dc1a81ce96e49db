"""Files as they are told, by path and SHA-256; one spelling of a digest, so that two tellings of a file are equal."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tillkey_server.errors import BadInput

DIGEST = r"^[0-9a-f]{64}$"
"""A SHA-256 in hexadecimal; the other spelling of its letters would be another file."""
FILE_PATH = r"^[^\x00-\x1f\x7f]{1,255}$"
MAX_FILES = 50


def digest_of(value: object, field: str) -> str:
    """Return a SHA-256 as it is. Raises BadInput for what is none, capital letters included."""
    if not isinstance(value, str) or re.fullmatch(DIGEST, value) is None:
        raise BadInput(field, "must be 64 of 0-9 and a-f")
    return value


def files_of(value: object, field: str) -> dict[str, str]:
    """Return files by path, each with its SHA-256: at least one, at most `MAX_FILES`. Raises BadInput."""
    if not isinstance(value, Mapping) or not 0 < len(value) <= MAX_FILES:
        raise BadInput(field, f"must be 1 to {MAX_FILES} files, each with its path and its SHA-256")
    for path in value:
        if not isinstance(path, str) or re.fullmatch(FILE_PATH, path) is None:
            raise BadInput(field, "has a path that is no line of 1 to 255 characters")
    return {path: digest_of(digest, field) for path, digest in value.items()}
