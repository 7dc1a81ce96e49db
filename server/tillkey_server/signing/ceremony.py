"""The key ceremony of `tillkey-server init`: a root key, the first online key, keyset 1 and the pepper.

The root key lies in the data folder only until the operator moves it away; nothing that serves ever reads it there.
How keys follow these is `succession`'s.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tillkey.wire.errors import WireError
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset, OnlineKey, open_keyset, sign_keyset
from tillkey_server.clock import to_epoch
from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.settings import Settings
from tillkey_server.signing.files import document_of, make_private_folder, write_new
from tillkey_server.signing.pepper import Pepper

_SEED_BYTES = 32
_PRIVATE = 0o600
_PUBLIC = 0o644
_MAX_ISSUER = 200


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What was made, all of it public: where the root key waits to be moved away, and the first online key's `kid`."""

    issuer: str
    root_key_path: Path
    kid: str
    keyset_path: Path

    @property
    def advice(self) -> str:
        """What the operator has to do next."""
        return (
            f"Move {self.root_key_path} to a place offline, with a copy elsewhere, and delete it here: whoever has it "
            "can replace every key. The server never reads it; you need it to publish the next keyset. "
            f"Ship {self.keyset_path} with your software: tills trust it and what it leads to."
        )


def init(settings: Settings, *, issuer: str, now: datetime) -> Ceremony:
    """Make the keys of a new server in its data folder.

    In: `issuer` is the server's name in every document, for ever: 1 to 200 printable ASCII characters without spaces,
    such as `licenses.example.com`. Raises BadInput for another, ConfigError when any of the files exists: nothing is
    ever overwritten.
    """
    if not 1 <= len(issuer) <= _MAX_ISSUER or not all("!" <= character <= "~" for character in issuer):
        raise BadInput("issuer", f"must be 1 to {_MAX_ISSUER} printable ASCII characters without spaces")
    first = settings.keysets_dir / "1.json"
    for path in (settings.keyset_path, first, settings.root_key_path, settings.pepper_path):
        if path.exists():
            raise ConfigError(f"{path}: exists already; a server's keys are made once and never overwritten")
    root = PrivateKey.from_seed(secrets.token_bytes(_SEED_BYTES))
    online = PrivateKey.from_seed(secrets.token_bytes(_SEED_BYTES))
    text = _first_keyset(issuer, root, online, to_epoch(now))
    for folder in (settings.data_dir, settings.keysets_dir, settings.online_keys_dir):
        make_private_folder(folder)
    write_new(settings.root_key_path, document_of(root), mode=_PRIVATE)
    write_new(settings.online_keys_dir / f"{online.public.thumbprint}.json", document_of(online), mode=_PRIVATE)
    Pepper.create(settings)
    write_new(first, text.encode("ascii"), mode=_PUBLIC)
    # Last: with it the folder is complete.
    write_new(settings.keyset_path, text.encode("ascii"), mode=_PUBLIC)
    return Ceremony(issuer, settings.root_key_path, online.public.thumbprint, settings.keyset_path)


def _first_keyset(issuer: str, root: PrivateKey, online: PrivateKey, now: int) -> str:
    """Return keyset 1, one root of one, checked as a till checks it."""
    keyset = Keyset(
        issuer=issuer,
        version=1,
        threshold=1,
        roots=(root.public,),
        keys=(OnlineKey(online.public, not_before=now, not_after=None),),
        issued_at=now,
    )
    text = sign_keyset(keyset, [root])
    try:
        open_keyset(text)
    except WireError as error:
        raise BadInput("issuer", str(error)) from error
    return text
