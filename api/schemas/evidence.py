"""Why an account or a campaign is suspected: evidence, templates, ties, examples."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.base import Schema


class EvidenceOut(Schema):
    signal: str
    title: str
    direction: Literal["for", "against"]
    value: float
    unit: str
    percentile: float = Field(description="Share of those that it is among with a lower value, 0..1")
    among: str = Field("ordinary accounts", description="Those of its size, where they are known")
    contribution: float = Field(
        description="Change in log-odds of harvesting; of a place in a campaign: of its risk, beyond where an account is watched"
    )
    text: str
    part: str = Field(
        "", description="The requests it was counted in, which the text says last; empty: all of the account's"
    )
    sentence: str = Field("", description="The text without the part")
    version: str = "1"
    event_ids: list[str] = []
    requests: int | None = Field(
        None, description="Behind it, of those looked at; null: it is of all of them together, like a pace"
    )
    looked_at: int = Field(0, description="Requests looked at: all it speaks of, or a sample of a busy account's")
    interval: tuple[float, float] | None = Field(
        None, description="Of the share of requests behind it among those looked at: 95 % interval (Wilson's)"
    )


class TemplateOut(Schema):
    template_id: str
    text: str = ""
    requests: int = 0
    share: float = 0.0
    distinct_slots: int = 0
    accounts: int = 1
    slot_examples: list[str] = []
    event_ids: list[str] = []


class TieOut(Schema):
    kind: str
    title: str
    text: str
    weight: float = Field(description="Bits where it is a chance, -log2 of it; else a strength on that scale")
    members: int
    is_chance: bool = Field(description="Whether the weight tells the chance that unrelated accounts share it")


class RelatedOut(Schema):
    account_id: str
    weight: float
    text: str


class ExamplePrompt(Schema):
    event_id: str
    timestamp: datetime
    account_id: str
    model: str | None = None
    system: str | None = None
    prompt: str
    response: str | None = None
    cluster: int | None = None


class RequestsBehind(Schema):
    """Some of the requests behind one reason."""

    requests: int | None = Field(description="Behind it, of those looked at; null: it is of all of them together")
    looked_at: int
    prompts: list[ExamplePrompt] = Field(description="Masked: only what a template has in common is legible")
