"""Bodies of the HTTP API: the one package that the dashboard shares with the service."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Role = Literal["analyst", "lead", "admin", "auditor", "gateway"]
Verdict = Literal["flag", "watch", "clear"]
CaseState = Literal["open", "confirmed", "dismissed", "need_more"]
Decision = Literal["confirm", "dismiss", "need_more"]
CaseSort = Literal["priority", "due_at", "risk", "requests", "output_tokens", "flagged_at", "last_seen", "account_id"]
Action = Literal["allow", "observe", "throttle", "step_up", "reduce", "block"]  # the mildest first
Measure = Literal["observe", "throttle", "step_up", "reduce", "block"]
Capability = Literal["logprobs", "reasoning", "tools", "choices"]  # what a request asks for beside an answer
Confidence = Literal["low", "medium", "high"]
Subject = Literal["account", "campaign"]
VerdictId = Literal[1, 2, 3, 4, 5, 6, 7]  # OCSF's verdict_id, as far as a review can end in it
ApprovalKind = Literal["action", "exception", "unmasking", "bulk"]
ClaimFilter = Literal["mine", "free", "taken"]
ApprovalState = Literal["pending", "live", "expired", "ended"]
EnforcementMode = Literal["all", "decisions", "none"]
WebhookShape = Literal["native", "alertmanager", "alertmanager_api", "slack", "ocsf"]
WebhookKind = Literal["account.flagged", "campaign.flagged", "case.decided", "verdict.changed", "enforcement.changed"]

Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=3, max_length=4000, pattern=r"^[^\x00]*$")
]  # why a person did something: kept in the audit trail
Note = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")]
RecordId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
ScopeId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]


class Schema(BaseModel):
    """Base of all bodies: unknown fields are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class ItemError(Schema):
    index: int
    error: str


class IngestResult(Schema):
    accepted: int
    duplicates: int
    rejected: list[ItemError] = []


class EvidenceOut(Schema):
    signal: str
    title: str
    direction: Literal["for", "against"]
    value: float
    unit: str
    percentile: float = Field(description="Share of accounts with a lower value, 0..1")
    contribution: float = Field(description="Change in log-odds of harvesting")
    text: str
    version: str = "1"
    event_ids: list[str] = []


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
    text: str
    weight: float
    members: int


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


class CaseRow(Schema):
    """One row of the queue: an account whose verdict is flag or watch."""

    account_id: str
    risk: float
    verdict: Verdict
    state: CaseState
    verdict_id: int | None = Field(None, description="OCSF's, of the decision that made the state")
    review_at: datetime | None = None
    requests: int
    input_tokens: int = 0
    output_tokens: int = 0
    harvest: str | None = None
    campaign_id: str | None = None
    first_seen: datetime
    last_seen: datetime
    flagged_at: datetime | None = None
    due_at: datetime | None = Field(None, description="When somebody should have looked")
    claimed_by: str | None = Field(None, description="Who works on it, while that lasts")
    claimed_until: datetime | None = None
    pattern: str = Field("", description="Cases that are alike share it")
    spend: float = Field(0.0, description="Estimated worth of the tokens taken, by the prices of the settings")
    priority: float = Field(0.0, description="Risk times spend")
    alike_confirmed: int = Field(0, description="Other closed cases with the same pattern that were confirmed")
    alike_dismissed: int = 0
    top_reason: str = ""


class CasePage(Schema):
    """One page of the queue, cut in SQL; ``total`` counts all that match the filter."""

    items: list[CaseRow]
    total: int
    next_cursor: str | None = None
    flags: int = Field(0, description="Flags among all that match")
    expected_false: float = Field(0.0, description="How many of these flags are expected to be false")


class Claim(Schema):
    """Who works on a case, and until when nobody else can decide on it."""

    account_id: str
    claimed_by: str | None
    claimed_until: datetime | None


class Scope(Schema):
    """What of an account an action is limited to; what is absent is not limited."""

    api_key_id: ScopeId | None = None
    model: ScopeId | None = Field(None, description="A trailing * stands for any ending")
    capability: Capability | None = Field(None, description="Only requests that ask for this")


