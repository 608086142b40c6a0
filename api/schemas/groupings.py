"""Splitting and merging campaigns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.actions import Issued
from api.schemas.base import Reason, RecordId, Schema

What = Literal["merge", "split"]


class Regrouping(Schema):
    """What is to become of a campaign: `with_campaigns` are merged with it, or `accounts` are split off."""

    campaign_id: RecordId
    with_campaigns: list[RecordId] = Field([], max_length=50)
    accounts: list[RecordId] = Field([], max_length=25_000)


class GroupingIn(Regrouping):
    """A word on a campaign, that holds from the next assessment on until somebody takes it back."""

    reason: Reason


class Part(Schema):
    """A group that would come of it."""

    campaign_id: str
    accounts: int
    requests: int = Field(description="Of these accounts, whatever they sent")
    sample: list[str] = Field(description="Some of them")
    kept: bool = Field(description="Keeps the id, and with it state, decisions and actions")
    too_small: bool = Field(description="Of too few accounts to be a campaign: they would be in none")


class GroupingPreview(Schema):
    """What splitting or merging would do to the groups as they were found last."""

    what: What
    parts: list[Part]
    actions: list[str] = Field(description="Actions that hold or wait for a whole campaign among those concerned")
    needs_approval: bool


class GroupingOut(Issued):
    """A word of people on a campaign."""

    grouping_id: int
    campaign_id: str
    what: What
    sides: list[int] = Field(description="How many accounts were named on each side")
    reason: str
