"""An order line keeps the refund window that its product had at the sale, so that a later catalogue changes no order.

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant
I18). A line without it, of before or by that server, has the window that its license shows: what the buyer was told.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("order_line", sa.Column("refund_days", sa.Integer(), nullable=True))
