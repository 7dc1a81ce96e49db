"""How a good document is spoilt in one place and signed again, so that nothing but that place speaks against it."""

from __future__ import annotations

import copy
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.golden.documents import claims_of
from tillkey.wire import b64, strict_json
from tillkey.wire.keys import PrivateKey

# 2^255 - 19, the field's prime, and a y of one of the points whose order is 8 (RFC 8032 section 5.1).
PRIME = 2**255 - 19
ORDER_EIGHT_Y = 2707385501144840649318225287225658788936804267575313519463743609750303402022
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Row = tuple[str, str, str]
"""A bad document's text, the code that it is refused with, and the place that is named."""


def row(text: str, field: str, code: str = "malformed") -> Row:
    """Put a row of the table in order."""
    return text, code, field


def point(y: int) -> str:
    """Return the `x` of a JWK whose point has that y and an even x coordinate."""
    return b64.encode(y.to_bytes(32, "little"))


def spare_bits(text: str) -> str:
    """Return another spelling of the same bytes: the last symbol's unused bits are set."""
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) + 1]


def raw(part: Any) -> bytes:
    """Serialise a part, or take it as it is where it is bytes: JSON that our own writer would refuse to make."""
    return part if isinstance(part, bytes) else strict_json.dumps(part)


@dataclass(frozen=True)
class Good:
    """A good compact JWS: its text, header, claims and key."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    key: PrivateKey

    @classmethod
    def of(cls, text: str, key: PrivateKey) -> Good:
        """Take a document apart."""
        header = strict_json.loads(b64.decode(text.split(".", 1)[0]))
        return cls(text, header, claims_of(text), key)

    def signed(self, header: Any, payload: Any, key: PrivateKey | None = None) -> str:
        """Sign whatever header and payload; by another key where one is given."""
        unsigned = f"{b64.encode(raw(header))}.{b64.encode(raw(payload))}"
        return f"{unsigned}.{b64.encode((key or self.key).sign(unsigned.encode()))}"

    def header_with(self, **members: Any) -> str:
        """Return it with other or further header members."""
        return self.signed({**self.header, **members}, self.claims)

    def header_without(self, name: str) -> str:
        """Return it without a header member."""
        return self.signed({member: value for member, value in self.header.items() if member != name}, self.claims)

    def claims_with(self, **members: Any) -> str:
        """Return it with other or further claims."""
        return self.signed(self.header, {**self.claims, **members})

    def claims_without(self, name: str) -> str:
        """Return it without a claim."""
        return self.signed(self.header, {claim: value for claim, value in self.claims.items() if claim != name})

    def changed(self, change: Callable[[Any], None]) -> str:
        """Return it with claims that a function changed in place."""
        claims = copy.deepcopy(dict(self.claims))
        change(claims)
        return self.signed(self.header, claims)

    def ending(self, member: bytes) -> str:
        """Return it with one more member written at the end of the payload, whatever JSON makes of it."""
        return self.signed(self.header, raw(dict(self.claims))[:-1] + b"," + member + b"}")

    def parts(self) -> tuple[str, str, str]:
        """Return header, payload and signature as text."""
        head, payload, signature = self.text.split(".")
        return head, payload, signature

    def unsigned_none(self, alg: str = "none") -> str:
        """Return it as an "unsecured JWS" (RFC 7515 appendix A.5): no signature at all."""
        return f"{b64.encode(raw({**self.header, 'alg': alg}))}.{self.parts()[1]}."

    def keyed_with_public(self, public: bytes) -> str:
        """Return it as HS256 with the public key as the secret (RFC 8725 section 2.1)."""
        unsigned = f"{b64.encode(raw({**self.header, 'alg': 'HS256'}))}.{self.parts()[1]}"
        return f"{unsigned}.{b64.encode(hmac.new(public, unsigned.encode(), hashlib.sha256).digest())}"


def spelling(good: Good, document: str) -> dict[str, Row]:
    """Spell a compact JWS in ways that some decoders let pass, and that ours must not (RFC 7515 section 2)."""
    head, payload, signature = good.parts()
    foreign = payload[:8] + "+/" + payload[10:]
    return {
        "padding after the signature": row(f"{good.text}==", f"{document}.signature"),
        "a space inside the payload": row(f"{head}.{payload[:8]} {payload[8:]}.{signature}", f"{document}.payload"),
        "a line feed at the end": row(f"{good.text}\n", f"{document}.signature"),
        "plus and slash in the payload": row(f"{head}.{foreign}.{signature}", f"{document}.payload"),
        "spare bits in the signature": row(f"{head}.{payload}.{spare_bits(signature)}", f"{document}.signature"),
        "two parts": row(f"{head}.{payload}", document),
        "four parts": row(f"{good.text}.{signature}", document),
        "a letter outside ASCII": row(f"{head}.{payload}.\u0430{signature[1:]}", document),
        "no text at all": row("", document),
    }


def writing(good: Good, document: str) -> dict[str, Row]:
    """Write payloads that two JSON parsers read differently, truly signed (RFC 8725 section 2.4)."""
    claims = raw(dict(good.claims))
    return {
        "a name twice in the payload": row(good.ending(b'"iat":1'), document),
        "a name twice inside an unknown claim": row(good.ending(b'"x":{"a":1,"a":2}'), document),
        "NaN": row(good.ending(b'"x":NaN'), document),
        "minus infinity": row(good.ending(b'"x":-Infinity'), document),
        "a number without a finite value": row(good.ending(b'"x":1e999'), document),
        "an integer of 2^53": row(good.ending(b'"x":9007199254740992'), document),
        "a number of a thousand digits": row(good.ending(b'"x":' + b"9" * 1000), document),
        "nine levels deep": row(good.ending(b'"x":' + b"[" * 8 + b"]" * 8), document),
        "a lone surrogate": row(good.ending(b'"x":"\\ud800"'), document),
        "a NUL in a name": row(good.ending(b'"\\u0000":1'), document),
        "bytes that are not UTF-8": row(good.ending(b'"x":"\xff"'), document),
        "a byte order mark": row(good.signed(good.header, b"\xef\xbb\xbf" + claims), document),
        "a second value after the claims": row(good.signed(good.header, claims + b"{}"), document),
        "claims in a list": row(good.signed(good.header, [dict(good.claims)]), document),
    }
