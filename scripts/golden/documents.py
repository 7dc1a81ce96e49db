"""The good documents of the golden vectors. Only ever add here: what stands is pinned by tests/vectors."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from tillkey.wire import b64, jws
from tillkey.wire.answers import Lease, Statement, sign_lease, sign_statement
from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import Keyset, OnlineKey, sign_keyset
from tillkey.wire.license_key import format_key, hint, normalize
from tillkey.wire.request import (
    REQUEST_TYP,
    Activate,
    Body,
    ClockReading,
    Deactivate,
    Heartbeat,
    Move,
    Project,
    Support,
    path_of,
    sign_request,
)

ISSUER = "licenses.example"
NOW = 1_800_000_000
DAY = 86_400
ACTIVATION = "01890a5d-ac96-774b-bcce-b302099a8057"
LICENSE = "01890a5d-ac96-774b-bcce-b302099a8058"
PROJECT = "01890a5d-ac96-774b-bcce-b302099a8059"
KEYS = ("root-1", "root-2", "root-3", "root-4", "online-1", "online-2", "online-3", "till-1", "till-2", "stranger")

Vector = dict[str, Any]


def seed(label: str) -> bytes:
    """Derive 32 bytes from a label."""
    return hashlib.sha256(f"tillkey vector: {label}".encode()).digest()


def private(label: str) -> PrivateKey:
    """Derive the private key of a label."""
    return PrivateKey.from_seed(seed(label))


def token(label: str) -> str:
    """Derive a ``rid`` or ``nonce``."""
    return b64.encode(seed(label)[:16])


def keysets() -> dict[str, Keyset]:
    """Four versions: one root, a second online key, new roots that sign two of three, a third online key."""
    one = (private("root-1").public,)
    three = tuple(private(f"root-{number}").public for number in (2, 3, 4))
    first = OnlineKey(private("online-1").public, NOW - DAY, None)
    retired = OnlineKey(private("online-1").public, NOW - DAY, NOW + 30 * DAY)
    second = OnlineKey(private("online-2").public, NOW, None)
    third = OnlineKey(private("online-3").public, NOW + 60 * DAY, None)
    return {
        "v1": Keyset(ISSUER, 1, 1, one, (first,), NOW - DAY),
        "v2": Keyset(ISSUER, 2, 1, one, (retired, second), NOW),
        "v3": Keyset(ISSUER, 3, 2, three, (second,), NOW + 40 * DAY),
        "v4": Keyset(ISSUER, 4, 2, three, (second, third), NOW + 50 * DAY),
    }


SIGNERS = {"v1": ["root-1"], "v2": ["root-1"], "v3": ["root-1", "root-2", "root-4"], "v4": ["root-3", "root-4"]}


def keyset_vectors() -> list[Vector]:
    """Make the chain; ``held`` names the version to step from, null for the one that is pinned."""
    made = []
    held: str | None = None
    for name, keyset in keysets().items():
        text = sign_keyset(keyset, [private(label) for label in SIGNERS[name]])
        kids = [online.key.thumbprint for online in keyset.keys]
        made.append({"name": name, "held": held, "version": keyset.version, "kids": kids, "text": text})
        held = name
    return made


def key_vectors() -> list[Vector]:
    """Make each key's public half and its thumbprint."""
    publics = [(label, private(label).public) for label in KEYS]
    return [{"name": label, "jwk": public.jwk(), "thumbprint": public.thumbprint} for label, public in publics]


def bodies() -> dict[str, Body]:
    """One body of each kind, and the shapes that are easily got wrong."""
    traits = {name: b64.encode(seed(f"trait {name}")) for name in ("machine", "board", "location")}
    lease = sign_lease(leases()["perpetual"][1], private("online-1"))
    shop = Project("Blumenladen Grün, Zürich 🌷", "blumen.example")
    clock = ClockReading(NOW + 60, 4711, "8c9f1e6a-0001")
    return {
        "activate with the license key": Activate(
            "pos", shop, "production", traits, "2.4.1", license_key=license_key("first"), platform_version="6.1"
        ),
        "activate with the last lease": Activate("pos", Project("Shop"), "staging", traits, "2.4.1", lease=lease),
        "activate with a move ticket and without a project": Activate(
            "pos", None, "production", {}, "", license_key=license_key("first"), move_ticket=token("ticket")
        ),
        "heartbeat": Heartbeat(ACTIVATION, token("nonce 7"), 7, traits, "2.4.1", clock),
        "move": Move(ACTIVATION, token("nonce 7"), "production"),
        "deactivate": Deactivate(ACTIVATION),
        "support": Support(ACTIVATION, "fix_issue", "returns_by_receipt", "6.1", "fr"),
    }


