"""The index that finds changes of people without reading all that was heard."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("audit_by_action", "audit", ["action"])
