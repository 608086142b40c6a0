"""How often text of requests was deleted, for the worker that assesses to write its findings anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

_COLUMNS = ("texts_gone", "texts_gone_assessed")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("worker_state", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("worker_state") as table:
        for name in _COLUMNS:
            table.drop_column(name)