def request_vectors() -> list[Vector]:
    """Sign each body as ``till-1``; one carries a claim of a later version, and what was added since comes after it."""
    signed: dict[str, Vector] = {}
    for name, body in bodies().items():
        text = sign_request(body, aud=ISSUER, rid=token(name), keyset=1, iat=NOW, key=private("till-1"))
        signed[name] = {"name": name, "path": path_of(body), "text": text}
    added, last = signed.pop("support"), signed["deactivate"]
    later = {**claims_of(last["text"]), "mood": {"of": ["the", "till"]}}
    text = jws.sign(later, typ=REQUEST_TYP, key=private("till-1"), member="jwk")
    with_later = {"name": "a claim of a later version is ignored", "path": last["path"], "text": text}
    made = [*signed.values(), with_later, added]
    for vector in made:
        vector.update(aud=ISSUER, key="till-1", claims=claims_of(vector["text"]))
    return made


def leases() -> dict[str, tuple[str, Lease, str]]:
    """Name each lease's keyset, the lease and its key."""
    perpetual = Lease(
        iss=ISSUER,
        sub=ACTIVATION,
        aud="pos",
        iat=NOW,
        nbf=NOW,
        exp=NOW + 30 * DAY,
        jti=token("jti 1"),
        jkt=private("till-1").public.thumbprint,
        rid=token("heartbeat"),
        license=LICENSE,
        project=PROJECT,
        environment="production",
        entitlements=("sell", "reports"),
        degraded=("sell",),
        refresh_at=NOW + DAY // 4,
        soft_exp=NOW + 7 * DAY,
        use_until=None,
        support_until=NOW + 365 * DAY,
        updates_until=NOW + 365 * DAY,
        seq=8,
        nonce=token("nonce 8"),
        min_keyset=1,
        policy_name="default",
        policy_version=1,
    )
    term = dataclasses.replace(
        perpetual, jti=token("jti 2"), use_until=NOW + 90 * DAY, support_until=None, updates_until=None, offline=True
    )
    return {"perpetual": ("v1", perpetual, "online-1"), "offline for a term": ("v2", term, "online-2")}


def statements() -> dict[str, tuple[str, Statement, str]]:
    """Name each statement's keyset, the statement and its key."""
    revoked = Statement(
        iss=ISSUER,
        iat=NOW,
        jti=token("jti 3"),
        jkt=private("till-1").public.thumbprint,
        rid=token("heartbeat"),
        code="license_revoked",
        clauses=("K-13", "X-03"),
        sub=ACTIVATION,
    )
    in_use = dataclasses.replace(
        revoked,
        code="license_in_use",
        clauses=("NX-03",),
        sub=None,
        retry_at=NOW + DAY,
        options=("move", "ask_support"),
    )
    return {"revoked": ("v1", revoked, "online-1"), "refused with options": ("v2", in_use, "online-2")}


def answer_vectors() -> list[Vector]:
    """Sign each lease and each statement."""
    made: list[Vector] = []
    for name, (keyset, lease, key) in leases().items():
        made.append({"name": name, "kind": "lease", "keyset": keyset, "text": sign_lease(lease, private(key))})
    for name, (keyset, said, key) in statements().items():
        made.append({"name": name, "kind": "statement", "keyset": keyset, "text": sign_statement(said, private(key))})
    for vector in made:
        vector["claims"] = claims_of(vector["text"])
    return made


def license_key(label: str, prefix: str = "POS") -> str:
    """Derive a license key; a value that is drawn again takes the next label."""
    draws = iter(range(1000))
    return format_key(prefix, lambda count: hashlib.sha512(f"{label} {next(draws)}".encode()).digest()[:count])


def license_key_vectors() -> list[Vector]:
    """Make keys as they are given out, as people type them, and as they go wrong."""
    key = license_key("first")
    body = normalize(key)
    typed = {
        "as given out": key,
        "lower case": key.lower(),
        "without prefix": key[4:],
        "en dashes and NBSP": "\u00a0" + key.replace("-", "\u2013") + "\u00a0",
        "zero width spaces": "\u200b".join(key),
        "full width": "".join(chr(ord(symbol) + 0xFEE0) for symbol in key),
        "O for 0, l for 1": key[:4] + key[4:].replace("0", "o").replace("1", "l"),
    }
    made: list[Vector] = [
        {"name": name, "typed": text, "body": body, "hint": hint(text)} for name, text in typed.items()
    ]
    other = license_key("second", "A1")
    made.append({"name": "another key", "typed": other, "body": normalize(other), "hint": hint(other)})
    swapped = key[:-1] + ("0" if key[-1] != "0" else "2")
    wrong = {
        "empty": "",
        "one symbol short": key[4:-1],
        "wrong check symbol": swapped,
        "symbol U": key[:-2] + "U" + key[-1],
    }
    made += [{"name": name, "typed": text, "code": "malformed"} for name, text in wrong.items()]
    return made


def claims_of(text: str) -> Vector:
    """Read the payload of a compact JWS without believing it."""
    claims: Vector = json.loads(b64.decode(text.split(".")[1]))
    return claims
