"""Fixed labels for what the service names: states, decisions, roles, kinds."""

from __future__ import annotations

from api.schemas.actions import ApprovalState
from api.schemas.approvals import ApprovalKind
from api.schemas.base import CaseState, Decision, Role, Verdict
from api.schemas.decisions import Confidence
from api.schemas.jobs import JobKind, JobState
from api.schemas.privacy import ContentMode
from api.schemas.signals import SignalState
from api.schemas.verdicts import EnforcementMode
from api.schemas.webhooks import WebhookKind, WebhookShape

VERDICTS: dict[Verdict, str] = {"flag": "▲ Flag", "watch": "◆ Watch", "clear": "● Clear"}
"""Shape and word, so that colour is never alone in saying it."""

STATES: dict[CaseState, str] = {
    "open": "Open",
    "confirmed": "Confirmed",
    "dismissed": "Dismissed",
    "need_more": "Needs more",
}

JUDGEMENTS: dict[int, str] = {
    2: "True positive: it harvests",
    1: "False positive: ordinary use",
    5: "Benign: permitted, or a good customer's work",
    6: "Test: our own, or agreed on",
    3: "Disregard: no matter for review",
    4: "Suspicious: keep watching",
    7: "Insufficient data: more is needed",
}
"""OCSF's verdicts as far as a review can end in them, by verdict_id."""

DECISION_OF: dict[int, Decision] = {
    2: "confirm", 1: "dismiss", 5: "dismiss", 6: "dismiss", 3: "dismiss", 4: "need_more", 7: "need_more",
}  # fmt: skip
"""The decision that each verdict is, as the service knows it."""

CONFIDENCES: dict[Confidence, str] = {"medium": "Medium", "high": "High", "low": "Low"}

MEASURES: dict[str, str] = {
    "none": "Observe only",
    "throttle": "Throttle: few requests a minute",
    "step_up": "Step up: verify who they are",
    "reduce": "Reduce: short answers, no extras",
    "block": "Block: refuse",
}
"""What gateways can be told to do, the mildest first."""

CAPABILITIES: dict[str, str] = {
    "any": "All requests",
    "logprobs": "Those that ask for log-probabilities",
    "reasoning": "Those that ask for reasoning",
    "tools": "Those with tools",
    "choices": "Those with several choices",
}

APPROVALS: dict[ApprovalKind, str] = {
    "action": "Action",
    "exception": "Exception",
    "unmasking": "Reading prompts",
    "bulk": "Bulk decision",
    "grouping": "Campaign",
}

APPROVAL_STATES: dict[ApprovalState, str] = {
    "pending": "waits for a second person",
    "live": "holds",
    "expired": "has run out",
    "ended": "was ended",
}

BULK_STATES: dict[str, str] = {
    "pending": "Waits for a second person",
    "live": "Under way",
    "finished": "Finished",
    "expired": "Has run out",
    "ended": "Ended",
}

RESULTS: dict[str | None, str] = {"done": "Decided", "failed": "Failed", None: "Waits"}

MODES: dict[EnforcementMode, str] = {
    "all": "On: gateways are told all actions",
    "decisions": "Partly: gateways are told what people decided, nothing automatic",
    "none": "Off: gateways are told to observe at most",
}

DECIDED: dict[Decision, str] = {"confirm": "Confirmed", "dismiss": "Dismissed", "need_more": "More needed"}

ROLES: dict[Role, str] = {
    "analyst": "Analyst: reviews cases and decides",
    "lead": "Lead analyst: decides, and approves what takes two people",
    "admin": "Administrator: everything, and keys",
    "auditor": "Auditor: reads everything, decides nothing",
    "gateway": "Gateway: sends logs and asks for verdicts",
}

CONTENT_MODES: dict[ContentMode, str] = {
    "full": "Everything",
    "redacted": "Without personal data",
    "none": "No text",
}

WEBHOOK_SHAPES: dict[WebhookShape, str] = {
    "native": "Own, signed",
    "alertmanager": "Alertmanager's webhook",
    "alertmanager_api": "Alertmanager's API",
    "slack": "Slack",
    "ocsf": "OCSF finding",
}

WEBHOOK_KINDS: dict[WebhookKind, str] = {
    "account.flagged": "account flagged",
    "campaign.flagged": "campaign flagged",
    "case.decided": "case decided",
    "verdict.changed": "verdict changed",
    "enforcement.changed": "switch used",
}

JOB_KINDS: dict[JobKind, str] = {
    "audit": "Audits",
    "rehearsal": "Rehearsals",
    "backtest": "Backtests",
    "signals": "Signals",
}
A_JOB: dict[JobKind, str] = {
    "audit": "an audit",
    "rehearsal": "a rehearsal",
    "backtest": "a backtest",
    "signals": "a comparison of signals",
}
SIGNAL_STATES: dict[SignalState, str] = {"live": "Live", "shadow": "◐ In shadow"}
JOB_STATES: dict[JobState, str] = {
    "queued": "Waiting",
    "running": "Running",
    "done": "✓ Done",
    "failed": "✕ Failed",
    "cancelled": "Cancelled",
}
OPEN_JOBS: frozenset[JobState] = frozenset({"queued", "running"})

FAMILIES = {
    "sft_pairs": "instruction/answer pairs",
    "reasoning": "reasoning elicitation",
    "fixed_prompt": "one fixed prompt over all work",
    "rollouts": "repeated sampling",
    "agent_trajectories": "agent trajectories",
    "grader": "grading and preference data",
    "instruction_synthesis": "instruction synthesis",
    "trace_cleaning": "cleaning of captured answers",
    "session_replay": "replay of stored sessions",
    "relay": "relay of real users",
    "logprobs": "log-probabilities",
    "corpus_replay": "replay of a public corpus",
    "domain_sweep": "a sweep over one domain",
}
"""Kinds of harvest that can be rehearsed, as the detector names them."""
