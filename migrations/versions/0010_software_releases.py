"""Software releases and downloads.

Only tables are added, so that a server of the version before goes on beside this one (invariant I18).
"""

from __future__ import annotations

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_code = "0001"


def upgrade() -> None:
    pass
