"""Support terms: the paid segments of a license's windows, and subscriptions.

Only tables and columns that may be null are added, so that a server of the version before goes on beside this one
(invariant I18). What was sold before needs no rows: its first segment is its order line.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("order_line", sa.Column("term_months", sa.Integer(), nullable=True))
    op.add_column("license", _moment("clocks_from", optional=True))
    _support_term()
    _support_ending()
    _subscription()
    _subscription_renewal()


def _moment(name: str, *, optional: bool = False) -> sa.Column[Any]:
    """Whole seconds since the epoch."""
    return sa.Column(name, sa.BigInteger(), nullable=optional)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _unique(table: str, column: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(column, name=op.f(f"uq_{table}_{column}"))


def _of_license(table: str) -> None:
    op.create_index(op.f(f"ix_{table}_license_id"), table, ["license_id"])


def _support_term() -> None:
    op.create_table(
        "support_term",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("license_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        _moment("paid_at"),
        sa.Column("clocks", sa.JSON(), nullable=False),
        _moment("recorded_at"),
        _moment("refunded_at", optional=True),
        _key("support_term", "id"),
        _unique("support_term", "order_line_id"),
        _reference("support_term", "license_id", "license"),
        _reference("support_term", "order_line_id", "order_line"),
        _check("support_term", "months", "months >= 1"),
    )
    _of_license("support_term")


def _support_ending() -> None:
    op.create_table(
        "support_ending",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("license_id", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.Column("clocks", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        _moment("recorded_at"),
        _moment("withdrawn_at", optional=True),
        _key("support_ending", "id"),
        _reference("support_ending", "license_id", "license"),
        _check("support_ending", "reason", "reason IN ('refund', 'transfer', 'agent')"),
    )
    _of_license("support_ending")


def _subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("license_id", sa.Uuid(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        _moment("started_at"),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("next_period", sa.Integer(), nullable=False),
        _moment("next_due_at"),
        _moment("recorded_at"),
        _moment("cancelled_at", optional=True),
        sa.Column("cancel_reason", sa.String(64), nullable=True),
        _moment("ended_at", optional=True),
        _key("subscription", "id"),
        _reference("subscription", "license_id", "license"),
        _check("subscription", "months", "months >= 1"),
        _check("subscription", "price_minor", "price_minor >= 0"),
        _check("subscription", "cancelled", "(cancelled_at IS NULL) = (cancel_reason IS NULL)"),
    )
    _of_license("subscription")
    op.create_index(op.f("ix_subscription_next_due_at"), "subscription", ["next_due_at"])
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "one_open_subscription_per_license",
        "subscription",
        ["license_id"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )


def _subscription_renewal() -> None:
    op.create_table(
        "subscription_renewal",
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Integer(), autoincrement=False, nullable=False),
        _moment("due_at"),
        _moment("recorded_at"),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        _moment("dropped_at", optional=True),
        _key("subscription_renewal", "subscription_id", "period"),
        _unique("subscription_renewal", "order_line_id"),
        _reference("subscription_renewal", "subscription_id", "subscription"),
        _reference("subscription_renewal", "order_line_id", "order_line"),
        _check("subscription_renewal", "period", "period >= 1"),
    )
