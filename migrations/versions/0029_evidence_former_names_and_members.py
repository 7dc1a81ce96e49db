"""Evidence of a forced deactivation (NX-08), a project's former names (NX-02) and its members (NX-18).

Only a column that may be null and tables are added, so that a server of the version before goes on beside this one
(invariant I18). What such a server renames leaves no former name, and it serves no member, as before. An account that
it erases keeps evidence, former names and memberships: stop it before the first of these.
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
    op.create_table(
        "project_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("removed_by", sa.Text(), nullable=True),
        sa.CheckConstraint("role IN ('support')", name=op.f("ck_project_member_role")),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_project_member_project_id_project")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_project_member_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_member")),
    )
    op.create_index(op.f("ix_project_member_project_id"), "project_member", ["project_id"])
    op.create_index(op.f("ix_project_member_customer_id"), "project_member", ["customer_id"])
    open_ = sa.text("removed_at IS NULL")
    op.create_index(
        "one_open_membership",
        "project_member",
        ["project_id", "customer_id"],
        unique=True,
        sqlite_where=open_,
        postgresql_where=open_,
    )
