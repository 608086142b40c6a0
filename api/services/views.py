"""From what is stored to what is shown: rows, details, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from api.schemas import (
    AccountDetail,
    CampaignDetail,
    CampaignMember,
    CampaignRow,
    CaseRow,
    DecisionOut,
    EvidenceOut,
    ExamplePrompt,
    RelatedOut,
    TemplateOut,
    TieOut,
)
from api.services import acting
from api.storage import campaigns, cases, decisions, events
from api.storage.engine import Database
from detector.assessment import AccountFinding, CampaignFinding
from detector.event import Event, text_of
from detector.features import response_text
from detector.templates import prompt_text

PROMPT_CHARS = 20_000  # of an example; a longer prompt is cut for the page
CASE_FIELDS = list(CaseRow.model_fields)
CAMPAIGN_FIELDS = [name for name in CampaignRow.model_fields if name != "ties"]


def case_row(record: Any) -> CaseRow:
    """A row of the queue."""
    return CaseRow(**{name: getattr(record, name) for name in CASE_FIELDS})


def campaign_row(record: Any, finding: CampaignFinding) -> CampaignRow:
    """A row of the list of campaigns."""
    return CampaignRow(**{name: getattr(record, name) for name in CAMPAIGN_FIELDS}, ties=_plain(TieOut, finding.ties))


def account_detail(database: Database, account_id: str) -> AccountDetail | None:
    """Everything on an account; None if it is unknown."""
    found = cases.get(database, account_id)
    if found is None:
        return None
    record, finding = found
    return AccountDetail(
        **case_row(record).model_dump(),
        **_evidence(finding),
        p_value=finding.p_value,
        false_discovery=finding.false_discovery,
        related=_plain(RelatedOut, finding.related),
        examples=_examples(database, finding.example_event_ids),
        decisions=_decisions(database, "account", account_id),
    )


def campaign_detail(database: Database, campaign_id: str) -> CampaignDetail | None:
    """Everything on a campaign; None if it is unknown."""
    found = campaigns.get(database, campaign_id)
    if found is None:
        return None
    record, finding = found
    return CampaignDetail(
        **campaign_row(record, finding).model_dump(),
        **_evidence(finding),
        members=_members(finding, cases.rows_of(database, finding.accounts)),
        examples=_examples(database, finding.example_event_ids),
        decisions=_decisions(database, "campaign", campaign_id),
    )


def decision_out(database: Database, record: Any) -> DecisionOut:
    """A decision with its actions."""
    issued = acting.by_decision(database, [record.decision_id])
    return DecisionOut(**record._mapping, actions=issued.get(record.decision_id, []))


def _evidence(finding: AccountFinding | CampaignFinding) -> dict[str, Any]:
    return {
        "evidence": _plain(EvidenceOut, finding.evidence),
        "templates": _plain(TemplateOut, finding.templates),
        "clusters": finding.clusters,
        "activity": finding.activity,
    }


def _plain(schema: Any, structs: Sequence[msgspec.Struct]) -> list[Any]:
    known = schema.model_fields
    return [schema(**{k: v for k, v in msgspec.structs.asdict(s).items() if k in known}) for s in structs]


def _members(finding: CampaignFinding, rows: Mapping[str, Any]) -> list[CampaignMember]:
    members = [
        CampaignMember(
            account_id=account_id,
            risk=rows[account_id].risk,
            verdict=rows[account_id].verdict,
            state=rows[account_id].state,
            requests=rows[account_id].requests,
            why=finding.members.get(account_id, ""),
        )
        for account_id in finding.accounts
        if account_id in rows
    ]
    return sorted(members, key=lambda m: (-m.risk, m.account_id))


def _examples(database: Database, event_ids: Sequence[str]) -> list[ExamplePrompt]:
    found = events.by_id(database, event_ids)
    return [_example(found[i]) for i in event_ids if i in found]


def _example(event: Event) -> ExamplePrompt:
    system, prompt = prompt_text(event)
    if not prompt:  # e.g. the last turn was a tool's
        prompt = next((t for m in reversed(event.messages) if (t := text_of(m.content))), "")
    return ExamplePrompt(
        event_id=event.event_id,
        timestamp=event.timestamp,
        account_id=event.account_id,
        model=event.model,
        system=system[:PROMPT_CHARS] or None,
        prompt=prompt[:PROMPT_CHARS],
        response=response_text(event.response)[:PROMPT_CHARS] or None,
    )


def _decisions(database: Database, subject: decisions.Subject, subject_id: str) -> list[DecisionOut]:
    records = decisions.of(database, subject, subject_id)
    issued = acting.by_decision(database, [r.decision_id for r in records])
    return [DecisionOut(**r._mapping, actions=issued.get(r.decision_id, [])) for r in records]
