"""What a case is compared with: reviewed accounts that are most like it, and other members of its group."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.schemas.base import CaseState, Schema, Verdict


class Twin(Schema):
    """A reviewed account that is like another one."""

    account_id: str
    state: CaseState
    verdict_id: int | None
    likeness: float = Field(description="Cosine of what speaks for and against the two, 0..1")
    risk: float
    requests: int
    harvest: str | None
    values: dict[str, str] = Field(description="By signal, what it shows, with its unit")


class SignalRow(Schema):
    """A signal by which an account and its twins are compared."""

    signal: str
    title: str
    value: str
    contribution: float
    confirmed: int = Field(description="Reviewed flags for which this signal spoke, that were confirmed")
    reviewed: int


class Twins(Schema):
    """The reviewed accounts nearest to one: three that were confirmed, three that were dismissed."""

    signals: list[SignalRow]
    confirmed: list[Twin]
    dismissed: list[Twin]


class Release(Schema):
    """When a model was released, as the operator said."""

    model: str
    on: date


class Node(Schema):
    """A member of a campaign, with its course."""

    account_id: str
    risk: float
    verdict: Verdict
    state: CaseState
    requests: int
    output_tokens: int
    first_seen: datetime
    last_seen: datetime
    days: list[tuple[str, int, int]]
    joined_at: datetime = Field(description="First request of the shared work")


class Edge(Schema):
    """What two members share; the rarer, the heavier."""

    source: str
    target: str
    weight: float = Field(description="Bits: -log2 of the chance that unrelated accounts share it")
    text: str


class Handover(Schema):
    """A fail-over: a member took up the shared work right after another one was stopped or fell silent."""

    stopped: str
    at: datetime
    by_people: bool = Field(description="An action held from then on; else the account fell silent")
    taken_up_by: str
    after_seconds: float


class CampaignGraph(Schema):
    """The members of a campaign and what ties them, pair by pair."""

    nodes: list[Node]
    edges: list[Edge]
    left_out: int = Field(description="Members beyond those shown, the least risky")
    handovers: list[Handover] = Field(description="Among all members, in order of time")
