"""The queue: due dates, claims, alike cases; one decision on many accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SCANNED = [
    "verdict",
    "state",
    "risk",
    "input_tokens",
    "output_tokens",
    "requests",
    "flagged_at",
    "last_seen",
    "due_at",
    "false_discovery",
    "pattern",
    "claimed_by",
    "claimed_until",
    "campaign_id",
    "account_id",
]


def upgrade() -> None:
    for column in (
        sa.Column("false_discovery", sa.Float(), nullable=False, server_default="1"),
        sa.Column("pattern", sa.String(200), nullable=False, server_default=""),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("claimed_by", sa.String(240)),
        sa.Column("claimed_until", sa.BigInteger()),
    ):
        op.add_column("account_findings", column)
    op.create_index("ix_account_findings_alike", "account_findings", ["pattern", "state"])
    op.create_index("ix_account_findings_scan", "account_findings", SCANNED)
    op.create_table(
        "bulk_jobs",
        sa.Column("bulk_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(256), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("issued_by", sa.String(240), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(240)),
        sa.Column("approved_at", sa.BigInteger()),
        sa.Column("ended_by", sa.String(240)),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("end_reason", sa.Text()),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_bulk_jobs_open", "bulk_jobs", ["finished_at", "ended_at"])
    op.create_table(
        "bulk_items",
        sa.Column("bulk_id", BIG, primary_key=True, autoincrement=False),
        sa.Column("account_id", sa.String(256), primary_key=True),
        sa.Column("result", sa.String(8)),
        sa.Column("detail", sa.Text()),
        sa.Column("decision_id", BIG),
    )
    op.create_index("ix_bulk_items_open", "bulk_items", ["bulk_id", "result"])


def downgrade() -> None:
    op.drop_table("bulk_items")
    op.drop_table("bulk_jobs")
    op.drop_index("ix_account_findings_scan", "account_findings")
    op.drop_index("ix_account_findings_alike", "account_findings")
    with op.batch_alter_table("account_findings") as table:
        for column in ("claimed_until", "claimed_by", "due_at", "pattern", "false_discovery"):
            table.drop_column(column)
