"""A warranty finding can be withdrawn: it takes back what was found of the same before (NP-10).

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant I18).
What that server writes is no withdrawal; one that it reads is to it a finding that caused nothing, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("warranty_finding", sa.Column("withdrawn", sa.Boolean(), nullable=True))
