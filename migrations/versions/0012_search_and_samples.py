"""Saved queries, and random samples of what is not flagged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "saved_queries",
        sa.Column("query_id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("account_id", sa.String(256)),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(240), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "review_samples",
        sa.Column("sample_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("account_id", sa.String(256), nullable=False),
        sa.Column("drawn_by", sa.String(240), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.Column("population", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_review_samples_account", "review_samples", ["account_id"])


def downgrade() -> None:
    op.drop_table("review_samples")
    op.drop_table("saved_queries")
