"""An older warranty report tells how it is known (NP-01); a suspension may pause a license's clocks (NX-42).

A column that may be null and a table are added, so that a server of the version before goes on beside this one
(invariant I18). That server dates reports back on the word of whoever opens the claim, as it always did, and knows no
pause: stop it before terms pause clocks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    op.add_column("warranty_claim", sa.Column("known_by", sa.String(255), nullable=True))
    op.create_table(
        "clock_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("license_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("refund_until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["license_id"], ["license.id"], name="fk_clock_pause_license_id_license"),
        sa.PrimaryKeyConstraint("id", name="pk_clock_pause"),
    )
    op.create_index("ix_clock_pause_license_id", "clock_pause", ["license_id"])
