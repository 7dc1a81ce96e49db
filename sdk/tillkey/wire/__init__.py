"""The documents that travel between a till and the license server (PROTOCOL sections 2 to 4).

The law of the format. Claims are only ever added; unknown claims are ignored; a changed meaning needs a new ``typ``;
there is one algorithm, ``Ed25519`` (RFC 9864). Verifiers never re-serialise: a signature covers the bytes that came.
Everything here is pure: random bytes and the time are arguments, and nothing but the standard library and
``cryptography`` is imported. SDK and server share these modules, so that no rule of the format is written twice.

==================  ============================================================
``b64``             strict base64url
``strict_json``     JSON without what two parsers read differently
``keys``            Ed25519 keys as JWK, thumbprints, weak keys refused
``jws``             compact signatures with an exact header
``fields``          types, lengths and alphabets of claims
``request``         what a till asks
``answers``         leases and statements
``keyset``          the chain of keysets back to the pinned one
``license_key``     the key that people read aloud
==================  ============================================================
"""
