"""A shop's site, as two spellings of it are compared (NX-03).

1. `www.`, http and https, the port, capital letters, a trailing slash or dot, a query and the IDN spelling make no
   other site.
2. The path counts: two shops may live side by side under one host.
3. What holds no host is no site (None). A till without a domain may name an address (IP).
4. A site is declared by the till: evidence, never a reason to raise a limit.
"""

from __future__ import annotations

import re
import unicodedata

_SITE = re.compile(
    r"(?>(?:[a-z][a-z0-9+.-]*://)?)"  # the scheme; atomic, so that a scheme alone is never read as a host
    r"(?:[^/@?#]*@)?"  # a user, which is nobody's business here
    r"(?P<host>\[[0-9a-f:.]+\]|[^/:?#@\[\]\s]+)"
    r"(?::[0-9]*)?"  # the port
    r"(?P<path>/[^?#\s]*)?"
    r"(?:[?#].*)?",
    re.IGNORECASE,
)


def canonical_site(text: str) -> str | None:
    """Return the one spelling of a site, `shop.example/fr`, or None when the text names no host."""
    match = _SITE.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return None
    host = _ascii_host(match["host"])
    if host is None:
        return None
    return host + (match["path"] or "").rstrip("/")


def _ascii_host(text: str) -> str | None:
    host = text.casefold().rstrip(".")
    while host.startswith("www."):
        host = host.removeprefix("www.")
    try:
        return host.encode("idna").decode("ascii") or None
    except UnicodeError:
        return None
