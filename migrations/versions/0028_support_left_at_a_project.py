"""A license that a person moves to another project can leave its support at the one it was bound to (NX-17).

Only a column that may be null is added, so that a server of the version before goes on beside this one (invariant I18).
To that server support is where the license is, as it is for every license that was never moved.
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
