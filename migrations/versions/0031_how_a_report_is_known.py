"""A warranty report that is older than its record tells how that is known (NP-01).

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant
I18). That server dates reports back on the word of whoever opens the claim, as it always did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0029"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("warranty_claim", sa.Column("known_by", sa.String(255), nullable=True))
