"""Software releases and downloads.

Only tables are added, so that a server of the version before goes on beside this one (invariant I18).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    _release()
    _fix()
    _download()


def _id(name: str = "id", *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=optional)


def _word(name: str, length: int, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=optional)


def _moment(name: str, *, optional: bool = False) -> sa.Column[Any]:
    """Whole seconds since the epoch, or a size in bytes."""
    return sa.Column(name, sa.BigInteger(), nullable=optional)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _of(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _release() -> None:
    table = "software_release"
    op.create_table(
        table,
        _id(),
        _id("product_id"),
        _word("version", 64),
        _word("version_key", 128),
        _word("kind", 16),
        _word("severity", 16, optional=True),
        _word("platform_min", 64, optional=True),
        _word("platform_max", 64, optional=True),
        _flag("always_free"),
        _flag("prerelease"),
        _word("sha256", 64),
        _moment("size"),
        _text("url"),
        _text("notes", optional=True),
        _moment("published_at"),
        _moment("created_at"),
        _moment("withdrawn_at", optional=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        _of(table, "product_id", "product"),
        sa.UniqueConstraint("product_id", "version_key", name=op.f(f"uq_{table}_product_id_version_key")),
        _check(table, "kind", "kind IN ('feature', 'security', 'compatibility', 'corrective', 'hotfix')"),
        _check(table, "size", "size >= 0"),
    )


def _fix() -> None:
    table = "release_fix"
    op.create_table(
        table,
        _id("release_id"),
        _id("license_id"),
        _moment("reported_at"),
        sa.PrimaryKeyConstraint("release_id", "license_id", name=op.f(f"pk_{table}")),
        _of(table, "release_id", "software_release"),
        _of(table, "license_id", "license"),
    )


def _download() -> None:
    table = "download"
    op.create_table(
        table,
        _id(),
        _id("license_id"),
        _id("release_id"),
        _id("activation_id", optional=True),
        sa.Column("grant_hash", sa.LargeBinary(32), nullable=False),
        _moment("granted_at"),
        _moment("expires_at"),
        _moment("used_at", optional=True),
        _text("granted_by"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        _of(table, "license_id", "license"),
        _of(table, "release_id", "software_release"),
        _of(table, "activation_id", "activation"),
        sa.UniqueConstraint("grant_hash", name=op.f(f"uq_{table}_grant_hash")),
        _check(table, "grant_hash", "length(grant_hash) = 32"),
    )
    for column in ("license_id", "activation_id"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
