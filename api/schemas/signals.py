"""Signals, and which of them are in shadow."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.base import Reason, Schema

SignalState = Literal["live", "shadow"]


class SignalIn(Schema):
    """live: it counts; shadow: it is watched, but counts for nobody."""

    state: SignalState
    reason: Reason


class SignalOut(Schema):
    signal: str
    title: str
    direction: Literal["for", "against"] = Field(description="Only signals for harvesting may be in shadow")
    state: SignalState
    reason: str | None = Field(None, description="Of the last change; absent where there was none")
    actor: str | None = None
    at: datetime | None = None
