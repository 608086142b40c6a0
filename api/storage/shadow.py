"""Signals in shadow: the last switch of each says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from api.schemas.signals import SignalState
from api.storage import audit
from api.storage.approvals import NotPossible
from api.storage.engine import Database
from api.storage.models import signal_switches

T = signal_switches.c


def last(connection: Connection) -> dict[str, Row[Any]]:
    """The last switch of each signal that was ever switched."""
    latest = select(func.max(T.switch_id)).group_by(T.signal)
    return {row.signal: row for row in connection.execute(select(signal_switches).where(T.switch_id.in_(latest)))}


def switch(database: Database, signal: str, to: SignalState, reason: str, actor: str, now: datetime) -> None:
    """Put a signal into shadow or make it live, with its audit entry. Raises NotPossible where it is so already."""
    with database.write("audit") as connection:
        before = last(connection).get(signal)
        if to == (before.state if before else "live"):
            raise NotPossible(f"{signal} is {'live' if to == 'live' else 'in shadow'} already")
        connection.execute(signal_switches.insert().values(signal=signal, state=to, reason=reason, actor=actor, at=now))
        audit.append(connection, actor, f"signal.{to}", f"signal {signal}", {"reason": reason})
