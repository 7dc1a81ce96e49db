"""A forced deactivation can have evidence that the machine is gone (NX-08).

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant I18).
An account that such a server erases meanwhile keeps its evidence: stop it before the first evidence is given.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("forced_deactivation", sa.Column("evidence", sa.Text(), nullable=True))