class ActionIn(Scope):
    """What gateways are to do because of a decision, and until when."""

    action: Measure
    expires_at: AwareDatetime


class Issued(Schema):
    """Who asked for something, who approved it, and who ended it."""

    state: ApprovalState = Field(description="pending: waits for a second person")
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None


class ActionOut(Issued, Scope):
    action_id: int
    subject: Subject
    subject_id: str
    action: Measure
    source: Literal["decision", "automatic"]
    decision_id: int | None


class ActionPage(Schema):
    items: list[ActionOut]
    total: int


class Because(Schema):
    reason: Reason


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


class ExceptionIn(Schema):
    """A signal that shall not count in an account's risk; all others go on counting."""

    account_id: RecordId
    signal: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(
        description="Name of a signal that speaks for harvesting, or `campaign`: being a member of one"
    )
    reason: Reason
    expires_at: AwareDatetime


class ExceptionOut(Issued):
    exception_id: int
    account_id: str
    signal: str
    reason: str


class UnmaskIn(Schema):
    """Leave to read the example prompts of an account or campaign."""

    subject: Subject
    subject_id: RecordId
    reason: Reason
    minutes: Annotated[int, Field(ge=1, le=240)] = 30


class UnmaskingOut(Schema):
    unmasking_id: int
    subject: Subject
    subject_id: str
    reason: str
    minutes: int
    state: ApprovalState = Field(description="pending: waits for a second person")
    issued_by: str = Field(description="Who may read")
    issued_at: datetime
    expires_at: datetime
    approved_by: str | None = None
    ended_by: str | None = None


class ApprovalOut(Schema):
    """Something that waits for a second person."""

    kind: ApprovalKind
    number: int
    subject: Literal["account", "campaign", "bulk"]
    subject_id: str
    what: str = Field(description="The action, the signal, or the minutes of reading")
    reason: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    scope: Scope = Scope()


class ApprovalPage(Schema):
    items: list[ApprovalOut]
    total: int


class BulkQuery(Schema):
    """Which cases are meant: as the queue's filters. Without any, all that is flagged or watched."""

    state: CaseState | None = None
    verdict: Verdict | None = None
    min_risk: Annotated[float, Field(ge=0, le=1)] | None = None
    q: ScopeId | None = None
    due: bool = False
    claim: ClaimFilter | None = None
    pattern: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] | None = None


class BulkIn(Schema):
    """One decision on all cases that match. With ``dry_run`` nothing is done but told."""

    query: BulkQuery
    decision: DecisionIn
    dry_run: bool = True
    expected: int | None = Field(None, description="The number that the preview told; another one is refused")


class BulkPreview(Schema):
    """What a bulk decision would do."""

    total: int
    open: int
    decided: int = Field(description="Decided on before; the new decision replaces that")
    claimed: int = Field(description="Others work on them: these would be left out")
    actions: int
    sample: list[str]
    needs_approval: bool


class BulkOut(Schema):
    bulk_id: int
    what: str
    query: str
    reason: str
    state: Literal["pending", "live", "expired", "ended", "finished"]
    total: int
    done: int
    failed: int
    issued_by: str
    issued_at: datetime
    approved_by: str | None = None
    finished_at: datetime | None = None


class BulkItem(Schema):
    account_id: str
    result: Literal["done", "failed"] | None = Field(description="Absent while it waits")
    detail: str | None = None
    decision_id: int | None = None


class Ended(Schema):
    """What became of something that waited or held."""

    kind: ApprovalKind
    number: int
    state: ApprovalState
    expires_at: datetime


class AccountDetail(CaseRow):
    """Everything the account page shows."""

    p_value: float = Field(1.0, description="Share of honest accounts of its size that score as high")
    false_discovery: float = Field(
        1.0, description="Expected share of false ones among the accounts of its size that score at least as high"
    )
    evidence: list[EvidenceOut] = []
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


class ClusterPoint(Schema):
    """A codebook centroid in the plane, with the population's and (where asked) one account's requests."""

    cluster: int
    x: float
    y: float
    population: int
    account: int = 0


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


