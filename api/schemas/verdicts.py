"""What gateways are told of accounts, and the switch that limits it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.actions import Action, Measure, Scope
from api.schemas.base import Reason, Schema, Verdict

EnforcementMode = Literal["all", "decisions", "none"]


class ScopedAction(Scope):
    """An action that holds for a part of an account's requests only."""

    action: Measure
    until: datetime | None = Field(None, description="End of the action")


class VerdictOut(Schema):
    """What a gateway should do about an account. Fail open: without an answer, let the request through."""

    account_id: str
    action: Action = Field(description="The most severe that applies to the request as described")
    codes: list[str] = Field([], description="Ids of MITRE ATLAS techniques")
    reasons: list[str] = Field([], description="Signals that speak for it, and what people decided")
    scope: Scope = Field(Scope(), description="What the action is limited to")
    until: datetime | None = Field(None, description="End of the action, if a person or the operator set one")
    narrower: list[ScopedAction] = Field([], description="Actions on a part of the account, to be applied beside it")
    verdict: Verdict
    risk: float | None = Field(None, description="When the verdict last changed; absent where it is clear")
    changed_at: datetime | None = None
    expires_at: datetime = Field(description="Ask again after this")


class VerdictPage(Schema):
    """Verdicts that changed, the oldest change first; ``next`` is the ``since`` of the next question."""

    items: list[VerdictOut]
    next: str
    more: bool


class EnforcementIn(Schema):
    mode: EnforcementMode
    reason: Reason


class EnforcementOut(Schema):
    """The switch. all: people's and automatic actions; decisions: people's alone; none: everybody is at most observed."""

    mode: EnforcementMode = Field(description="What holds: the stricter of switch and setting")
    switch: EnforcementMode
    setting: EnforcementMode
    reason: str | None = None
    actor: str | None = None
    at: datetime | None = None
    automatic_action: Measure | None = Field(description="What is issued without a person, if anything")
    automatic_today: int = Field(description="Issued within the last 24 hours")
    automatic_daily_cap: int
