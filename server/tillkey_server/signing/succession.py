"""The next keyset: what it says, whose signatures it bears, and how it takes the place of the one before.

1. A new online key is published before its time, so that every till and every machine of the server knows it when it
   begins to sign; those before it stop some time later, and stay in the keyset: leases that they signed stay good.
2. What is left out is distrusted. A key that leaves before its time has ended makes its leases count as past `exp`.
3. Version N + 1 bears a threshold of the roots of N and of its own (PROTOCOL section 2). Until then it is a draft,
   signed by its new online key alone: that counts for nothing but proves that whoever made it holds the key.
4. Published is what the mint has proved, and nothing before: at every moment one of the keys can sign.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from tillkey.wire.errors import WireError
from tillkey.wire.keys import PrivateKey, PublicKey
from tillkey.wire.keyset import Keyset, OnlineKey, read_keyset, sign_keyset
from tillkey_server.clock import from_epoch, to_epoch
from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.settings import Settings
from tillkey_server.signing.files import document_of, read_public, read_secret, write_new
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.mint import Mint

_SEED_BYTES = 32
_PRIVATE = 0o600
_PUBLIC = 0o644
_AT_HAND = (
    "bring the root key from where it is kept and name it with --root-key FILE, or leave it there: `keys prepare` makes"
    " a draft here, `keys sign` signs it where the root key is, `keys publish` takes it back"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall change: when the new key begins to sign, when those before it stop, who leaves, which roots there are.

    `dropped` are thumbprints of online keys, `dropped_roots` of root keys; `threshold` None keeps the one there is.
    """

    starts_at: datetime
    others_end_at: datetime
    dropped: tuple[str, ...] = ()
    new_roots: tuple[PublicKey, ...] = ()
    dropped_roots: tuple[str, ...] = ()
    threshold: int | None = None


