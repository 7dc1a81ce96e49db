"""Refunds, the balance ledger and the outbox.

Only tables are added, so that a server of the version before goes on beside this one (invariant I18). The ledger's
entries can be added and read, and nothing else: triggers refuse the rest on both databases.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
oldest_code = "0001"

_NEVER = "an entry of the ledger is never changed"


def upgrade() -> None:
    _refund_request()
    _refund()
    _refund_part()
    _balance_entry()
    _outbox()
    _legal_hold()
    _guard_the_ledger()


def _refund_request() -> None:
    op.create_table(
        "refund_request",
        _id(),
        _uuid("license_id"),
        _moment("asked_at"),
        _moment("recorded_at"),
        _text("recorded_by"),
        _json("asked"),
        _word("outcome", 16),
        _word("code", 64),
        _json("clauses"),
        _json("facts"),
        _word("policy_name", 64),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        _moment("decided_at"),
        _text("decided_by"),
        _text("reason", optional=True),
        _moment("closed_at", optional=True),
        _key("refund_request", "id"),
        _reference("refund_request", "license_id", "license"),
        _check("refund_request", "outcome", "outcome IN ('allow', 'deny', 'pend')"),
    )
    _index("refund_request", "license_id")
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "one_open_refund_request_per_license",
        "refund_request",
        ["license_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _refund() -> None:
    op.create_table(
        "refund",
        _id(),
        _uuid("request_id"),
        _uuid("license_id"),
        _uuid("customer_id"),
        _amount("amount_minor"),
        _amount("tax_minor"),
        _word("currency", 3),
        _word("destination", 32),
        _word("ends", 16),
        _word("code", 64),
        _moment("granted_at"),
        sa.Column("active_at_grant", sa.Integer(), nullable=False),
        _moment("effective_latest_at", optional=True),
        _moment("attested_at", optional=True),
        _text("attested_by", optional=True),
        _text("statement", optional=True),
        sa.Column("vouched", sa.Boolean(), nullable=False),
        _moment("paid_out_at", optional=True),
        _word("provider_refund_id", 255, optional=True),
        _moment("failed_at", optional=True),
        _text("failure", optional=True),
        _moment("used_after_at", optional=True),
        _key("refund", "id"),
        _unique("refund", "request_id"),
        _unique("refund", "provider_refund_id"),
        _reference("refund", "request_id", "refund_request"),
        _reference("refund", "license_id", "license"),
        _reference("refund", "customer_id", "customer"),
        _check("refund", "amount_minor", "amount_minor > 0"),
        _check("refund", "tax_minor", "tax_minor >= 0 AND tax_minor <= amount_minor"),
    )
    _index("refund", "license_id")
    _index("refund", "customer_id")


def _refund_part() -> None:
    op.create_table(
        "refund_part",
        _uuid("refund_id"),
        _uuid("order_line_id"),
        _word("kind", 16),
        _amount("minor"),
        _amount("tax_minor"),
        _key("refund_part", "refund_id", "order_line_id"),
        _reference("refund_part", "refund_id", "refund"),
        _reference("refund_part", "order_line_id", "order_line"),
        _check("refund_part", "amounts", "minor >= 0 AND tax_minor >= 0"),
    )


def _balance_entry() -> None:
    kinds = "'refund', 'refund_reversed', 'spent', 'paid_out', 'adjusted'"
    op.create_table(
        "balance_entry",
        _id(),
        _uuid("customer_id"),
        _word("currency", 3),
        _amount("amount_minor"),
        _word("kind", 16),
        _word("reference", 255),
        _moment("at"),
        _text("actor"),
        _key("balance_entry", "id"),
        _unique("balance_entry", "kind", "reference"),
        _reference("balance_entry", "customer_id", "customer"),
        _check("balance_entry", "amount_minor", "amount_minor <> 0"),
        _check("balance_entry", "kind", f"kind IN ({kinds})"),
    )
    _index("balance_entry", "customer_id", "currency")


def _outbox() -> None:
    op.create_table(
        "outbox",
        _id(),
        _word("kind", 64),
        _word("subject", 255),
        _json("payload"),
        _moment("created_at"),
        _moment("done_at", optional=True),
        _key("outbox", "id"),
    )
    _index("outbox", "done_at", "id")


def _legal_hold() -> None:
    op.create_table(
        "legal_hold",
        _id(),
        _uuid("license_id"),
        _moment("held_at"),
        _moment("released_at"),
        _word("outcome", 32),
        _key("legal_hold", "id"),
        _reference("legal_hold", "license_id", "license"),
        _check("legal_hold", "outcome", "outcome IN ('cleared', 'violation_confirmed')"),
    )
    _index("legal_hold", "license_id")


def _guard_the_ledger() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER balance_entry_stays BEFORE UPDATE OR DELETE ON balance_entry"
            " FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER balance_entry_stays_on_{change.lower()} BEFORE {change} ON balance_entry"
            f" BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _id() -> sa.Column[Any]:
    return _uuid("id")


def _uuid(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _moment(name: str, *, optional: bool = False) -> sa.Column[Any]:
    """Whole seconds since the epoch."""
    return sa.Column(name, sa.BigInteger(), nullable=optional)


def _amount(name: str) -> sa.Column[Any]:
    """Minor units."""
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _word(name: str, length: int, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=optional)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=False)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
