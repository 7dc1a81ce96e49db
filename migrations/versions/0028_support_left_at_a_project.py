"""A license that is moved to another project can leave its support behind (NX-17); an end can be appealed (NX-40).

Only columns that may be null are added, so that a server of the version before goes on beside this one (invariant
I18). To that server no end was appealed, and its sweep looks at none of it: stop it before the first appeal. Support
is where the license is, as it is for every license that was never moved.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("license", sa.Column("support_project_id", sa.Uuid(), nullable=True))
    for name in ("appealed_at", "appeal_decided_at"):
        op.add_column("account_termination", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("appealed_by", "appeal_decided_by"):
        op.add_column("account_termination", sa.Column(name, sa.Text(), nullable=True))
