"""Samples of what is not flagged, agreement of reviewers, drift."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.base import CaseState, Decision, Schema, Verdict
from api.schemas.performance import Precision


class SegmentPrecision(Precision):
    """Precision among accounts of one size."""

    segment: str
    signal: str | None = Field(description="null: of all flags")
    title: str | None


class SampleIn(Schema):
    size: Annotated[int, Field(ge=1, le=500)] = 20


class SampleRow(Schema):
    """An account that was drawn while it was not flagged."""

    account_id: str
    drawn_by: str
    drawn_at: datetime
    state: CaseState | None = Field(description="What people found; absent: it has left the window")
    verdict: Verdict | None
    requests: int | None
    risk: float | None


class SampleOut(Schema):
    items: list[SampleRow]
    missed: Precision = Field(description="Of the sampled accounts that were reviewed, those that harvest")
    unflagged: int = Field(description="Accounts that are not flagged now")
    missed_low: float = Field(description="Bounds of the number of harvesters among them, by Wilson's interval")
    missed_high: float


class Found(Schema):
    actor: str
    decision: Decision


class Disagreement(Schema):
    subject: str
    subject_id: str
    found: list[Found] = Field(description="Who found what, the last of each")


class Agreement(Schema):
    """Cases that two or more people decided on: how often two of them found the same."""

    pairs: int
    agreed: int
    share: float | None
    low: float
    high: float
    kappa: float | None = Field(description="Beyond chance (Scott's pi), -1..1")
    disagreements: list[Disagreement]


class DriftDay(Schema):
    day: datetime
    requests: int
    fit: float | None = Field(description="Mean cosine of prompts with their topic, 0..1")


class DriftOut(Schema):
    stability: float | None = Field(description="Population stability index of the topics; absent for less than a week")
    recent_days: int
    days: list[DriftDay]
    built_at: datetime


class Quality(Schema):
    segments: list[SegmentPrecision]
    agreement: Agreement
    drift: DriftOut | None = Field(description="Absent until the worker has assessed")
    assess_seconds: float | None
