"""The store: tables, and queries that give rows as frozen facts.

Nothing in this room opens or commits a transaction except `db`, and only a use case
calls that (law 1). Every function takes an open connection as its first argument.
"""
