"""Actions, the enforcement switch, published verdicts, webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_index("ix_account_findings_changed", "account_findings")
    op.create_index("ix_account_findings_campaign", "account_findings", ["campaign_id"])
    op.create_table(
        "actions",
        sa.Column("action_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(256), nullable=False),
        sa.Column("api_key_id", sa.String(256)),
        sa.Column("model", sa.String(256)),
        sa.Column("capability", sa.String(32)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("decision_id", BIG),
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
    op.create_index("ix_actions_subject", "actions", ["subject", "subject_id"])
    op.create_index("ix_actions_open", "actions", ["ended_at", "expires_at"])
    op.create_index("ix_actions_decision", "actions", ["decision_id"])
    op.create_table(
        "enforcement",
        sa.Column("enforcement_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(240), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "published",
        sa.Column("subject", sa.String(16), primary_key=True),
        sa.Column("subject_id", sa.String(256), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("shape", sa.String(32), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("secret", sa.String(128), nullable=False),
        sa.Column("previous_secret", sa.String(128)),
        sa.Column("previous_until", sa.BigInteger()),
        sa.Column("created_by", sa.String(240), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.Column("disabled_reason", sa.Text()),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("delivery_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["state", "due_at"])
    op.create_index("ix_webhook_deliveries_webhook", "webhook_deliveries", ["webhook_id", "delivery_id"])
    op.create_table(
        "webhook_attempts",
        sa.Column("attempt_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("delivery_id", BIG, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
    )
    op.create_index("ix_webhook_attempts_delivery", "webhook_attempts", ["delivery_id"])


def downgrade() -> None:
    for table in ("webhook_attempts", "webhook_deliveries", "webhooks", "published", "enforcement", "actions"):
        op.drop_table(table)
    op.drop_index("ix_account_findings_campaign", "account_findings")
    op.create_index("ix_account_findings_changed", "account_findings", ["changed_at", "account_id"])
