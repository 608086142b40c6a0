"""What gateways are to do, asked for, approved and ended by people."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from api.schemas.base import Schema, ScopeId, Subject

Action = Literal["allow", "observe", "throttle", "step_up", "reduce", "block"]  # the mildest first
Measure = Literal["observe", "throttle", "step_up", "reduce", "block"]
Capability = Literal["logprobs", "reasoning", "tools", "choices"]  # what a request asks for beside an answer
ApprovalState = Literal["pending", "live", "expired", "ended"]


class Scope(Schema):
    """What of an account an action is limited to; what is absent is not limited."""

    api_key_id: ScopeId | None = None
    model: ScopeId | None = Field(None, description="A trailing * stands for any ending")
    capability: Capability | None = Field(None, description="Only requests that ask for this")


class ActionIn(Scope):
    """What gateways are to do because of a decision, and until when."""

    action: Measure
    expires_at: AwareDatetime


class Issued(Schema):
    """Who asked for something, who approved it, and who ended it."""

    state: ApprovalState = Field(description="pending: waits for a second person")
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None


class ActionOut(Issued, Scope):
    action_id: int
    subject: Subject
    subject_id: str
    action: Measure
    source: Literal["decision", "automatic"]
    decision_id: int | None


class ActionPage(Schema):
    items: list[ActionOut]
    total: int
