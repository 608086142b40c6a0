"""The queue of cases, and claims on them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.base import CaseState, Schema, Verdict

CaseSort = Literal["priority", "due_at", "risk", "requests", "output_tokens", "flagged_at", "last_seen", "account_id"]
ClaimFilter = Literal["mine", "free", "taken"]


class CaseRow(Schema):
    """One row of the queue: an account whose verdict is flag or watch."""

    account_id: str
    risk: float
    verdict: Verdict
    state: CaseState
    verdict_id: int | None = Field(None, description="OCSF's, of the decision that made the state")
    review_at: datetime | None = None
    requests: int
    input_tokens: int = 0
    output_tokens: int = 0
    harvest: str | None = None
    campaign_id: str | None = None
    first_seen: datetime
    last_seen: datetime
    flagged_at: datetime | None = None
    due_at: datetime | None = Field(None, description="When somebody should have looked")
    claimed_by: str | None = Field(None, description="Who works on it, while that lasts")
    claimed_until: datetime | None = None
    pattern: str = Field("", description="Cases that are alike share it")
    spend: float = Field(0.0, description="Estimated worth of the tokens taken, by the prices of the settings")
    currency: str = Field("USD", description="Of spend and priority, ISO 4217")
    priority: float = Field(0.0, description="Risk times spend")
    alike_confirmed: int = Field(0, description="Other closed cases with the same pattern that were confirmed")
    alike_dismissed: int = 0
    top_reason: str = ""


class CasePage(Schema):
    """One page of the queue, cut in SQL; ``total`` counts all that match the filter."""

    items: list[CaseRow]
    total: int
    next_cursor: str | None = None
    flags: int = Field(0, description="Flags among all that match")
    expected_false: float = Field(0.0, description="How many of these flags are expected to be false")


class Claim(Schema):
    """Who works on a case, and until when nobody else can decide on it."""

    account_id: str
    claimed_by: str | None
    claimed_until: datetime | None
