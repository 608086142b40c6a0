"""How long and in what form texts are kept; people who sign in through an identity provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_index("ix_events_received", "events", ["received_at"], postgresql_using="brin")
    op.create_table(
        "event_features",
        sa.Column("event_id", sa.String(256), primary_key=True),
        sa.Column("features", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "retention",
        sa.Column("retention_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("days", sa.Integer()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(240), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "content_modes",
        sa.Column("account_id", sa.String(256), primary_key=True),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(240), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("swept_at", sa.BigInteger()),
    )
    op.create_table(
        "people",
        sa.Column("person", sa.String(200), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_by", sa.String(240), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger()),
    )
    op.add_column("api_keys", sa.Column("expires_at", sa.BigInteger()))
    op.add_column("api_keys", sa.Column("person", sa.String(200)))
    op.create_index("ix_api_keys_person", "api_keys", ["person"])


def downgrade() -> None:
    op.drop_index("ix_api_keys_person", "api_keys")
    with op.batch_alter_table("api_keys") as table:
        table.drop_column("person")
        table.drop_column("expires_at")
    for name in ("people", "content_modes", "retention", "event_features"):
        op.drop_table(name)
    op.drop_index("ix_events_received", "events")
