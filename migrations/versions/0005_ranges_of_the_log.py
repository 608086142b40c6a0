"""Ranges of the event log, by which several workers share the work, and which of them assesses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_ranges",
        sa.Column("after_seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
    )
    op.add_column("worker_state", sa.Column("assessor", sa.String(32)))


def downgrade() -> None:
    # A range that is open would be lost: the position goes back to it only where no later one is in a segment.
    open_ranges = op.get_bind().execute(sa.text("SELECT count(*) FROM open_ranges")).scalar()
    if open_ranges:
        raise RuntimeError("ranges of the log are open: let the workers come to their end, then stop them")
    with op.batch_alter_table("worker_state") as table:
        table.drop_column("assessor")
    op.drop_table("open_ranges")
