"""Webhooks and their deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.base import Schema

WebhookShape = Literal["native", "alertmanager", "alertmanager_api", "slack", "ocsf"]
WebhookKind = Literal["account.flagged", "campaign.flagged", "case.decided", "verdict.changed", "enforcement.changed"]


class WebhookIn(Schema):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    url: Annotated[str, StringConstraints(min_length=8, max_length=2000, pattern=r"^https?://[\x21-\x7e]+$")]
    shape: WebhookShape = "native"
    kinds: list[WebhookKind] = Field(min_length=1, max_length=10)


class WebhookOut(Schema):
    webhook_id: str
    name: str
    url: str
    shape: WebhookShape
    kinds: list[WebhookKind]
    created_by: str
    created_at: datetime
    previous_until: datetime | None = Field(
        None, description="Until then the secret before the last rotation signs too"
    )
    disabled_at: datetime | None = None
    disabled_reason: str | None = None


class WebhookCreated(WebhookOut):
    secret: str = Field(description="Shown once; verifies the signatures")


class AttemptOut(Schema):
    at: datetime
    status: int | None = Field(description="HTTP status; absent where there was no answer")
    error: str | None
    milliseconds: int


class DeliveryOut(Schema):
    delivery_id: int
    message_id: str
    kind: str
    state: Literal["pending", "delivered", "failed"]
    created_at: datetime
    due_at: datetime | None = Field(description="Of the next attempt")
    ended_at: datetime | None
    attempts: list[AttemptOut]


class DeliveryPage(Schema):
    items: list[DeliveryOut]
    total: int
