"""Calls told of in several requests: joined when the first of their parts has waited long enough.

Parts and events change in one transaction, so a worker that is killed in between joins again, and nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection

from api.services.content import ContentPolicy
from api.storage import content, events, parts
from api.storage.engine import Database
from detector.event import Event
from detector.formats import join
from detector.formats.base import Given

MAX_GROUPS = 200  # joined in one transaction, which the API waits for on SQLite

log = structlog.get_logger()


def join_due(database: Database, policy: ContentPolicy, now: datetime | None = None) -> bool:
    """Join groups that are due, and store what ``policy`` lets of their events. True if there may be more of them."""
    now = now or datetime.now(UTC)
    with database.read() as connection:
        if not parts.due(connection, now, 1):
            return False
    with database.write("events") as connection:
        groups = parts.due(connection, now, MAX_GROUPS)
        rows: list[events.Row] = []
        features: list[content.FeatureRow] = []
        done: list[str] = []
        for group in groups:
            found = parts.of(connection, group)
            joined, of_joined = _rows(group, found, policy)
            rows += joined
            features += of_joined
            done += [part.part_id for part in found]
        content.insert_features(connection, features)
        late = events.merge_in(connection, rows).changed
        parts.remove(connection, done, now)
    if late:
        log.info("records came after their calls had been stored", events=late)
    return len(groups) == MAX_GROUPS


def waiting(connection: Connection) -> int:
    """How many parts wait for others."""
    return parts.count(connection)


def _rows(
    group: str, found: Sequence[parts.Stored], policy: ContentPolicy
) -> tuple[list[events.Row], list[content.FeatureRow]]:
    """The events that a group's parts tell of. One that cannot be read is logged and keeps no other waiting."""
    received = min(part.received_at for part in found)
    given = Given(
        account=min((p.account_id for p in found if p.account_id), default=None),
        sender=min((p.sender for p in found if p.sender), default=None),
        received=received,
    )
    rows, features = [], []
    try:
        for event in join(found[0].family, [part.data for part in found], given):
            if isinstance(event, Event):
                kept = policy.hold([event])
                rows.append(events.to_row(kept.events[0], received))
                features += kept.features
            else:
                log.warning("a call cannot be joined", group=group, parts=len(found), reason=str(event))
    except Exception:
        log.exception("a group of parts cannot be joined", group=group, parts=len(found))
    return rows, features
