"""PostgreSQL compresses events by LZ4, which takes a fifth of the time of its own method; where it has that, from version 14 on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _compress_by("lz4")


def downgrade() -> None:
    _compress_by("pglz")


def _compress_by(method: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    known = sa.text("SELECT :method = ANY(enumvals) FROM pg_settings WHERE name = 'default_toast_compression'")
    if connection.execute(known, {"method": method}).scalar():
        op.execute(f"ALTER TABLE events ALTER COLUMN payload SET COMPRESSION {method}")
