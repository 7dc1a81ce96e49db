"""API keys, idempotency keys, rate limits, the seals of the audit log, and who does the background work.

Only tables are added, so that a server of the version before goes on beside this one (invariant I18).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    _api_key()
    _idempotency()
    _rate_limit()
    _audit_seal()
    _worker_lease()


def _moment(name: str, *, optional: bool = False) -> sa.Column[Any]:
    """Whole seconds since the epoch."""
    return sa.Column(name, sa.BigInteger(), nullable=optional)


def _hash(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(32), nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _unique(table: str, column: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(column, name=op.f(f"uq_{table}_{column}"))


def _api_key() -> None:
    roles = ", ".join(f"'{role}'" for role in ("admin", "supervisor", "agent", "integration", "read_only"))
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        _hash("key_hash"),
        sa.Column("key_hint", sa.String(32), nullable=False),
        sa.Column("customers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("products", sa.JSON(none_as_null=True), nullable=True),
        _moment("created_at"),
        sa.Column("created_by", sa.Text(), nullable=False),
        _moment("expires_at", optional=True),
        _moment("revoked_at", optional=True),
        _moment("last_used_at", optional=True),
        _key("api_key", "id"),
        _unique("api_key", "key_hash"),
        _check("api_key", "role", f"role IN ({roles})"),
        _check("api_key", "key_hash", "length(key_hash) = 32"),
    )


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.String(64), nullable=False),
        _hash("key_hash"),
        _hash("request_hash"),
        sa.Column("claim", sa.String(22), nullable=False),
        _moment("claimed_at"),
        _moment("done_at", optional=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        _key("idempotency", "owner", "key_hash"),
        _check("idempotency", "done", "(done_at IS NULL) = (answer IS NULL)"),
        _check("idempotency", "status", "(done_at IS NULL) = (status IS NULL)"),
    )


def _rate_limit() -> None:
    op.create_table("rate_limit", _hash("bucket"), _moment("due"), _key("rate_limit", "bucket"))


def _audit_seal() -> None:
    op.create_table(
        "audit_seal",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        _hash("hash"),
        _moment("sealed_at"),
        _key("audit_seal", "seq"),
        _unique("audit_seal", "event_id"),
        _check("audit_seal", "seq", "seq >= 1"),
        _check("audit_seal", "hash", "length(hash) = 32"),
    )


def _worker_lease() -> None:
    op.create_table(
        "worker_lease",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(22), nullable=False),
        _moment("until"),
        _key("worker_lease", "name"),
    )
