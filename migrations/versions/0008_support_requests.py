"""Support requests with their events, closures, grants and hotfixes.

Only tables are added, so that a server of the version before goes on beside this one (invariant I18).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    _request()
    _event()
    _closure()
    _grant()
    _hotfix()


def _request() -> None:
    table = "support_request"
    op.create_table(
        table,
        _id("id"),
        _id("customer_id"),
        _id("product_id"),
        _id("license_id", optional=True),
        _id("project_id", optional=True),
        _word("policy_name", 64),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        _word("task", 64),
        sa.Column("presale", sa.Boolean(), nullable=False),
        _word("reference", 255, optional=True),
        _word("matter", 255, optional=True),
        _word("platform_version", 64, optional=True),
        _id("duplicate_of", optional=True),
        _word("taken_as", 64),
        _moment("received_at"),
        _moment("created_at"),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_name", "policy_version"],
            ["policy_version.name", "policy_version.version"],
            name=op.f(f"fk_{table}_policy_name_policy_version_policy_version"),
        ),
        _refers(table, "customer_id", "customer"),
        _refers(table, "product_id", "product"),
        _refers(table, "license_id", "license"),
        _refers(table, "project_id", "project"),
        _refers(table, "duplicate_of", "support_request"),
        _key(table),
    )
    for columns in (("customer_id",), ("license_id",), ("customer_id", "matter")):
        _index(table, *columns)


def _event() -> None:
    op.create_table(
        "support_event",
        _id("id"),
        _id("request_id"),
        _word("kind", 32),
        _moment("at"),
        sa.Column("details", sa.JSON(), nullable=False),
        *_noted(),
        _refers("support_event", "request_id", "support_request"),
        _key("support_event"),
    )
    _index("support_event", "request_id", "at")


def _closure() -> None:
    op.create_table(
        "vendor_closure",
        _id("id"),
        _moment("notified_at"),
        _moment("starts_at"),
        _moment("ends_at"),
        sa.Column("reason", sa.Text(), nullable=False),
        *_noted(),
        sa.CheckConstraint("notified_at <= starts_at AND starts_at < ends_at", name=op.f("ck_vendor_closure_order")),
        _key("vendor_closure"),
    )


def _grant() -> None:
    table = "remote_access_grant"
    op.create_table(
        table,
        _id("id"),
        _id("request_id"),
        _id("granted_by"),
        sa.Column("scope", sa.Text(), nullable=False),
        _moment("starts_at"),
        _moment("until"),
        *_noted(),
        sa.CheckConstraint("starts_at < until", name=op.f(f"ck_{table}_order")),
        _refers(table, "request_id", "support_request"),
        _refers(table, "granted_by", "customer"),
        _key(table),
    )
    _index(table, "request_id")


def _hotfix() -> None:
    op.create_table(
        "hotfix",
        _id("id"),
        _id("request_id"),
        _id("license_id"),
        _id("activation_id", optional=True),
        _word("severity", 32),
        sa.Column("files", sa.JSON(), nullable=False),
        _moment("applied_at"),
        *_noted(),
        _refers("hotfix", "request_id", "support_request"),
        _refers("hotfix", "license_id", "license"),
        _refers("hotfix", "activation_id", "activation"),
        _key("hotfix"),
    )
    for column in ("request_id", "license_id"):
        _index("hotfix", column)


def _noted() -> tuple[sa.Column[Any], ...]:
    """When and by whom a row was written."""
    return (_moment("recorded_at"), sa.Column("actor", sa.Text(), nullable=False))


def _id(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=optional)


def _word(name: str, length: int, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=optional)


def _moment(name: str) -> sa.Column[Any]:
    """Whole seconds since the epoch."""
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
