"""A request for support that was answered too late proposes a refund once, and is looked at when its time has come.

Only columns that may be null and an index are added, so that a server of the version before goes on beside this one
(invariant I18). What it opens or changes meanwhile was never looked at, or is looked at again after a month at most.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("support_request", sa.Column("refund_proposed_at", sa.BigInteger(), nullable=True))
    op.add_column("support_request", sa.Column("look_at", sa.BigInteger(), nullable=True))
    watched = sa.text("refund_proposed_at IS NULL")
    columns = ["look_at", "id"]
    op.create_index(
        "support_requests_to_look_at", "support_request", columns, sqlite_where=watched, postgresql_where=watched
    )
