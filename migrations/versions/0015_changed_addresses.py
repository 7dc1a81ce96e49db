"""When a customer's address was last changed is known, so that a refund may wait before it believes a new address.

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant
I18). What it changes meanwhile has no instant on record, and waits for nothing, as it did before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("customer", sa.Column("readdressed_at", sa.BigInteger(), nullable=True))
