"""Long work: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update

from api.schemas.jobs import JobIn, JobKind
from api.storage import audit
from api.storage.engine import Database
from api.storage.models import jobs

J = jobs.c
SILENT = timedelta(seconds=90)  # after which who ran a job is taken for dead
MAX_ATTEMPTS = 3  # starts of a job whose process dies
OPEN = ("queued", "running")


def create(database: Database, asked: JobIn, actor: str, now: datetime) -> Row[Any]:
    """Queue a job. Recorded in the audit trail."""
    job_id = secrets.token_hex(8)
    values = {"job_id": job_id, "kind": asked.kind, "title": asked.title, "parameters": asked.model_dump_json()}
    values |= {"state": "queued", "stage": "waiting for the worker", "created_by": actor}
    numbers: dict[str, Any] = {"progress": 0.0, "created_at": now, "attempts": 0, "cancel": False}
    with database.write("audit") as connection:
        row = connection.execute(jobs.insert().values(**values, **numbers).returning(*jobs.columns)).one()
        audit.append(connection, actor, f"{asked.kind}.start", f"job {job_id}", asked.model_dump(mode="json"))
    return row


def get(database: Database, job_id: str) -> Row[Any] | None:
    """One job."""
    with database.read() as connection:
        return connection.execute(select(jobs).where(J.job_id == job_id)).first()


def page(database: Database, kind: JobKind | None, limit: int, offset: int) -> tuple[Sequence[Row[Any]], int]:
    """Jobs, the newest first, and their number."""
    chosen = [J.kind == kind] if kind else []
    query = select(jobs).where(*chosen).order_by(J.created_at.desc(), J.job_id).limit(limit).offset(offset)
    with database.read() as connection:
        total = connection.execute(select(func.count()).select_from(jobs).where(*chosen)).scalar_one()
        return connection.execute(query).all(), total


def claim(database: Database, now: datetime) -> Row[Any] | None:
    """The next job to run, taken; None where none waits. One whose process fell silent waits again, a few times."""
    with database.write("worker") as connection:
        silent = (J.state == "running", or_(J.seen_at.is_(None), J.seen_at < now - SILENT))
        connection.execute(update(jobs).where(*silent, J.attempts < MAX_ATTEMPTS).values(state="queued"))
        gone = {
            "state": "failed",
            "ended_at": now,
            "error": "its process ended again and again, most likely for want of memory",
        }
        connection.execute(update(jobs).where(*silent).values(**gone))
        query = select(J.job_id).where(J.state == "queued").order_by(J.created_at, J.job_id).limit(1)
        job_id = connection.execute(query).scalar()
        if job_id is None:
            return None
        taken = {"state": "running", "seen_at": now, "started_at": now, "attempts": J.attempts + 1, "stage": "starting"}
        statement = update(jobs).where(J.job_id == job_id).values(**taken, progress=0.0)
        return connection.execute(statement.returning(*jobs.columns)).one()


def tell(database: Database, job_id: str, stage: str, progress: float, now: datetime) -> bool:
    """Say how far a job is; False where it is to stop."""
    with database.write() as connection:
        mine = (J.job_id == job_id, J.state == "running")
        values = {"stage": stage, "progress": progress, "seen_at": now}
        row = connection.execute(update(jobs).where(*mine).values(**values).returning(J.cancel)).first()
        return row is not None and not row.cancel


def end(
    database: Database, job_id: str, state: str, now: datetime, *, error: str | None = None, summary: str | None = None
) -> None:
    """Note how a job that runs ended."""
    with database.write() as connection:
        mine = (J.job_id == job_id, J.state == "running")
        values = {"state": state, "ended_at": now, "error": error, "summary": summary, "stage": state}
        connection.execute(update(jobs).where(*mine).values(**values))


def release(database: Database, job_id: str, died: bool, now: datetime) -> None:
    """Let a job that was running wait again: the worker stops, or its process died, which it may a few times."""
    with database.write() as connection:
        mine = (J.job_id == job_id, J.state == "running")
        if died:
            failed = {"state": "failed", "ended_at": now, "error": "its process ended unexpectedly, several times"}
            connection.execute(update(jobs).where(*mine, J.attempts >= MAX_ATTEMPTS).values(**failed))
            connection.execute(update(jobs).where(*mine).values(state="queued", stage="waiting to be started again"))
        else:
            again = {"state": "queued", "stage": "waiting for the worker", "attempts": J.attempts - 1}
            connection.execute(update(jobs).where(*mine).values(**again))


def cancel(database: Database, job_id: str, actor: str, now: datetime) -> Row[Any] | None:
    """Ask a job to stop; one that waits stops at once. None where there is none that runs or waits."""
    with database.write("audit") as connection:
        mine = (J.job_id == job_id, J.state.in_(OPEN))
        row = connection.execute(update(jobs).where(*mine).values(cancel=True).returning(J.kind, J.state)).first()
        if row is None:
            return None
        waits = (J.job_id == job_id, J.state == "queued")
        connection.execute(update(jobs).where(*waits).values(state="cancelled", ended_at=now, stage="cancelled"))
        audit.append(connection, actor, f"{row.kind}.cancel", f"job {job_id}", {})
        return connection.execute(select(jobs).where(J.job_id == job_id)).one()


def remove(database: Database, job_id: str, actor: str) -> bool:
    """Forget a job that has ended; False where there is none."""
    with database.write("audit") as connection:
        mine = (J.job_id == job_id, J.state.not_in(OPEN))
        row = connection.execute(delete(jobs).where(*mine).returning(J.kind, J.title)).first()
        if row is None:
            return False
        audit.append(connection, actor, f"{row.kind}.remove", f"job {job_id}", {"title": row.title})
    return True
