"""Which signals are in shadow, for assessments and for people."""

from __future__ import annotations

from api.schemas.signals import SignalOut
from api.storage import shadow
from api.storage.engine import Database
from detector.signals import SIGNALS


def holding(database: Database) -> frozenset[str]:
    """Names of the signals in shadow; such as this version does not know any more are left out."""
    return frozenset(s.signal for s in listed(database) if s.state == "shadow")


def listed(database: Database) -> list[SignalOut]:
    """All signals, those for harvesting first, with who switched them last."""
    with database.read() as connection:
        last = shadow.last(connection)
    out = []
    for signal in SIGNALS:
        found = SignalOut(signal=signal.name, title=signal.title, direction=signal.direction, state="live")
        if (row := last.get(signal.name)) and signal.direction == "for":
            found = found.model_copy(
                update={"state": row.state, "reason": row.reason, "actor": row.actor, "at": row.at}
            )
        out.append(found)
    return out
