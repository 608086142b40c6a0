"""Requests as people may read them: under a mask, or in full with leave, which is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from api.schemas.base import Subject
from api.schemas.evidence import ExamplePrompt, RequestsBehind
from api.services import masking
from api.storage import campaigns, cases, events, unmaskings
from api.storage.engine import Database
from detector.assessment import AccountFinding, CampaignFinding
from detector.event import Event
from detector.report.examples import shown

PROMPT_CHARS = 20_000  # of a request; a longer prompt is cut for the page

Finding = AccountFinding | CampaignFinding


def masked(database: Database, finding: Finding, event_ids: Sequence[str]) -> list[ExamplePrompt]:
    """Requests of a finding under the mask: only words of its templates are legible."""
    legible = masking.common_words(finding.templates)
    return [masking.masked(e, legible) for e in _read(database, event_ids)]


def behind(database: Database, subject: Subject, subject_id: str, signal: str) -> RequestsBehind | None:
    """Requests behind one reason, under the mask; None where there is no such reason."""
    finding = _finding(database, subject, subject_id)
    reason = next((e for e in finding.evidence if e.signal == signal), None) if finding else None
    if finding is None or reason is None:
        return None
    prompts = masked(database, finding, reason.event_ids)
    return RequestsBehind(requests=reason.requests, looked_at=reason.looked_at, prompts=prompts)


def in_full(
    database: Database, subject: Subject, subject_id: str, actor: str, signal: str | None
) -> list[ExamplePrompt] | None:
    """Example requests, or those behind one reason, for a person who has leave to read them, which is recorded; else None."""
    finding = _finding(database, subject, subject_id)
    if finding is None:
        event_ids = []
    elif signal is None:
        event_ids = finding.example_event_ids
    else:
        event_ids = next((e.event_ids for e in finding.evidence if e.signal == signal), [])
    if unmaskings.read(database, subject, subject_id, actor, {"event_ids": event_ids}, datetime.now(UTC)) is None:
        return None
    return _read(database, event_ids)


def _finding(database: Database, subject: Subject, subject_id: str) -> Finding | None:
    found = cases.get(database, subject_id) if subject == "account" else campaigns.get(database, subject_id)
    return None if found is None else found[1]


def _read(database: Database, event_ids: Sequence[str]) -> list[ExamplePrompt]:
    found = events.by_id(database, event_ids)
    return [_example(found[i]) for i in event_ids if i in found]


def _example(event: Event) -> ExamplePrompt:
    system, prompt, response = shown(event)
    return ExamplePrompt(
        event_id=event.event_id,
        timestamp=event.timestamp,
        account_id=event.account_id,
        model=event.model,
        system=system[:PROMPT_CHARS] or None,
        prompt=prompt[:PROMPT_CHARS],
        response=response[:PROMPT_CHARS] or None,
    )