def next_keyset(held: Keyset, new: PublicKey, plan: Plan, now: datetime) -> Keyset:
    """Return the version after `held`, by which `new` follows the keys there are.

    Raises BadInput, saying what to write instead, for a plan by which no key could sign at some moment, for one that
    leaves out what is not there, and while an earlier new key still waits for its time.
    """
    seconds, ends = to_epoch(now), to_epoch(plan.others_end_at)
    if ends < to_epoch(plan.starts_at):
        raise BadInput("overlap", "must not be negative: the keys before would stop before the new one signs")
    _refuse_strangers("drop", plan.dropped, [online.key.thumbprint for online in held.keys])
    _refuse_strangers("drop_root", plan.dropped_roots, [root.thumbprint for root in held.roots])
    kept = [online for online in held.keys if online.key.thumbprint not in plan.dropped]
    for online in kept:
        if online.not_before > seconds:
            kid, at = online.key.thumbprint, from_epoch(online.not_before)
            detail = f"is not over: {kid} signs from {at:%Y-%m-%dT%H:%M:%SZ}; wait until then, or say --drop {kid}"
            raise BadInput("rotation", detail)
    entry = OnlineKey(new, to_epoch(plan.starts_at), None)
    keys = (*(_ending(online, ends) for online in kept), entry)
    if not any(online.valid_at(seconds) for online in keys):
        raise BadInput("starts_in", "no key could sign until then: let the new one begin at once, --starts-in 0")
    return replace(
        held,
        version=held.version + 1,
        threshold=held.threshold if plan.threshold is None else plan.threshold,
        roots=(*(root for root in held.roots if root.thumbprint not in plan.dropped_roots), *plan.new_roots),
        keys=keys,
        issued_at=seconds,
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """The next keyset, not yet signed by a root, and the private half of its new key, not yet kept anywhere."""

    keyset: Keyset
    text: str
    new: PrivateKey = field(repr=False)

    def keep(self, settings: Settings) -> None:
        """Put the new key's private half into the data folder, where it signs nothing before it is published."""
        path = settings.online_keys_dir / f"{self.new.public.thumbprint}.json"
        write_new(path, document_of(self.new), mode=_PRIVATE)


def draft(settings: Settings, plan: Plan, now: datetime) -> Draft:
    """Draw the next online key and make the draft of the keyset with it; nothing is written.

    Raises as `next_keyset` and `Keyring.load` do, and BadInput for roots or a threshold that no till could read.
    """
    held = Keyring.load(settings).keyset
    new = PrivateKey.from_seed(secrets.token_bytes(_SEED_BYTES))
    keyset = next_keyset(held, new.public, plan, now)
    try:
        return Draft(keyset, sign_keyset(keyset, [new]), new)
    except WireError as error:
        detail = f"{error.detail}; --drop, --new-root, --drop-root and --threshold change what it names"
        raise BadInput(error.field, detail) from error


def signed(text: str, root_keys: Sequence[PrivateKey]) -> str:
    """Return the draft with one more signature for each root key; those that it bears stay. Raises BadInput."""
    keyset, kids = _read(text)
    before, fresh = json.loads(text), json.loads(sign_keyset(keyset, root_keys))
    if fresh["payload"] != before["payload"]:
        raise BadInput("draft", "was written by another version of the server: make it anew with `keys prepare`")
    replaced = {online.key.thumbprint for online in keyset.keys} | {root.public.thumbprint for root in root_keys}
    kept = [one for one, kid in zip(before["signatures"], kids, strict=True) if kid not in replaced]
    return json.dumps({"payload": fresh["payload"], "signatures": [*kept, *fresh["signatures"]]}, separators=(",", ":"))


def opened(text: str) -> tuple[Keyset, tuple[str, ...]]:
    """Return what a draft says, whoever signed it, and the thumbprints of the root keys that it says have.

    Raises BadInput for a text that is none.
    """
    keyset, kids = _read(text)
    return keyset, tuple(kid for kid in kids if keyset.find(kid) is None)


def _read(text: str) -> tuple[Keyset, tuple[str, ...]]:
    try:
        return read_keyset(text)
    except WireError as error:
        raise BadInput("draft", "is no keyset: name the file that `keys prepare` or `keys sign` wrote") from error


def following(settings: Settings, text: str) -> Keyring:
    """Return the keyring as it would be with a signed keyset published.

    Raises BadInput, saying what helps, for one that no till would follow; ConfigError where the folder is not whole.
    """
    keyring = Keyring.load(settings)
    keyset, _ = opened(text)
    after_this = keyring.keyset.version + 1
    if keyset.version != after_this:
        detail = f"is version {keyset.version}, and {after_this} comes next: make it anew with `keys prepare`"
        raise BadInput("draft", detail)
    try:
        return keyring.followed_by(text)
    except WireError as error:
        held, own = keyring.keyset, ", ".join(root.thumbprint for root in keyring.keyset.roots)
        detail = (
            f"cannot follow version {held.version}: {error.field}: {error.detail}. Let {held.threshold} of the roots"
            f" {own} sign it, and as many of its own as it says: `keys sign`, or --root-key again and again"
        )
        raise BadInput("draft", detail) from error


def publish(settings: Settings, text: str, now: datetime) -> None:
    """Put a signed keyset in the place of the one before. Servers take it up when they start anew.

    Raises as `following` does, BadInput where a key's private half is not here, and ConfigError where no till could
    believe this server with it.
    """
    after = following(settings, text)
    for online in after.keyset.keys:
        kid = online.key.thumbprint
        if not after.holds(kid) and (online.not_after is None or online.not_after > to_epoch(now)):
            detail = (
                f"names the key {kid}, whose private half is not in {settings.online_keys_dir}: copy it there first"
            )
            raise BadInput("draft", detail)
    Mint(after).prove(now)
    content = text.encode("ascii")
    write_new(settings.keysets_dir / f"{after.keyset.version}.json", content, mode=_PUBLIC)
    fresh = settings.keyset_path.with_name(f".{settings.keyset_path.name}.{os.getpid()}")
    write_new(fresh, content, mode=_PUBLIC)
    fresh.replace(settings.keyset_path)


def new_root(path: Path) -> tuple[PublicKey, Path]:
    """Make a root key in a file of its own, and return its public half with the file beside it that holds that.

    Raises ConfigError where either file is there.
    """
    root = PrivateKey.from_seed(secrets.token_bytes(_SEED_BYTES))
    public = path.with_suffix(".pub.json")
    write_new(path, document_of(root), mode=_PRIVATE)
    write_new(public, json.dumps(root.public.jwk(), indent=1).encode("ascii") + b"\n", mode=_PUBLIC)
    return root.public, public


def read_public_root(path: Path) -> PublicKey:
    """Read the public half of a root key. Raises ConfigError."""
    try:
        jwk = json.loads(read_public(path, mend="name the file NAME.pub.json that `keys new-root` wrote"))
        return PublicKey.from_jwk(jwk)
    except ValueError:
        raise ConfigError(
            f"{path}: is no public root key; name the file NAME.pub.json that `keys new-root` wrote"
        ) from None


def read_root(path: Path) -> PrivateKey:
    """Read a root key. Raises ConfigError, saying what to do, where it is not at hand, and for a file that is none."""
    try:
        return PrivateKey.from_jwk(json.loads(read_secret(path, mend=_AT_HAND)))
    except ValueError:
        # Not chained: what could not be read may be a part of the secret.
        raise ConfigError(f"{path}: is no root key; name the file that `init` or `keys new-root` wrote") from None


def read_draft(path: Path) -> str:
    """Read a draft. Raises ConfigError or BadInput, naming the file."""
    try:
        return read_public(path, mend="name the file that `keys prepare` or `keys sign` wrote").decode("ascii")
    except UnicodeDecodeError as error:
        raise BadInput("draft", f"{path} is no keyset: name the file that `keys prepare` wrote") from error


def write_draft(path: Path, text: str) -> None:
    """Write a draft to a file that is not there yet. Raises ConfigError."""
    write_new(path, text.encode("ascii"), mode=_PUBLIC)


def _ending(online: OnlineKey, ends: int) -> OnlineKey:
    """Return an entry that ends at that time, or before, where it was to end before."""
    return online if online.not_after is not None and online.not_after <= ends else replace(online, not_after=ends)


def _refuse_strangers(field: str, named: Collection[str], known: Sequence[str]) -> None:
    for kid in named:
        if kid not in known:
            raise BadInput(field, f"there is no such key in the keyset; it holds {', '.join(known)}")
