"""Until when a marketplace says that it supports what a purchase code bought.

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant I18).
What it imports is counted by the months that were chosen there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    # Whole seconds since the epoch.
    op.add_column("purchase_code", sa.Column("supported_until", sa.BigInteger(), nullable=True))
