"""The quality of a recording's sound, measured while it is taken in. Of older recordings nobody knows it."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    for name in ("level_dbfs", "snr_db", "clipped_share"):
        op.add_column("recordings", Column(name, Double))
    op.add_column("recordings", Column("bandwidth_hz", Integer))
    for name in ("cancelled_ms", "dead_ms"):
        op.add_column("recordings", Column(name, BigInteger))
