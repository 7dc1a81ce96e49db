"""Warranty claims with their quotes.

Only tables are added, so that a server of the version before goes on beside this one (invariant I18).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_code = "0001"

GROUNDS = (
    "quality",
    "misuse",
    "foreign_software",
    "abnormal",
    "force_majeure",
    "unauthorized_service",
    "unofficial_channel",
)


def upgrade() -> None:
    _contract()
    _claim()
    _finding()
    _decision()
    _quote()
    _work()
    _rma()
    _replacement()


def _id(name: str = "id") -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _word(name: str, length: int, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=optional)


def _text(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=optional)


def _moment(name: str, *, optional: bool = False) -> sa.Column[Any]:
    """Whole seconds since the epoch, or an amount in minor units."""
    return sa.Column(name, sa.BigInteger(), nullable=optional)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _number(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=optional)


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def _of(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def _one_of(table: str, column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return _check(table, column, f"{column} IN ({listed})")


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _contract() -> None:
    table = "warranty_contract"
    op.create_table(
        table,
        _id(),
        _id("license_id"),
        _word("number", 100),
        _word("serial", 100),
        _number("warranty_months", optional=True),
        _word("starts_on", 10),
        _word("start_basis", 16),
        _word("partner", 64, optional=True),
        _word("region", 64, optional=True),
        sa.Column("contacts", sa.JSON(), nullable=False),
        _moment("recorded_at"),
        _text("recorded_by"),
        _key(table),
        _of(table, "license_id", "license"),
        _one_of(table, "start_basis", ("delivery", "acceptance", "invoice")),
    )
    _index(table, "license_id")


def _claim() -> None:
    table = "warranty_claim"
    op.create_table(
        table,
        _id(),
        _id("license_id"),
        _word("kind", 16),
        _word("serial", 100, optional=True),
        _text("symptoms"),
        _text("diagnostics", optional=True),
        _word("route", 64),
        _moment("reported_at"),
        _moment("opened_at"),
        _text("opened_by"),
        _key(table),
        _of(table, "license_id", "license"),
        _one_of(table, "kind", ("device", "development")),
    )
    _index(table, "license_id")


def _finding() -> None:
    table = "warranty_finding"
    op.create_table(
        table,
        _id(),
        _id("claim_id"),
        _word("fault", 100),
        _word("ground", 32),
        _flag("caused"),
        _flag("hardware"),
        _word("detail", 32, optional=True),
        _text("evidence"),
        _word("worked_by", 64, optional=True),
        _word("worked_on", 10, optional=True),
        _moment("found_at"),
        _text("found_by"),
        _key(table),
        _of(table, "claim_id", "warranty_claim"),
        _one_of(table, "ground", GROUNDS),
    )
    _index(table, "claim_id")


def _decision() -> None:
    table = "warranty_decision"
    op.create_table(
        table,
        _id(),
        _id("claim_id"),
        _number("number"),
        _word("outcome", 16),
        _number("findings"),
        _moment("decided_at"),
        _text("decided_by"),
        _key(table),
        _of(table, "claim_id", "warranty_claim"),
        _unique(table, "claim_id", "number"),
        _one_of(table, "outcome", ("free", "chargeable")),
        _check(table, "number", "number IN (1, 2)"),
    )


def _quote() -> None:
    table = "warranty_quote"
    op.create_table(
        table,
        _id(),
        _id("claim_id"),
        _number("version"),
        _moment("amount_minor"),
        _word("currency", 3),
        _text("reason"),
        _moment("valid_until"),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        _moment("sent_at"),
        _text("sent_by"),
        _moment("accepted_at", optional=True),
        _key(table),
        _of(table, "claim_id", "warranty_claim"),
        _unique(table, "claim_id", "version"),
        _unique(table, "token_hash"),
        _check(table, "amount_minor", "amount_minor >= 0"),
        _check(table, "token_hash", "length(token_hash) = 32"),
    )


def _work() -> None:
    table = "warranty_work"
    op.create_table(
        table,
        _id(),
        _id("claim_id"),
        _number("quote_version", optional=True),
        _moment("started_at"),
        _text("started_by"),
        _key(table),
        _of(table, "claim_id", "warranty_claim"),
    )
    _index(table, "claim_id")


def _rma() -> None:
    table = "warranty_rma"
    op.create_table(
        table,
        _id(),
        _id("claim_id"),
        _word("number", 32),
        _text("address"),
        _moment("issued_at"),
        _moment("expires_at"),
        _key(table),
        _of(table, "claim_id", "warranty_claim"),
        _unique(table, "number"),
    )
    _index(table, "claim_id")


def _replacement() -> None:
    table = "device_replacement"
    op.create_table(
        table,
        _id(),
        _id("claim_id"),
        _id("license_id"),
        _word("old_serial", 100),
        _word("new_serial", 100),
        _moment("replaced_at"),
        _text("replaced_by"),
        _key(table),
        _of(table, "claim_id", "warranty_claim"),
        _of(table, "license_id", "license"),
        _unique(table, "claim_id"),
    )
    _index(table, "license_id")
