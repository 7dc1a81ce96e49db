"""Seats that tills give back after a refund are known, a late payout is told once, and use after a refund is counted.

Only columns that may be null and an index are added, so that a server of the version before goes on beside this one
(invariant I18). A seat that is given back there is not on record, and its payout waits until the lease has run out, as
it did before; use that is noticed there has its first instant and no count.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("activation", sa.Column("given_back_at", sa.BigInteger(), nullable=True))
    op.add_column("refund", sa.Column("used_after_times", sa.Integer(), nullable=True))
    op.add_column("refund", sa.Column("used_after_last_at", sa.BigInteger(), nullable=True))
    op.add_column("refund", sa.Column("late_told_at", sa.BigInteger(), nullable=True))
    to_pay = sa.text("paid_out_at IS NULL AND failed_at IS NULL")
    op.create_index("refunds_to_pay", "refund", ["id"], sqlite_where=to_pay, postgresql_where=to_pay)
