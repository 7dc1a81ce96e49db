"""Signing: the only room that sees a private key or the pepper.

`ceremony` makes the keys once, `succession` lets others follow them, `keyring` reads them, `mint` signs leases and
statements, `pepper` hashes license keys and derives tickets. The documents themselves are `tillkey.wire`'s. Nothing
here shows a secret in a `repr`, a log line or an error (I16).
"""
