"""The keys of a server as an operator sees and changes them: what there is, and how one follows another.

No transaction: keys are files, and who may read the root key is master of everything that a transaction guards. What
was done is told by the keysets themselves, which are kept for ever and bear the roots' signatures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tillkey.wire.keyset import Keyset
from tillkey_server.clock import Clock, from_epoch
from tillkey_server.errors import BadInput
from tillkey_server.settings import Settings
from tillkey_server.signing import succession
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.succession import Draft, Plan

LEAD = timedelta(days=7)
"""How long a new key is published before it signs, so that every till and every machine knows it by then."""
OVERLAP = timedelta(days=1)
"""How long the keys before may still sign after that: a machine that was told late goes on meanwhile."""
PREPARED = "prepared"
"""The state of a private key that no keyset names yet."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator wants of the next keyset.

    `starts_in` None is `LEAD`, and at once where a key is left out. `new_roots` are files with public root keys.
    """

    starts_in: timedelta | None = None
    overlap: timedelta = OVERLAP
    drop: Sequence[str] = ()
    new_roots: Sequence[Path] = ()
    drop_roots: Sequence[str] = ()
    threshold: int | None = None


def list_keys(settings: Settings, clock: Clock) -> dict[str, Any]:
    """Return the newest keyset's version and roots, and every key that there was or is with its state.

    Raises ConfigError where the data folder is not whole.
    """
    keyring, now = Keyring.load(settings), clock.now()
    return {
        "issuer": keyring.issuer,
        "version": keyring.keyset.version,
        "threshold": keyring.keyset.threshold,
        "roots": [root.thumbprint for root in keyring.keyset.roots],
        "root_key_here": settings.root_key_path.exists(),
        "keys": [_shown(keyring, kid, now) for kid in keyring.kids()],
    }


def plan(settings: Settings, wanted: Wanted, clock: Clock) -> Draft:
    """Make the next online key and the draft of the keyset with it, in memory. Raises BadInput or ConfigError."""
    now = clock.now()
    return succession.draft(settings, _plan(wanted, now), now)


def prepare(settings: Settings, made: Draft, file: Path) -> None:
    """Keep the new key's private half, and write the draft to a file, to be signed where the root keys are.

    Raises ConfigError where there is such a file; nothing is kept then.
    """
    succession.write_draft(file, made.text)
    made.keep(settings)


def signed(settings: Settings, made: Draft, root_keys: Sequence[Path]) -> str:
    """Return the draft signed with root keys that are at hand.

    Raises ConfigError, saying what to do, where one is not, and BadInput where those are not enough.
    """
    text = succession.signed(made.text, [succession.read_root(path) for path in root_keys])
    succession.following(settings, text)
    return text


def rotate(settings: Settings, made: Draft, text: str, clock: Clock) -> dict[str, Any]:
    """Keep the new key's private half and publish the signed draft. Raises as `publish` does."""
    made.keep(settings)
    succession.publish(settings, text, clock.now())
    return list_keys(settings, clock)


def sign(draft: Path, root_keys: Sequence[Path], file: Path) -> dict[str, Any]:
    """Write a draft with one more signature for each root key to another file.

    Out: what it says, and by whom it is signed now. Raises BadInput or ConfigError, naming the file.
    """
    text = succession.signed(succession.read_draft(draft), [succession.read_root(path) for path in root_keys])
    succession.write_draft(file, text)
    return look(file)


def look(draft: Path) -> dict[str, Any]:
    """Return what a draft says, and by which root keys it says that it is signed. Raises BadInput or ConfigError."""
    return said(succession.read_draft(draft))


def said(text: str) -> dict[str, Any]:
    """Return the same of a draft's text. Raises BadInput."""
    keyset, kids = succession.opened(text)
    return {**described(keyset), "signed_by": list(kids)}


def publish(settings: Settings, draft: Path, clock: Clock) -> dict[str, Any]:
    """Put a signed keyset in the place of the one before. Raises BadInput or ConfigError, saying what helps."""
    succession.publish(settings, succession.read_draft(draft), clock.now())
    return list_keys(settings, clock)


def new_root(path: Path) -> dict[str, Any]:
    """Make another root key in a file, its public half beside it. Raises ConfigError where there are such files."""
    public, beside = succession.new_root(path)
    return {"kid": public.thumbprint, "root_key": str(path), "public": str(beside)}


def described(keyset: Keyset) -> dict[str, Any]:
    """Return what a keyset says, in words that people check before they sign it."""
    return {
        "issuer": keyset.issuer,
        "version": keyset.version,
        "threshold": keyset.threshold,
        "roots": [root.thumbprint for root in keyset.roots],
        "keys": [
            {"kid": online.key.thumbprint, "signs_from": _at(online.not_before), "signs_until": _at(online.not_after)}
            for online in keyset.keys
        ],
    }


def _plan(wanted: Wanted, now: datetime) -> Plan:
    lead = wanted.starts_in
    if lead is None:
        lead = timedelta(0) if wanted.drop else LEAD
    if lead < timedelta(0):
        raise BadInput("starts_in", "must be 0 or more days")
    return Plan(
        starts_at=now + lead,
        others_end_at=now + lead + wanted.overlap,
        dropped=tuple(wanted.drop),
        new_roots=tuple(succession.read_public_root(path) for path in wanted.new_roots),
        dropped_roots=tuple(wanted.drop_roots),
        threshold=wanted.threshold,
    )


def _shown(keyring: Keyring, kid: str, now: datetime) -> dict[str, Any]:
    entry = keyring.entry(kid)
    return {
        "kid": kid,
        "state": PREPARED if entry is None else keyring.state(kid, now).value,
        "signs_from": None if entry is None else _at(entry.not_before),
        "signs_until": None if entry is None else _at(entry.not_after),
        "private_half_here": keyring.holds(kid),
    }


def _at(seconds: int | None) -> str | None:
    return None if seconds is None else f"{from_epoch(seconds):%Y-%m-%dT%H:%M:%SZ}"
