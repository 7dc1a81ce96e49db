"""A license remembers for whose loss it was suspended: that suspension ends when the loss is undone (NX-13).

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant I18).
What that server suspends for a loss has no reason, and a person resumes it, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("license", sa.Column("suspended_for", sa.Uuid(), nullable=True))
