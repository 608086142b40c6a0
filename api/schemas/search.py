"""Accounts that ask alike, saved queries, and accounts at the top."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from api.schemas.base import CaseState, Schema, Verdict

TopBy = Literal["requests", "input_tokens", "output_tokens"]
QueryText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=20_000, pattern=r"^[^\x00]*$")
]
QueryAccount = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]


class SimilarIn(Schema):
    """A text as a prompt would have it, or an account as an example."""

    text: QueryText | None = None
    account_id: QueryAccount | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @model_validator(mode="after")
    def _one(self) -> SimilarIn:
        if (self.text is None) == (self.account_id is None):
            raise ValueError("give a text or an account, one of them")
        return self


class SimilarAccount(Schema):
    account_id: str
    similarity: float = Field(description="Mean cosine of its nearest prompts, 0..1")
    prompts: int = Field(description="Of its sampled prompts that are near")
    sampled: int
    risk: float | None = None
    verdict: Verdict | None = None
    state: CaseState | None = None
    requests: int | None = None
    harvest: str | None = None
    campaign_id: str | None = None


class SimilarOut(Schema):
    items: list[SimilarAccount]
    built_at: datetime = Field(description="When the worker made the index")
    accounts: int = Field(description="In the index")
    sampled: int = Field(description="Prompts in the index")


class QueryIn(Schema):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    text: QueryText | None = None
    account_id: QueryAccount | None = None
    shared: bool = False

    @model_validator(mode="after")
    def _one(self) -> QueryIn:
        if (self.text is None) == (self.account_id is None):
            raise ValueError("give a text or an account, one of them")
        return self


class QueryOut(Schema):
    query_id: str
    name: str
    text: str | None
    account_id: str | None
    shared: bool
    owner: str
    mine: bool
    created_at: datetime


class TopRow(Schema):
    account_id: str
    value: int = Field(description="Of the period")
    before: int = Field(description="Of the period before")
    rank: int
    rank_before: int | None = Field(description="Absent: it sent nothing then")
    risk: float | None = None
    verdict: Verdict | None = None
    state: CaseState | None = None


class TopOut(Schema):
    by: TopBy
    days: int
    items: list[TopRow]
    total: int = Field(description="Of all accounts in the period")
    total_before: int
    until_day: datetime | None = Field(description="Last day with events")
    built_at: datetime
