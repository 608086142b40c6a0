"""From what is stored to what is shown: rows, details, decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from api.prices import Prices
from api.schemas.account import AccountDetail
from api.schemas.campaign import CampaignDetail, CampaignMember, CampaignRow
from api.schemas.decisions import DecisionOut, Snapshot
from api.schemas.evidence import EvidenceOut, RelatedOut, TemplateOut, TieOut
from api.schemas.queue import CasePage, CaseRow
from api.services import acting, approving, masking, reading
from api.storage import campaigns, cases, decisions, exceptions, queue, segments
from api.storage.engine import Database
from detector.assessment import AccountFinding, CampaignFinding, Evidence, Tie
from detector.evaluate import Rate

MOST = 100  # exceptions of an account that are shown
WORKED_OUT = {"spend", "currency", "alike_confirmed", "alike_dismissed"}  # of a row, beside what is stored
CASE_FIELDS = [name for name in CaseRow.model_fields if name not in WORKED_OUT]
CAMPAIGN_FIELDS = [name for name in CampaignRow.model_fields if name != "ties"]


def case_row(record: Any, prices: Prices, alike: Mapping[str, Mapping[str, int]]) -> CaseRow:
    """A row of the queue; ``alike``: closed cases by pattern and state."""
    ended = dict(alike.get(record.pattern, {}))
    if record.state in ended:
        ended[record.state] -= 1  # the others
    others = {f"alike_{state}": ended.get(state, 0) for state in ("confirmed", "dismissed")}
    spend = prices.spend(record.input_tokens, record.output_tokens)
    values = {name: getattr(record, name) for name in CASE_FIELDS}
    if record.claimed_until is not None and record.claimed_until <= datetime.now(UTC):
        values["claimed_by"] = values["claimed_until"] = None
    return CaseRow(**values, **others, spend=spend, currency=prices.currency)


def case_page(database: Database, page: queue.Page, prices: Prices) -> CasePage:
    """A page of the queue: each row with how cases like it ended; how many of the flags that match are expected to be false."""
    with database.read() as connection:
        rates = segments.state(connection).rates
    items = [case_row(record, prices, page.alike) for record in page.rows]
    total, flags, share = page.totals
    false = min(rates.expected * share, flags)
    return CasePage(items=items, total=total, next_cursor=page.next_cursor, flags=flags, expected_false=false)


def campaign_row(record: Any, finding: CampaignFinding) -> CampaignRow:
    """A row of the list of campaigns."""
    return CampaignRow(**{name: getattr(record, name) for name in CAMPAIGN_FIELDS}, ties=_ties(finding.ties))


def account_detail(database: Database, account_id: str, actor: str, prices: Prices) -> AccountDetail | None:
    """Everything on an account, for a person; None if it is unknown."""
    found = cases.get(database, account_id)
    if found is None:
        return None
    record, finding = found
    return AccountDetail(
        **case_row(record, prices, cases.alike(database, {record.pattern})).model_dump(),
        **_evidence(finding),
        in_shadow=finding.in_shadow,
        p_value=finding.p_value,
        false_discovery=finding.false_discovery,
        related=_plain(RelatedOut, finding.related),
        days=finding.days,
        examples=reading.masked(database, finding, finding.example_event_ids),
        unmasking=approving.leave(database, "account", account_id, actor),
        exceptions=[
            approving.exception_out(r) for r in exceptions.page(database, account_id, datetime.now(UTC), False, MOST, 0)
        ],
        decisions=_decisions(database, "account", account_id),
    )


def campaign_detail(database: Database, campaign_id: str, actor: str) -> CampaignDetail | None:
    """Everything on a campaign, for a person; None if it is unknown."""
    found = campaigns.get(database, campaign_id)
    if found is None:
        return None
    record, finding = found
    return CampaignDetail(
        **campaign_row(record, finding).model_dump(),
        **_evidence(finding),
        members=_members(finding, cases.rows_of(database, finding.accounts)),
        examples=reading.masked(database, finding, finding.example_event_ids),
        unmasking=approving.leave(database, "campaign", campaign_id, actor),
        decisions=_decisions(database, "campaign", campaign_id),
    )


def decision_out(database: Database, record: Any) -> DecisionOut:
    """A decision with its actions."""
    issued = acting.by_decision(database, [record.decision_id])
    return DecisionOut(**record._mapping, actions=issued.get(record.decision_id, []))


def snapshot(database: Database, decision_id: int) -> Snapshot | None:
    """The evidence as it was at a decision; None where there is no such decision, or it was made before that was kept."""
    record = decisions.whole(database, decision_id)
    if record is None or record.finding is None:
        return None
    decoder = cases.DECODER if record.subject == "account" else campaigns.DECODER
    finding: AccountFinding | CampaignFinding = decoder.decode(record.finding)
    names = ("risk", "verdict", "requests", "input_tokens", "output_tokens", "harvest", "first_seen", "last_seen")
    group = finding if isinstance(finding, CampaignFinding) else None
    kept = {name: record._mapping[name] for name in DecisionOut.model_fields if name != "actions"}
    issued = acting.by_decision(database, [decision_id]).get(decision_id, [])
    return Snapshot(
        decision=DecisionOut(**kept, actions=issued),
        evidence=_reasons(finding.evidence),
        ties=_ties(group.ties) if group else [],
        accounts=group.accounts if group else [],
        **{name: getattr(finding, name) for name in names},
    )


def _templates(finding: AccountFinding | CampaignFinding) -> list[TemplateOut]:
    """Templates with what fills their slots masked: that is the text of single requests."""
    legible = masking.common_words(finding.templates)
    shown: list[TemplateOut] = _plain(TemplateOut, finding.templates)
    return [t.model_copy(update={"slot_examples": [masking.mask(s, legible) for s in t.slot_examples]}) for t in shown]


def _evidence(finding: AccountFinding | CampaignFinding) -> dict[str, Any]:
    return {
        "evidence": _reasons(finding.evidence),
        "templates": _templates(finding),
        "clusters": finding.clusters,
        "activity": finding.activity,
    }


def _plain(schema: Any, structs: Sequence[msgspec.Struct]) -> list[Any]:
    known = schema.model_fields
    return [schema(**{k: v for k, v in msgspec.structs.asdict(s).items() if k in known}) for s in structs]


def _reasons(evidence: Sequence[Evidence]) -> list[EvidenceOut]:
    shown: list[EvidenceOut] = _plain(EvidenceOut, evidence)
    return [
        e.model_copy(update={"interval": _interval(e), "sentence": own.sentence})
        for e, own in zip(shown, evidence, strict=True)
    ]


def _interval(evidence: EvidenceOut) -> tuple[float, float] | None:
    if evidence.requests is None or not evidence.looked_at:
        return None
    rate = Rate.of(min(evidence.requests, evidence.looked_at), evidence.looked_at)
    return rate.low, rate.high


def _ties(ties: Sequence[Tie]) -> list[TieOut]:
    return [
        TieOut(kind=t.kind, title=t.title, text=t.text, weight=t.weight, members=t.members, is_chance=t.is_chance)
        for t in ties
    ]


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


def _decisions(database: Database, subject: decisions.Subject, subject_id: str) -> list[DecisionOut]:
    records = decisions.of(database, subject, subject_id)
    issued = acting.by_decision(database, [r.decision_id for r in records])
    return [DecisionOut(**r._mapping, actions=issued.get(r.decision_id, [])) for r in records]
