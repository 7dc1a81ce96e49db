"""The keyring: the keysets that were published, and the private online keys that this server signs with.

A key's state is derived, not stored (law 3):

pending      in the newest keyset, its time not come: published, does not sign
active       the key that signs: of those whose time it is and whose private half is here, the one that began last
retiring     its time has not ended, but a later key signs: verifies only
retired      its time has ended
compromised  it left the newest keyset before its time had ended: distrusted
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from tillkey.wire.errors import WireError
from tillkey.wire.keys import ALGORITHM, PrivateKey, PublicKey
from tillkey.wire.keyset import Keyset, OnlineKey, open_keyset, step
from tillkey_server.clock import to_epoch
from tillkey_server.errors import ConfigError, Unavailable
from tillkey_server.settings import Settings
from tillkey_server.signing.files import read_public, read_secret

_MISSING = "restore it from the backup; a server that never had keys gets them by `tillkey-server init`"


class KeyState(StrEnum):
    """The states of an online key."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"
    COMPROMISED = "compromised"


class Keyring:
    """Keysets by version with their signed texts, and private keys by `kid`. Made by `load`; holds no root key."""

    def __init__(self, keysets: Mapping[int, tuple[Keyset, str]], private_keys: Mapping[str, PrivateKey]) -> None:
        """Take every version from 1 on, each checked against the one before."""
        self._keysets = dict(keysets)
        self._private = dict(private_keys)
        self.keyset, self.text = self._keysets[max(self._keysets)]

    @classmethod
    def load(cls, settings: Settings) -> Keyring:
        """Read the data folder.

        Raises ConfigError, naming the file, when the keysets are missing, do not lead from 1 to the newest (I17) or are
        not signed, and when a private key is damaged, misnamed or readable by others. Never reads the root key.
        """
        return cls(_read_keysets(settings), _read_private_keys(settings.online_keys_dir))

    def __repr__(self) -> str:
        """Name the issuer and the version, no key."""
        return f"Keyring(issuer={self.issuer!r}, version={self.keyset.version})"

    @property
    def issuer(self) -> str:
        """The server's name in every document, fixed at `init`."""
        return self.keyset.issuer

    def text_of(self, version: int) -> str | None:
        """Return the signed text of one version of the keyset, or None."""
        found = self._keysets.get(version)
        return None if found is None else found[1]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the newest keyset's online keys as a JWK Set (RFC 7517), for who checks leases with a JOSE library."""
        return {
            "keys": [
                {**online.key.jwk(), "kid": online.key.thumbprint, "alg": ALGORITHM, "use": "sig"}
                for online in self.keyset.keys
            ]
        }

    def signer(self, now: datetime) -> PrivateKey:
        """Return the active key. Raises Unavailable when there is none: a till then changes nothing."""
        key = self._active(to_epoch(now))
        if key is None:
            raise Unavailable("no online key may sign now: run `tillkey-server keys rotate --starts-in 0`")
        return key

    def state(self, kid: str, now: datetime) -> KeyState:
        """Return the state of a key of any version of the keyset; KeyError for an unknown one."""
        seconds = to_epoch(now)
        online = self.keyset.find(kid)
        if online is None:
            former = self._last_entry(kid)
            return KeyState.RETIRED if _over(former, seconds) else KeyState.COMPROMISED
        if seconds < online.not_before:
            return KeyState.PENDING
        if _over(online, seconds):
            return KeyState.RETIRED
        active = self._active(seconds)
        if active is not None and active.public.thumbprint == kid:
            return KeyState.ACTIVE
        return KeyState.RETIRING

    def public(self, kid: str) -> PublicKey:
        """Return the public half of a key of any version of the keyset; KeyError for an unknown one."""
        return self._last_entry(kid).key

    def holds(self, kid: str) -> bool:
        """Tell whether the private half of a key is here."""
        return kid in self._private

    def kids(self) -> tuple[str, ...]:
        """Return the thumbprint of every key, in the order in which keysets named them; last those that none does."""
        named = (online.key.thumbprint for keyset, _ in self._keysets.values() for online in keyset.keys)
        return tuple(dict.fromkeys((*named, *self._private)))

    def entry(self, kid: str) -> OnlineKey | None:
        """Return what the last keyset that had a key said of it, or None for one that was never published."""
        try:
            return self._last_entry(kid)
        except KeyError:
            return None

    def followed_by(self, text: str) -> Keyring:
        """Return the keyring as it is with the next version. Raises WireError for a text that does not follow (I17)."""
        following = step(self.keyset, text)
        return Keyring({**self._keysets, following.version: (following, text)}, self._private)

    def _active(self, seconds: int) -> PrivateKey | None:
        """Return the private key that signs at that time, or None."""
        usable = [
            online for online in self.keyset.keys if online.valid_at(seconds) and online.key.thumbprint in self._private
        ]
        if not usable:
            return None
        latest = max(usable, key=lambda online: (online.not_before, online.key.thumbprint))
        return self._private[latest.key.thumbprint]

    def _last_entry(self, kid: str) -> OnlineKey:
        """Return what the last keyset that had a key said of it."""
        for version in sorted(self._keysets, reverse=True):
            online = self._keysets[version][0].find(kid)
            if online is not None:
                return online
        raise KeyError(kid)


def _over(online: OnlineKey, seconds: int) -> bool:
    """Tell whether a key's time has ended."""
    return online.not_after is not None and seconds >= online.not_after


def _read_keysets(settings: Settings) -> dict[int, tuple[Keyset, str]]:
    """Walk the keysets from 1 to the newest, which `keyset.json` must repeat."""
    keysets: dict[int, tuple[Keyset, str]] = {}
    held: Keyset | None = None
    for path in _numbered(settings.keysets_dir):
        text = _text(path)
        try:
            held = open_keyset(text) if held is None else step(held, text)
        except WireError as error:
            raise ConfigError(f"{path}: {error}; restore it from the backup") from error
        if held.version != len(keysets) + 1 or path.stem != str(held.version):
            raise ConfigError(
                f"{path}: is version {held.version}, where version {len(keysets) + 1} belongs; restore that from"
                " the backup"
            )
        keysets[held.version] = (held, text)
    if held is None:
        raise ConfigError(f"{settings.keysets_dir}: holds no keyset; {_MISSING}")
    if _text(settings.keyset_path) != keysets[held.version][1]:
        raise ConfigError(f"{settings.keyset_path}: is not the newest of {settings.keysets_dir}: copy that one over it")
    return keysets


def _numbered(folder: Path) -> Iterator[Path]:
    """Yield `1.json`, `2.json`, … of a folder in the order of their numbers."""
    yield from sorted((path for path in folder.glob("*.json") if path.stem.isdigit()), key=lambda path: int(path.stem))


def _text(path: Path) -> str:
    """Return a keyset's text; it is JSON in ASCII."""
    try:
        return read_public(path, mend=_MISSING).decode("ascii")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is damaged; restore it from the backup") from error


def _read_private_keys(folder: Path) -> dict[str, PrivateKey]:
    """Read the private keys; a file's name is its key's thumbprint."""
    keys: dict[str, PrivateKey] = {}
    for path in sorted(folder.glob("*.json")):
        content = read_secret(path, mend=_MISSING)
        try:
            key = PrivateKey.from_jwk(json.loads(content))
        except ValueError:
            # Not chained: what could not be read may be a part of the secret.
            raise ConfigError(f"{path}: is no private key; restore it from the backup") from None
        if path.stem != key.public.thumbprint:
            raise ConfigError(f"{path}: holds the key {key.public.thumbprint}; name it {key.public.thumbprint}.json")
        keys[path.stem] = key
    return keys
