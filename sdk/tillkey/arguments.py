"""What the host and people give, checked before anything is sent.

Each complaint names the argument and what would be right.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

from tillkey.errors import ConfigurationError
from tillkey.wire.fields import ENVIRONMENTS, LANGUAGES, MAX_COMPONENTS
from tillkey.wire.keyset import MAX_KEYSET_BYTES

_PRODUCT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_PLACE = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]+)(:(?P<port>[0-9]{1,5}))?"
_SERVER = re.compile(rf"https?://{_PLACE}(/[^\s?#]*)?\Z")
_PROXY = re.compile(rf"https?://([^\s/?#@]+@)?{_PLACE}/?\Z")
_MAX_PORT = 65535
_COMPONENT = re.compile(r"[a-z_]{1,32}\Z")
_STANDARD_TRAITS = frozenset({"machine_id", "hostname", "hardware", "location"})


PROJECT = (1, 200)
SITE = (1, 253)
TICKET = (1, 100)
APP_VERSION = (0, 64)
PLATFORM_VERSION = (1, 64)
"""The texts of a request: the least and most characters that the protocol carries."""


def text_of(name: str, text: Any, bounds: tuple[int, int]) -> Optional[str]:
    """Return a text of the right length without control characters, or None; raises ``ConfigurationError``."""
    if text is None:
        return None
    least, most = bounds
    if not isinstance(text, str) or not least <= len(text) <= most:
        raise ConfigurationError(f"{name}: give {least} to {most} characters")
    if any(symbol < " " or symbol == "\x7f" or "\ud800" <= symbol <= "\udfff" for symbol in text):
        raise ConfigurationError(f"{name}: has a control character")
    return text


def server_of(address: Any) -> str:
    """Return the server's address without a slash at its end; raises ``ConfigurationError`` where it is none."""
    if not isinstance(address, str) or not _has_place(_SERVER.match(address)):
        raise ConfigurationError(f"server: {address!r} is no address; give one like https://licenses.example.com")
    return address.rstrip("/")


def _has_place(found: Optional[re.Match[str]]) -> bool:
    """Tell whether an address has the right form, a port that there can be and, in brackets, an address of IPv6."""
    if found is None or not 0 < int(found["port"] or 1) <= _MAX_PORT:
        return False
    try:
        return not found["host"].startswith("[") or bool(ipaddress.IPv6Address(found["host"][1:-1]))
    except ValueError:
        return False


def proxy_of(address: Any) -> Optional[str]:
    """Return a proxy's address, or None for none; raises ``ConfigurationError``, which does not repeat a password."""
    if address is None:
        return None
    if not isinstance(address, str) or not _has_place(_PROXY.match(address)):
        raise ConfigurationError("proxy: is no address; give one like http://proxy.example.com:3128")
    return address


def authority_of(given: Union[str, os.PathLike[str], None]) -> Optional[str]:
    """Return the path of an authority's certificates, or None; raises ``ConfigurationError`` for what is no file."""
    if given is None:
        return None
    if not Path(given).is_file():
        raise ConfigurationError(f"ca_file: there is no file {os.fspath(given)!r}; give one with certificates in PEM")
    return os.fspath(given)


def traits_of(overrides: Mapping[str, Any]) -> dict[str, Optional[str]]:
    """Return a copy of the host's own traits; raises ``ConfigurationError`` for what the protocol does not carry."""
    if len(_STANDARD_TRAITS | set(overrides)) > MAX_COMPONENTS:
        raise ConfigurationError(
            f"machine_traits: at most {MAX_COMPONENTS} components, the four standard ones included"
        )
    for component, trait in overrides.items():
        if not _COMPONENT.match(component):
            raise ConfigurationError(f"machine_traits: {component!r} is no name; use 1 to 32 of a-z and underscore")
        if trait is not None and not isinstance(trait, str):
            raise ConfigurationError(f"machine_traits: {component} must be a text or None")
    return dict(overrides)


def product_of(product: Any) -> str:
    """Return the product's code; raises ``ConfigurationError``."""
    if not isinstance(product, str) or not _PRODUCT.match(product):
        raise ConfigurationError(f"product: {product!r} is no code; use 1 to 64 of a-z, 0-9, dot, dash and underscore")
    return product


def word_of(name: str, word: Any) -> str:
    """Return a word of the vendor's terms; raises ``ConfigurationError``."""
    if not isinstance(word, str) or not _WORD.match(word):
        raise ConfigurationError(f"{name}: {word!r} is no word; use 1 to 64 of a-z, 0-9 and underscore, a letter first")
    return word


def language_of(language: str) -> str:
    """Return the language; raises ``ConfigurationError``."""
    if language not in LANGUAGES:
        raise ConfigurationError(f"language: {language!r} is none; use {', '.join(LANGUAGES)}")
    return language


def environment_of(environment: str) -> str:
    """Return the environment; raises ``ConfigurationError``."""
    if environment not in ENVIRONMENTS:
        raise ConfigurationError(f"environment: {environment!r} is none; use {', '.join(ENVIRONMENTS)}")
    return environment


def keyset_text(given: Union[str, os.PathLike[str]]) -> str:
    """Return the text of the pinned keyset, given as itself or as a path; raises ``ConfigurationError``."""
    if isinstance(given, str) and given.lstrip().startswith("{"):
        return given
    try:
        with Path(given).open("rb") as file:
            return file.read(MAX_KEYSET_BYTES + 1).decode("utf-8")
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"pinned_keyset: cannot read {given!r}: {error}; give the path or the text of keyset.json"
        ) from error
