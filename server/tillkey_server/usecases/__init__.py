"""One file for each verb: open a transaction, gather facts, ask the rule, write, commit, and only then sign.

A use case is the one place where a transaction begins (law 1). It takes `services` first, then what it is asked; the
clock is read once, at its start. An expected no comes back as a value; `NotFound`, `BadInput` and `Unavailable` are
raised.
"""
