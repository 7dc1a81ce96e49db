"""What of a price was paid with a gift card or a coupon is known, and goes back as one.

Only columns that may be null are added, so that a server of the version before goes on beside this one (invariant I18).
It takes no order that tells a coupon, and what it grants itself goes back as money, as it did before; a price is never
paid back twice for that, since both count what went back in all. Only a payout that is told as failed there takes a
coupon, which the balance never held, off it as well: tell such failures to a server of this version.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    for table in ("order_line", "refund", "refund_part"):
        op.add_column(table, sa.Column("coupon_minor", sa.BigInteger(), nullable=True))
