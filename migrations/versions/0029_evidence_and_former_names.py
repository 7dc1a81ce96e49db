"""A forced deactivation can have evidence (NX-08), and a project's former names lead to it (NX-02).

Only a column that may be null and a table are added, so that a server of the version before goes on beside this one
(invariant I18). What such a server renames leaves no former name, as before. An account that it erases keeps its
evidence and former names: stop it before the first of these.
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
    op.create_table(
        "former_name",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_former_name_customer_id_customer")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_former_name_project_id_project")),
        sa.PrimaryKeyConstraint("customer_id", "name_key", name=op.f("pk_former_name")),
    )
    op.create_index("ix_former_name_project_id", "former_name", ["project_id"])
