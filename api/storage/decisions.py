"""What people decided on accounts and campaigns: every decision is kept, the last one makes the state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, Table, select, update

from api.schemas import CaseState, Decision
from api.storage import actions, audit, webhooks
from api.storage.engine import Database
from api.storage.models import account_findings, campaign_findings, decisions

Subject = Literal["account", "campaign"]
TABLES: dict[Subject, Table] = {"account": account_findings, "campaign": campaign_findings}
STATES: dict[Decision, CaseState] = {"confirm": "confirmed", "dismiss": "dismissed", "need_more": "need_more"}


def decide(
    database: Database,
    subject: Subject,
    subject_id: str,
    decision: Decision,
    reason: str,
    actor: str,
    issue: Sequence[actions.New] = (),
) -> Row[Any] | None:
    """Record a decision, its actions, the new state and the audit entry in one transaction; None where there is no such subject.

    It replaces what earlier decisions on the subject issued; one that only asks for more leaves it, unless it issues something.
    """
    now = datetime.now(UTC)
    table = TABLES[subject]
    key = next(iter(table.primary_key.columns))
    with database.write("audit") as connection:
        before = connection.execute(select(table.c.state).where(key == subject_id)).scalar()
        if before is None:
            return None
        state = STATES[decision]
        connection.execute(update(table).where(key == subject_id).values(state=state, changed_at=now))
        values = {"subject": subject, "subject_id": subject_id, "decision": decision}
        row = connection.execute(
            decisions.insert().values(**values, reason=reason, actor=actor, at=now).returning(*decisions.columns)
        ).one()
        if issue or decision != "need_more":
            actions.replace(connection, subject, subject_id, actor, now)
        issued = actions.issue(connection, subject, subject_id, issue, actor, now, row.decision_id)
        detail = {"decision": decision, "reason": reason, "decision_id": row.decision_id, "before": before}
        if issued:
            detail["actions"] = [
                {"action_id": a.action_id, **new._asdict()} for a, new in zip(issued, issue, strict=True)
            ]
        audit.append(connection, actor, f"{subject}.{decision}", f"{subject} {subject_id}", detail)
        what = {**values, "actor": actor, "actions": [a.action for a in issued]}
        webhooks.enqueue(connection, "case.decided", [what], now)
        return row


def of(database: Database, subject: Subject, subject_id: str) -> Sequence[Row[Any]]:
    """Decisions on a subject, the newest first."""
    mine = (decisions.c.subject == subject, decisions.c.subject_id == subject_id)
    with database.read() as connection:
        return connection.execute(select(decisions).where(*mine).order_by(decisions.c.decision_id.desc())).all()
