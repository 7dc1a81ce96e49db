"""The tables around the licenses: who may ask (API keys), what was answered (idempotency), how often, and the seals.

Each of them was added by migration 0002, which only adds tables: a server of the version before goes on beside it
(invariant I18).
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Integer, LargeBinary, String, Table, Text, Uuid

from tillkey_server.store.columns import HASH_BYTES, TOKEN_LENGTH, instant, keyed_hash, metadata, one_of

ROLES = ("admin", "supervisor", "agent", "integration", "read_only")

api_key = Table(
    "api_key",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    keyed_hash("key_hash"),
    Column("key_hint", String(32), nullable=False),
    # Lists of ids; null: every customer, every product.
    Column("customers", JSON(none_as_null=True), nullable=True),
    Column("products", JSON(none_as_null=True), nullable=True),
    instant("created_at"),
    Column("created_by", Text, nullable=False),
    instant("expires_at", optional=True),
    instant("revoked_at", optional=True),
    instant("last_used_at", optional=True),
    one_of("role", ROLES),
    CheckConstraint(f"length(key_hash) = {HASH_BYTES}", name="key_hash"),
)

idempotency = Table(
    "idempotency",
    metadata,
    # Whose key it is: two API keys may choose the same idempotency key.
    Column("owner", String(64), primary_key=True),
    Column("key_hash", LargeBinary(HASH_BYTES), primary_key=True),
    Column("request_hash", LargeBinary(HASH_BYTES), nullable=False),
    # The attempt that may write the answer; a later one takes over where the earlier died.
    Column("claim", String(TOKEN_LENGTH), nullable=False),
    instant("claimed_at"),
    instant("done_at", optional=True),
    Column("status", Integer, nullable=True),
    # The answer, sealed under the idempotency key itself, which is not stored: it may hold a license key.
    Column("answer", LargeBinary, nullable=True),
    CheckConstraint("(done_at IS NULL) = (answer IS NULL)", name="done"),
    CheckConstraint("(done_at IS NULL) = (status IS NULL)", name="status"),
)

rate_limit = Table(
    "rate_limit",
    metadata,
    # A keyed hash of what is counted: no address stands here in clear.
    Column("bucket", LargeBinary(HASH_BYTES), primary_key=True),
    instant("due"),
)

audit_seal = Table(
    "audit_seal",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    # No foreign key: that a row is gone is what the seal is there to show.
    Column("event_id", BigInteger, nullable=False, unique=True),
    Column("hash", LargeBinary(HASH_BYTES), nullable=False),
    instant("sealed_at"),
    CheckConstraint("seq >= 1", name="seq"),
    CheckConstraint(f"length(hash) = {HASH_BYTES}", name="hash"),
)

worker_lease = Table(
    "worker_lease",
    metadata,
    # One row for each kind of background work; whoever holds it does the work until `until`.
    Column("name", String(64), primary_key=True),
    Column("holder", String(TOKEN_LENGTH), nullable=False),
    instant("until"),
)
