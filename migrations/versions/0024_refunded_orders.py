"""An order that was under review and never had a license tells when it was paid back.

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant I18).
To that one such an order waits still: nobody should release it there before the old server is gone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("purchase_order", sa.Column("refunded_at", sa.BigInteger(), nullable=True))
