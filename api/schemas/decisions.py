"""Decisions on a case, their undoing, and the evidence as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.schemas.actions import ActionIn, ActionOut
from api.schemas.base import Decision, Note, Reason, Schema, Subject, Verdict
from api.schemas.evidence import EvidenceOut, TieOut

Confidence = Literal["low", "medium", "high"]
VerdictId = Literal[1, 2, 3, 4, 5, 6, 7]  # OCSF's verdict_id, as far as a review can end in it


class DecisionIn(Schema):
    decision: Decision
    reason: Reason
    verdict_id: VerdictId | None = Field(
        None,
        description="OCSF's: 2 true positive (confirm); 1 false positive, 3 disregard, 5 benign, 6 test (dismiss); "
        "4 suspicious, 7 insufficient data (need_more); without one 2, 1 or 7",
    )
    confidence: Confidence = "medium"
    review_at: AwareDatetime | None = Field(None, description="When to look again; the case is due then")
    appeal_note: Note | None = Field(None, description="What the account's owner said, or may be told")
    actions: list[ActionIn] = Field([], max_length=5, description="None to dismiss; without any, gateways observe")


class UndoIn(Schema):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=r"^[^\x00]*$")] = ""


class DecisionOut(Schema):
    decision_id: int
    subject: Subject
    subject_id: str
    decision: Decision
    verdict_id: int
    confidence: Confidence
    reason: str
    review_at: datetime | None = None
    appeal_note: str | None = None
    actor: str
    at: datetime
    actions: list[ActionOut] = []
    undone_by: str | None = None
    undone_at: datetime | None = None
    undo_reason: str | None = None


class Snapshot(Schema):
    """The evidence as it was when a decision was made."""

    decision: DecisionOut
    risk: float
    verdict: Verdict
    requests: int
    input_tokens: int
    output_tokens: int
    harvest: str | None = None
    first_seen: datetime
    last_seen: datetime
    evidence: list[EvidenceOut] = []
    ties: list[TieOut] = []
    accounts: list[str] = Field([], description="Members, of a campaign")
