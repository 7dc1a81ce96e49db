"""Closures of the vendor that were withdrawn: when, and by whom.

Only columns that may be null are added, so that a server of the version before goes on beside this one (invariant I18).
It counts a withdrawn closure as one that runs to its end.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    # Whole seconds since the epoch.
    op.add_column("vendor_closure", sa.Column("withdrawn_at", sa.BigInteger(), nullable=True))
    op.add_column("vendor_closure", sa.Column("withdrawn_by", sa.Text(), nullable=True))
