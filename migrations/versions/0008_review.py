"""Decisions with OCSF verdicts, evidence and undo; exceptions; unmasking of prompts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FINDINGS = ("account_findings", "campaign_findings")
VERDICTS = {"confirm": 2, "dismiss": 1, "need_more": 7}  # true positive, false positive, insufficient data
STATES = {"confirmed": 2, "dismissed": 1, "need_more": 7}


def four_eyes_columns() -> list[sa.Column]:
    return [
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
    ]


def upgrade() -> None:
    for name in FINDINGS:
        op.add_column(name, sa.Column("verdict_id", sa.Integer()))
        op.add_column(name, sa.Column("review_at", sa.BigInteger()))
        for state, verdict in STATES.items():
            op.execute(f"UPDATE {name} SET verdict_id = {verdict} WHERE state = '{state}'")
    for column in (
        sa.Column("verdict_id", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("confidence", sa.String(8), nullable=False, server_default="medium"),
        sa.Column("review_at", sa.BigInteger()),
        sa.Column("appeal_note", sa.Text()),
        sa.Column("finding", sa.LargeBinary()),
        sa.Column("before", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("undone_by", sa.String(240)),
        sa.Column("undone_at", sa.BigInteger()),
        sa.Column("undo_reason", sa.Text()),
    ):
        op.add_column("decisions", column)
    for decision, verdict in VERDICTS.items():
        op.execute(f"UPDATE decisions SET verdict_id = {verdict} WHERE decision = '{decision}'")
    op.add_column("actions", sa.Column("replaced_by", BIG))
    op.create_table(
        "exceptions",
        sa.Column("exception_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(256), nullable=False),
        sa.Column("signal", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *four_eyes_columns(),
    )
    op.create_index("ix_exceptions_subject", "exceptions", ["subject_id"])
    op.create_index("ix_exceptions_open", "exceptions", ["ended_at", "expires_at"])
    op.create_table(
        "unmaskings",
        sa.Column("unmasking_id", BIG, primary_key=True, autoincrement=True),
        sa.Column("subject", sa.String(16), nullable=False),
        sa.Column("subject_id", sa.String(256), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        *four_eyes_columns(),
    )
    op.create_index("ix_unmaskings_subject", "unmaskings", ["subject", "subject_id"])
    op.create_index("ix_unmaskings_open", "unmaskings", ["ended_at", "expires_at"])


def downgrade() -> None:
    op.drop_table("unmaskings")
    op.drop_table("exceptions")
    with op.batch_alter_table("actions") as table:
        table.drop_column("replaced_by")
    added = "verdict_id confidence review_at appeal_note finding before undone_by undone_at undo_reason"
    with op.batch_alter_table("decisions") as table:
        for column in added.split():
            table.drop_column(column)
    for name in FINDINGS:
        with op.batch_alter_table(name) as table:
            table.drop_column("review_at")
            table.drop_column("verdict_id")
