"""The service as a whole: its health, its figures, the map of clusters."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.base import Schema


class ClusterPoint(Schema):
    """A codebook centroid in the plane, with the population's and (where asked) one account's requests."""

    cluster: int
    x: float
    y: float
    population: int
    account: int = 0


class StateOut(Schema):
    """A part of the service that is not in order."""

    state: str
    detail: str


class HealthOut(Schema):
    """How the service does; ``problems`` by part: database, disk, intake, worker."""

    status: Literal["ok", "degraded", "ready", "refusing"]
    problems: dict[str, StateOut] = {}


class Overview(Schema):
    """Figures at the top of the dashboard and on the command line."""

    events: int
    accounts: int
    flagged: int
    watched: int
    campaigns: int
    open_cases: int
    expected_false: float = Field(description="Expected false flags at the last assessment")
    expected_false_interval: tuple[float, float] = Field(
        (0.0, 0.0), description="Bounds that hold with a probability of 95 %"
    )
    max_false_flags: float = Field(0.0, description="Share of honest accounts that may be flagged")
    worker_lag_events: int
    worker_lag_seconds: float | None
    unassessed_events: int = Field(0, description="Events stored that the findings do not reflect yet")
    last_assessed_at: datetime | None
    last_event_at: datetime | None