class ScopedAction(Scope):
    """An action that holds for a part of an account's requests only."""

    action: Measure
    until: datetime | None = Field(None, description="End of the action")


class VerdictOut(Schema):
    """What a gateway should do about an account. Fail open: without an answer, let the request through."""

    account_id: str
    action: Action = Field(description="The most severe that applies to the request as described")
    codes: list[str] = Field([], description="Ids of MITRE ATLAS techniques")
    reasons: list[str] = Field([], description="Signals that speak for it, and what people decided")
    scope: Scope = Field(Scope(), description="What the action is limited to")
    until: datetime | None = Field(None, description="End of the action, if a person or the operator set one")
    narrower: list[ScopedAction] = Field([], description="Actions on a part of the account, to be applied beside it")
    verdict: Verdict
    risk: float | None = Field(None, description="When the verdict last changed; absent where it is clear")
    changed_at: datetime | None = None
    expires_at: datetime = Field(description="Ask again after this")


class VerdictPage(Schema):
    """Verdicts that changed, the oldest change first; ``next`` is the ``since`` of the next question."""

    items: list[VerdictOut]
    next: str
    more: bool


class EnforcementIn(Schema):
    mode: EnforcementMode
    reason: Reason


class EnforcementOut(Schema):
    """The switch. all: people's and automatic actions; decisions: people's alone; none: everybody is at most observed."""

    mode: EnforcementMode = Field(description="What holds: the stricter of switch and setting")
    switch: EnforcementMode
    setting: EnforcementMode
    reason: str | None = None
    actor: str | None = None
    at: datetime | None = None
    automatic_action: Measure | None = Field(description="What is issued without a person, if anything")
    automatic_today: int = Field(description="Issued within the last 24 hours")
    automatic_daily_cap: int


class AuditEntry(Schema):
    entry_id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any] = {}


class AuditPage(Schema):
    items: list[AuditEntry]
    total: int


class KeyIn(Schema):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    role: Role
    account_id: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="Owns what the key's holder sends and what names nobody; without one, the key itself does"
    )


class KeyOut(Schema):
    key_id: str
    name: str
    role: Role
    account_id: str | None = None
    created_at: datetime
    revoked_at: datetime | None = None


class KeyCreated(KeyOut):
    key: str = Field(description="Shown once; only its hash is stored")


class Me(Schema):
    name: str
    role: Role
    key_id: str


class StateOut(Schema):
    """A part of the service that is not in order."""

    state: str
    detail: str


class HealthOut(Schema):
    """How the service does; ``problems`` by part: database, disk, intake, worker."""

    status: Literal["ok", "degraded", "ready", "refusing"]
    problems: dict[str, StateOut] = {}


class Overview(Schema):
    """Figures at the top of the dashboard and on the command line."""

    events: int
    accounts: int
    flagged: int
    watched: int
    campaigns: int
    open_cases: int
    expected_false: float = Field(description="Expected false flags at the last assessment")
    expected_false_interval: tuple[float, float] = Field(
        (0.0, 0.0), description="Bounds that hold with a probability of 95 %"
    )
    max_false_flags: float = Field(0.0, description="Share of honest accounts that may be flagged")
    worker_lag_events: int
    worker_lag_seconds: float | None
    unassessed_events: int = Field(0, description="Events stored that the findings do not reflect yet")
    last_assessed_at: datetime | None
    last_event_at: datetime | None


class Precision(Schema):
    """Of the flags that people reviewed, those that they confirmed."""

    confirmed: int
    reviewed: int
    precision: float | None = Field(description="confirmed / reviewed; absent where none is reviewed")
    low: float = Field(description="Wilson's 95 % interval")
    high: float


class SignalPrecision(Precision):
    """The same of the flags for which one signal speaks."""

    signal: str
    title: str


class Performance(Schema):
    """How the flags fared with the people who reviewed them."""

    all: Precision
    signals: list[SignalPrecision] = Field(description="The most reviewed first")
    honest: int = Field(description="Dismissed accounts that count as honest in the present thresholds")


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
