"""What is expected to be false of the flags of the last assessment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("worker_state", sa.Column("error_rates", sa.LargeBinary()))


def downgrade() -> None:
    with op.batch_alter_table("worker_state") as table:
        table.drop_column("error_rates")
