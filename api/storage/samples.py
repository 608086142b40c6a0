"""Random samples of accounts that are not flagged, for people to review: what the detector misses shows nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from api.storage import audit
from api.storage.engine import Database
from api.storage.models import account_findings, review_samples

T, S = account_findings.c, review_samples.c


def draw(database: Database, size: int, actor: str, now: datetime) -> int:
    """Draw accounts at random among those that are not flagged and that nobody decided on or drew before; returns how many."""
    unflagged = (T.verdict != "flag", T.state == "open")
    with database.write("audit") as connection:
        population = connection.execute(
            select(func.count()).select_from(account_findings).where(*unflagged)
        ).scalar_one()
        fresh = T.account_id.not_in(select(S.account_id))
        chosen = select(T.account_id).where(*unflagged, fresh).order_by(func.random()).limit(size)
        names = list(connection.execute(chosen).scalars())
        common = {"drawn_by": actor, "drawn_at": now, "population": population}
        if names:
            connection.execute(review_samples.insert(), [{"account_id": name, **common} for name in names])
        audit.append(connection, actor, "sample.draw", "unflagged accounts", {"drawn": len(names), "of": population})
    return len(names)


def every(database: Database, limit: int) -> Sequence[Row[Any]]:
    """Drawn accounts with what is known of them now, the last drawn first."""
    query = (
        select(review_samples, T.state, T.verdict, T.requests, T.risk)
        .select_from(review_samples.outerjoin(account_findings, S.account_id == T.account_id))
        .order_by(S.sample_id.desc())
        .limit(limit)
    )
    with database.read() as connection:
        return connection.execute(query).all()


def outcomes(database: Database) -> tuple[int, int, int]:
    """Of all drawn accounts: how many were confirmed, and reviewed; and how many accounts are not flagged now."""
    with database.read() as connection:
        states = select(T.state, func.count()).where(T.account_id.in_(select(S.account_id))).group_by(T.state)
        counts = {row[0]: row[1] for row in connection.execute(states)}
        unflagged = connection.execute(
            select(func.count()).select_from(account_findings).where(T.verdict != "flag")
        ).scalar_one()
    confirmed = counts.get("confirmed", 0)
    return confirmed, confirmed + counts.get("dismissed", 0), unflagged
