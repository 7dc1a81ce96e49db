"""A data folder with keys, and its rotations, for the tests of this room."""

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import OnlineKey, open_keyset, sign_keyset
from tillkey.wire.request import Deactivate, Request
from tillkey_server.clock import to_epoch
from tillkey_server.ids import new_id, new_token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ISSUER = "licenses.example.com"


def private_key():
    """A new private key."""
    return PrivateKey.from_seed(secrets.token_bytes(32))


def online(key, start=NOW, end=None):
    """A key's entry in a keyset."""
    return OnlineKey(key.public, to_epoch(start), None if end is None else to_epoch(end))


def add_key(settings, key):
    """Put a private online key into the data folder, and return its path."""
    path = settings.online_keys_dir / f"{key.public.thumbprint}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(key.jwk()))
    return path


def publish(settings, *keys, **changes):
    """Publish the next version of the keyset with these entries, signed by the first root."""
    held = open_keyset(settings.keyset_path.read_text())
    root = PrivateKey.from_jwk(json.loads(settings.root_key_path.read_text()))
    text = sign_keyset(replace(held, **({"version": held.version + 1, "keys": keys} | changes)), [root])
    (settings.keysets_dir / f"{held.version + 1}.json").write_text(text)
    settings.keyset_path.write_text(text)
    return text


def request(key=None):
    """A till's opened request."""
    body = Deactivate(str(new_id()))
    return Request(
        aud=ISSUER, rid=new_token(), keyset=1, iat=to_epoch(NOW), key=(key or private_key()).public, body=body
    )
