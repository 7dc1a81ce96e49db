"""A refund may be known again by a keyed hash of its customer's address, where the terms ask for it (CJ-05).

Only columns that may be null are added, and indexes, so that a server of the version before goes on beside this one
(invariant I18). What that server grants is known by the account alone, as every refund of before is.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    for name in ("email_hash", "domain_hash"):
        op.add_column("refund", sa.Column(name, sa.LargeBinary(32), nullable=True))
        op.create_index(f"ix_refund_{name}", "refund", [name])
