"""What people decided on accounts and campaigns: every decision is kept with the evidence as it was; the last one makes the state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, Table, func, select, update

from api.schemas.base import CaseState, Decision
from api.schemas.decisions import Confidence
from api.storage import actions, audit, cases, webhooks
from api.storage.approvals import NotPossible
from api.storage.engine import Database
from api.storage.models import account_findings, campaign_findings, decisions, from_micros, to_micros

T = decisions.c
SHOWN = [c for c in decisions.columns if c.name not in ("finding", "before")]
Subject = Literal["account", "campaign"]
TABLES: dict[Subject, Table] = {"account": account_findings, "campaign": campaign_findings}
STATES: dict[Decision, CaseState] = {"confirm": "confirmed", "dismiss": "dismissed", "need_more": "need_more"}
VERDICTS: dict[Decision, tuple[int, ...]] = {"confirm": (2,), "dismiss": (1, 3, 5, 6), "need_more": (7, 4)}
"""OCSF's verdict_id values that go with a decision, the usual one first: true positive; false positive, disregard, benign,
test; insufficient data, suspicious."""


class Details(NamedTuple):
    """What a decision says beside itself and its reason."""

    verdict_id: int | None = None  # None: the usual one
    confidence: Confidence = "medium"
    review_at: datetime | None = None
    appeal_note: str | None = None


def decide(
    database: Database,
    subject: Subject,
    subject_id: str,
    decision: Decision,
    reason: str,
    actor: str,
    issue: Sequence[actions.New] = (),
    details: Details = Details(),  # noqa: B008 - a tuple
) -> Row[Any] | None:
    """Record a decision, its actions, the new state and the audit entry in one transaction; None where there is no such subject.

    Raises NotPossible while another person has claimed the account.

    It replaces what earlier decisions on the subject issued; one that only asks for more leaves it, unless it issues something.
    """
    with database.write("audit") as connection:
        return record(connection, subject, subject_id, decision, reason, actor, issue, details)


def record(
    connection: Connection, subject: Subject, subject_id: str, decision: Decision, reason: str, actor: str,
    issue: Sequence[actions.New], details: Details,
) -> Row[Any] | None:  # fmt: skip
    """As :func:`decide`, within a transaction."""
    now = datetime.now(UTC)
    table = TABLES[subject]
    mine = next(iter(table.primary_key.columns)) == subject_id
    before = connection.execute(select(table).where(mine)).first()
    if before is None:
        return None
    if subject == "account":
        cases.refuse_claimed(before, actor, now)
    given = details._replace(verdict_id=details.verdict_id or VERDICTS[decision][0])
    after: dict[str, Any] = {"state": STATES[decision], "verdict_id": given.verdict_id, "review_at": given.review_at}
    if subject == "account":
        after |= {"due_at": given.review_at, "claimed_by": None, "claimed_until": None}
    connection.execute(update(table).where(mine).values(**after, changed_at=now))
    values = {"subject": subject, "subject_id": subject_id, "decision": decision}
    inserting = decisions.insert().values(
        **values, **given._asdict(), reason=reason, actor=actor, at=now, finding=before.finding, before=_kept(before)
    )
    row = connection.execute(inserting.returning(*SHOWN)).one()
    if issue or decision != "need_more":
        actions.replace(connection, subject, subject_id, row.decision_id, actor, now)
    issued = actions.issue(connection, subject, subject_id, issue, actor, now, row.decision_id)
    detail = {"decision": decision, "reason": reason, "decision_id": row.decision_id, "before": before.state}
    detail |= {name: value for name, value in given._asdict().items() if value is not None}
    if issued:
        detail["actions"] = [{"action_id": a.action_id, **new._asdict()} for a, new in zip(issued, issue, strict=True)]
    audit.append(connection, actor, f"{subject}.{decision}", f"{subject} {subject_id}", detail)
    _tell(connection, row, actor, [a.action for a in issued], now)
    return row


def undo(database: Database, decision_id: int, actor: str, reason: str) -> Row[Any] | None:
    """Take back the last decision on a subject: its state and actions are as they were before. None where there is none.

    Raises NotPossible for a decision that is undone already, or that a later one stands on.
    """
    now = datetime.now(UTC)
    with database.write("audit") as connection:
        row = connection.execute(select(decisions).where(T.decision_id == decision_id)).first()
        if row is None:
            return None
        if row.undone_at is not None:
            raise NotPossible(f"it was undone already by {row.undone_by}")
        last = _last(connection, row.subject, row.subject_id)
        if last is not None and last.decision_id != decision_id:
            raise NotPossible("there is a later decision on it: undo that one first")
        before = json.loads(row.before) or {"state": "open"}
        table = TABLES[row.subject]
        mine = next(iter(table.primary_key.columns)) == row.subject_id
        times = {name: before.get(name) for name in ("review_at", "due_at") if name in table.c}
        back = {name: None if at is None else from_micros(at) for name, at in times.items()}
        back |= {"state": before["state"], "verdict_id": before.get("verdict_id"), "changed_at": now}
        connection.execute(update(table).where(mine).values(**back))
        values = {"undone_by": actor, "undone_at": now, "undo_reason": reason}
        changing = update(decisions).where(T.decision_id == decision_id).values(**values)
        undone = connection.execute(changing.returning(*SHOWN)).one()
        again = actions.undo(connection, decision_id, actor, now)
        detail: dict[str, Any] = {"decision_id": decision_id, "reason": reason, "state": before["state"]}
        detail |= {"decision": row.decision, "decided_by": row.actor, **({"actions_again": again} if again else {})}
        audit.append(connection, actor, f"{row.subject}.undo", f"{row.subject} {row.subject_id}", detail)
        _tell(connection, undone, actor, [], now, "undo")
        return undone


def verdicts(database: Database) -> list[tuple[str, str, str, Decision]]:
    """Subject, id, actor and decision of all that more than one person decided on, in order of time."""
    d = decisions.c
    several = (
        select(d.subject, d.subject_id)
        .group_by(d.subject, d.subject_id)
        .having(func.count(d.actor.distinct()) > 1)
        .subquery()
    )
    here = (d.subject == several.c.subject) & (d.subject_id == several.c.subject_id)
    query = select(d.subject, d.subject_id, d.actor, d.decision).join(several, here).order_by(d.decision_id)
    with database.read() as connection:
        return [(r.subject, r.subject_id, r.actor, r.decision) for r in connection.execute(query)]


def of(database: Database, subject: Subject, subject_id: str) -> Sequence[Row[Any]]:
    """Decisions on a subject, the newest first."""
    mine = (T.subject == subject, T.subject_id == subject_id)
    with database.read() as connection:
        return connection.execute(select(*SHOWN).where(*mine).order_by(T.decision_id.desc())).all()


def whole(database: Database, decision_id: int) -> Row[Any] | None:
    """One decision with the evidence as it was."""
    with database.read() as connection:
        return connection.execute(select(decisions).where(T.decision_id == decision_id)).first()


def _last(connection: Connection, subject: str, subject_id: str) -> Row[Any] | None:
    standing = (T.subject == subject, T.subject_id == subject_id, T.undone_at.is_(None))
    return connection.execute(select(*SHOWN).where(*standing).order_by(T.decision_id.desc()).limit(1)).first()


def _kept(before: Any) -> str:
    kept = before._mapping
    times = {name: kept[name] for name in ("review_at", "due_at") if kept.get(name) is not None}
    micros = {name: to_micros(at) for name, at in times.items()}
    return json.dumps({"state": before.state, "verdict_id": before.verdict_id, **micros})


def _tell(
    connection: Connection, row: Row[Any], actor: str, acts: list[str], now: datetime, decision: str | None = None
) -> None:
    told = {"subject": row.subject, "subject_id": row.subject_id, "decision": decision or row.decision, "actor": actor}
    webhooks.enqueue(connection, "case.decided", [{**told, "verdict_id": row.verdict_id, "actions": acts}], now)
