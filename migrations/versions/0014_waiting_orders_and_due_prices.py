"""Orders under review are found by their age, and a renewal that fell due keeps the price that was told.

Only an index and columns that may be null are added, so that a server of the version before goes on beside this one
(invariant I18). What falls due there has no price on record; it is worked out from the terms, as it was before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    waiting = sa.text("released_at IS NULL AND held_at IS NOT NULL")
    columns = ["held_at", "id"]
    op.create_index("orders_under_review", "purchase_order", columns, sqlite_where=waiting, postgresql_where=waiting)
    op.add_column("subscription_renewal", sa.Column("price_minor", sa.BigInteger(), nullable=True))
    op.add_column("subscription_renewal", sa.Column("currency", sa.String(length=3), nullable=True))
