"""What terms ask about products, orders and their lines.

Only columns that may be null are added, so that a server of the version before goes on beside this one (invariant I18).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)


def _added() -> dict[str, list[sa.Column[Any]]]:
    return {
        "product": [
            _word("kind"),
            _word("family", 64),
            _json("requires"),
            _json("parts"),
            _json("advertised"),
            _number("refund_days"),
            _moment("offline_at"),
            _moment("retired_at"),
        ],
        "purchase_order": [_word("customer_type"), _moment("held_at"), _moment("released_at")],
        "order_line": [
            _word("kind"),
            _number("beside"),
            _moment("list_price_minor"),
            _moment("tax_minor"),
            _json("advertised"),
        ],
    }


def _word(name: str, length: int = 16) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=True)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=True)


def _moment(name: str) -> sa.Column[Any]:
    """Whole seconds since the epoch, or an amount in minor units."""
    return sa.Column(name, sa.BigInteger(), nullable=True)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=True)
