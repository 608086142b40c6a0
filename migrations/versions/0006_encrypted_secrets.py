"""Room for webhooks' secrets as they are encrypted; the service encrypts those that it finds readable at its start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NAMES = (("secret", False), ("previous_secret", True))


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA secure_delete=ON")  # the table is copied, and readable secrets must not stay in free pages
    with op.batch_alter_table("webhooks") as table:
        for name, nullable in NAMES:
            table.alter_column(name, existing_type=sa.String(128), type_=sa.Text(), existing_nullable=nullable)


def downgrade() -> None:
    with op.batch_alter_table("webhooks") as table:
        for name, nullable in NAMES:
            table.alter_column(name, existing_type=sa.Text(), type_=sa.String(128), existing_nullable=nullable)
