"""The mean embeddings of speakers, and the links between speakers that are one person."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Text
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

# A migration never changes again, so it spells its types out instead of taking those of today's tables.
Words = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "voices",
        Column("no", Number, primary_key=True),
        Column("recording", Number, ForeignKey("recordings.no"), nullable=False),
        Column("speaker", Words, nullable=False),
        Column("channel", Integer),
        Column("vector", LargeBinary, nullable=False),
        Column("speech_ms", BigInteger, nullable=False),
        Column("maker", Words, nullable=False),
    )
    op.create_index("voices_by_recording", "voices", ["recording"])
    op.create_index("voices_by_speaker", "voices", ["speaker"])
    op.create_table(
        "speaker_links",
        Column("id", Words, primary_key=True),
        Column("first", Words, nullable=False),
        Column("second", Words, nullable=False),
        Column("accepted", Boolean, nullable=False),
        Column("decided_by", Words),
        Column("decided_at", Words, nullable=False),
    )
