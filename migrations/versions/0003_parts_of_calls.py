"""Parts of calls that wait for other requests; an account for what a key's holder sends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "open_parts",
        sa.Column("part_id", sa.String(32), primary_key=True),
        sa.Column("family", sa.String(16), nullable=False),
        sa.Column("group_id", sa.String(32), nullable=False),
        sa.Column("patient", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.String(256)),
        sa.Column("sender", sa.String(256)),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_open_parts_due", "open_parts", ["due_at"])
    op.create_index("ix_open_parts_group", "open_parts", ["group_id"])
    op.add_column("api_keys", sa.Column("account_id", sa.String(256)))


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as table:
        table.drop_column("account_id")
    op.drop_table("open_parts")
