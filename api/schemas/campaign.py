"""Campaigns: groups of accounts and their members."""

from __future__ import annotations

from datetime import datetime

from api.schemas.approvals import UnmaskingOut
from api.schemas.base import CaseState, Schema, Verdict
from api.schemas.decisions import DecisionOut
from api.schemas.evidence import EvidenceOut, ExamplePrompt, TemplateOut, TieOut


class CampaignRow(Schema):
    campaign_id: str
    risk: float
    verdict: Verdict
    state: CaseState
    verdict_id: int | None = None
    review_at: datetime | None = None
    accounts: int
    requests: int
    input_tokens: int = 0
    output_tokens: int = 0
    harvest: str | None = None
    first_seen: datetime
    last_seen: datetime
    flagged_at: datetime | None = None
    ties: list[TieOut] = []


class CampaignPage(Schema):
    items: list[CampaignRow]
    total: int


class CampaignMember(Schema):
    account_id: str
    risk: float
    verdict: Verdict
    state: CaseState
    requests: int
    why: str


class CampaignDetail(CampaignRow):
    members: list[CampaignMember] = []
    evidence: list[EvidenceOut] = []
    templates: list[TemplateOut] = []
    clusters: list[tuple[int, int]] = []
    activity: list[int] = []
    examples: list[ExamplePrompt] = []
    unmasking: UnmaskingOut | None = None
    decisions: list[DecisionOut] = []
