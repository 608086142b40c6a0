"""How long events are kept, and what of their texts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.base import Reason, Schema

ContentMode = Literal["full", "redacted", "none"]
MAX_DAYS = 36_500


class RetentionIn(Schema):
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = Field(
        description="null: for ever, as far as the setting lets"
    )
    reason: Reason


class RetentionOut(Schema):
    """Events are deleted so many days after they arrived: the shorter of what an administrator chose and the setting."""

    days: int | None = Field(description="What holds; null: nothing is deleted")
    chosen: int | None
    setting: int | None
    reason: str | None = None
    actor: str | None = None
    at: datetime | None = None
    oldest_event_at: datetime | None = Field(None, description="When the oldest stored event arrived")
    events_stored: int = Field(0, description="About as many events are stored")


class ContentIn(Schema):
    mode: ContentMode
    reason: Reason


class ContentOut(Schema):
    """What is kept of an account's texts: all, all but personal data and secrets, or nothing."""

    account_id: str
    mode: ContentMode
    reason: str
    actor: str
    at: datetime
    swept_at: datetime | None = Field(description="Since then what had been stored before follows the mode too")


class ContentPage(Schema):
    default: ContentMode = Field(description="Of all other accounts")
    items: list[ContentOut]
