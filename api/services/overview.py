"""Figures at the top, the map of clusters, and the gauges of the worker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from api.schemas.overview import ClusterPoint, Overview
from api.services import metrics
from api.storage import campaigns, cases, events, ranges, segments
from api.storage.engine import Database


class Lag(NamedTuple):
    """How far the workers are behind."""

    events: int
    seconds: float | None


def overview(database: Database) -> Overview:
    """The figures, all of one moment."""
    with database.read() as connection:
        state = segments.state(connection)
        unassessed, _ = events.backlog(connection, state.assessed_position)
        waiting, since = ranges.backlog(connection)
        found = cases.summary(connection)
        flagged_campaigns = campaigns.count(connection)
    rates = state.rates
    lag = Lag(waiting, (datetime.now(UTC) - since).total_seconds() if since else None)
    metrics.LAG_EVENTS.set(lag.events)
    metrics.LAG_SECONDS.set(lag.seconds or 0.0)
    metrics.UNASSESSED.set(unassessed)
    metrics.FLAGGED.set(found["flagged"])
    metrics.WORKER_EVENTS.set(state.events)
    metrics.WORKER_SKIPPED.set(state.skipped)
    metrics.ASSESS_SECONDS.set(state.assess_seconds or 0.0)
    return Overview(
        events=state.events + state.skipped + lag.events,
        campaigns=flagged_campaigns,
        worker_lag_events=lag.events,
        worker_lag_seconds=lag.seconds,
        unassessed_events=unassessed,
        last_assessed_at=state.assessed_at,
        last_event_at=state.last_event_at,
        expected_false=rates.expected,
        expected_false_interval=(rates.low, rates.high),
        max_false_flags=rates.max_false_flags,
        **found,
    )


def clusters(database: Database, account_id: str | None) -> list[ClusterPoint]:
    """The codebook in the plane, as of the last assessment, with one account's requests where asked."""
    with database.read() as connection:
        stored = segments.state(connection).clusters
    finding = cases.get(database, account_id) if account_id else None
    own = dict(finding[1].clusters) if finding else {}
    points = json.loads(stored) if stored else []
    return [ClusterPoint(cluster=c, x=x, y=y, population=n, account=own.get(c, 0)) for c, x, y, n in points]
