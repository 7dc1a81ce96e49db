"""Accounts: suspension, termination, credits and codes of other marketplaces.

Only tables and columns that may be null are added, so that a server of the version before goes on beside this one
(invariant I18).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_code = "0001"

_OPEN = sa.text("canceled_at IS NULL AND done_at IS NULL")


def upgrade() -> None:
    for name in ("account_suspended_at", "account_stops_at", "account_suspended_until"):
        op.add_column("license", _moment(name, optional=True))
    op.add_column("order_line", sa.Column("bundle", sa.String(64), nullable=True))
    op.add_column("order_line", sa.Column("bundle_line", sa.Integer(), nullable=True))
    _reviews()
    _suspensions()
    _terminations()
    _waivers_and_tombstones()
    _credits_and_codes()


def _reviews() -> None:
    op.create_table(
        "order_review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        _moment("at"),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('held', 'released', 'refund_proposed')", name=op.f("ck_order_review_kind")),
        *_keys("order_review", order_id="purchase_order"),
    )
    op.create_index(op.f("ix_order_review_order_id"), "order_review", ["order_id"])


def _suspensions() -> None:
    op.create_table(
        "account_suspension",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("behavior", sa.String(48), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("fraud", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        _moment("proposed_at"),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        _moment("approved_at", optional=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        _moment("stops_at", optional=True),
        _moment("until", optional=True),
        _moment("lifted_at", optional=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.CheckConstraint("severity IN ('temporary', 'permanent')", name=op.f("ck_account_suspension_severity")),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by IS NULL)", name=op.f("ck_account_suspension_approved")
        ),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_account_suspension_lifted")),
        *_keys("account_suspension", customer_id="customer"),
    )
    op.create_index(op.f("ix_account_suspension_customer_id"), "account_suspension", ["customer_id"])


def _terminations() -> None:
    op.create_table(
        "account_termination",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("ended_by", sa.String(16), nullable=False),
        sa.Column("behavior", sa.String(48), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _moment("requested_at"),
        sa.Column("requested_by", sa.Text(), nullable=False),
        _moment("approved_at", optional=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        _moment("due_at", optional=True),
        _moment("canceled_at", optional=True),
        _moment("done_at", optional=True),
        sa.CheckConstraint("ended_by IN ('customer', 'vendor')", name=op.f("ck_account_termination_ended_by")),
        sa.CheckConstraint("(approved_at IS NULL) = (due_at IS NULL)", name=op.f("ck_account_termination_approved")),
        *_keys("account_termination", customer_id="customer"),
    )
    op.create_index(op.f("ix_account_termination_customer_id"), "account_termination", ["customer_id"])
    op.create_index(
        "one_open_termination",
        "account_termination",
        ["customer_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _waivers_and_tombstones() -> None:
    op.create_table(
        "balance_waiver",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("termination_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        _moment("at"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("minor > 0", name=op.f("ck_balance_waiver_minor")),
        *_keys("balance_waiver", termination_id="account_termination"),
    )
    op.create_index(op.f("ix_balance_waiver_termination_id"), "balance_waiver", ["termination_id"])
    op.create_table(
        "tombstone",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("termination_id", sa.Uuid(), nullable=False),
        _moment("at"),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_tombstone")),
    )


def _credits_and_codes() -> None:
    op.create_table(
        "install_credit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        _moment("granted_at"),
        _moment("used_at", optional=True),
        sa.Column("used_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(used_at IS NULL) = (used_by IS NULL)", name=op.f("ck_install_credit_used")),
        sa.UniqueConstraint("order_line_id", name=op.f("uq_install_credit_order_line_id")),
        *_keys("install_credit", order_line_id="order_line", customer_id="customer"),
    )
    op.create_index(op.f("ix_install_credit_customer_id"), "install_credit", ["customer_id"])
    op.create_table(
        "purchase_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("license_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        _moment("claimed_at"),
        sa.CheckConstraint("length(code_hash) = 32", name=op.f("ck_purchase_code_code_hash")),
        sa.UniqueConstraint("channel", "code_hash", name=op.f("uq_purchase_code_channel_code_hash")),
        *_keys("purchase_code", license_id="license", customer_id="customer"),
    )


def _keys(table: str, **references: str) -> list[sa.schema.SchemaItem]:
    """Return the primary key `id` and the foreign keys of a table."""
    return [
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        *(
            sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))
            for column, to in references.items()
        ),
    ]


def _moment(name: str, *, optional: bool = False) -> sa.Column[int]:
    """Whole seconds since the epoch."""
    return sa.Column(name, sa.BigInteger(), nullable=optional)
