"""Who proposed to end an account beside its customer's own request; and purchase codes are found by their license.

Only a column that may be null and an index are added, so that a server of the version before goes on beside this one
(invariant I18).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("account_termination", sa.Column("proposed_by", sa.Text(), nullable=True))
    op.create_index("ix_purchase_code_license_id", "purchase_code", ["license_id"])
