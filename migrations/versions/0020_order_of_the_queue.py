"""The queue's order, stored and indexed: a page of it is read without sorting all cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

READ = [
    "priority",
    "account_id",
    "verdict",
    "state",
    "risk",
    "input_tokens",
    "output_tokens",
    "due_at",
    "claimed_by",
    "claimed_until",
    "pattern",
    "campaign_id",
]


def upgrade() -> None:
    # the prices are in the service's settings: it weighs the cases when it starts
    op.add_column("account_findings", sa.Column("priority", sa.Float(), nullable=False, server_default="0"))
    op.create_index("ix_account_findings_priority", "account_findings", READ)


def downgrade() -> None:
    op.drop_index("ix_account_findings_priority", "account_findings")
    op.drop_column("account_findings", "priority")
