"""An index of the accounts that people decided on, the last decided on first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

DECIDED = sa.text("state <> 'open'")


def upgrade() -> None:
    op.create_index(
        "ix_account_findings_decided",
        "account_findings",
        ["state", "changed_at"],
        sqlite_where=DECIDED,
        postgresql_where=DECIDED,
    )


def downgrade() -> None:
    op.drop_index("ix_account_findings_decided", "account_findings")
