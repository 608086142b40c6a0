"""Everything on one account."""

from __future__ import annotations

from pydantic import Field

from api.schemas.approvals import ExceptionOut, UnmaskingOut
from api.schemas.decisions import DecisionOut
from api.schemas.evidence import EvidenceOut, ExamplePrompt, RelatedOut, TemplateOut
from api.schemas.queue import CaseRow


class AccountDetail(CaseRow):
    """Everything the account page shows."""

    p_value: float = Field(1.0, description="Share of honest accounts of its size that score as high")
    false_discovery: float = Field(
        1.0, description="Expected share of false ones among the accounts of its size that score at least as high"
    )
    evidence: list[EvidenceOut] = []
    in_shadow: list[str] = Field(
        default=[], description="Sentences on the signals in shadow that are strong in it: they do not count"
    )
    templates: list[TemplateOut] = []
    related: list[RelatedOut] = []
    clusters: list[tuple[int, int]] = []
    activity: list[int] = Field(default=[], description="168 counts, Monday 00:00 UTC first")
    examples: list[ExamplePrompt] = Field(
        default=[], description="Masked: only what a template has in common is legible"
    )
    unmasking: UnmaskingOut | None = Field(None, description="The caller's leave to read the prompts, if any")
    days: list[tuple[str, int, int]] = Field(default=[], description="Day (UTC), requests, output tokens")
    exceptions: list[ExceptionOut] = []
    decisions: list[DecisionOut] = []
