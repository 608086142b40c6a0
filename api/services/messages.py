"""What webhooks tell of accounts and campaigns: figures, reasons and codes, never a prompt or an answer."""

from __future__ import annotations

from typing import Any

from api.services import atlas
from api.services.verdicts import Record, strongest
from detector.assessment import AccountFinding, CampaignFinding

MAX_MEMBERS = 100  # of a campaign that are named; the number of all is told beside them


def account(row: Any, finding: AccountFinding, record: Record) -> dict[str, Any]:
    """What is told of an account."""
    best = next((e for e in record.entries if not e.narrow), None)
    return {
        "account_id": row.account_id,
        "action": strongest(record),
        "until": best.until if best else None,
        "codes": record.codes,
        "reasons": record.reasons,
        **_common(row),
        "campaign_id": row.campaign_id,
        "top_reason": row.top_reason,
    }


def gone(account_id: str) -> dict[str, Any]:
    """What is told of an account on which there is no finding any more."""
    return {
        "account_id": account_id,
        "action": "allow",
        "verdict": "clear",
        "state": "open",
        "codes": [],
        "reasons": [],
    }


def campaign(row: Any, finding: CampaignFinding) -> dict[str, Any]:
    """What is told of a campaign."""
    signals = [e.signal for e in finding.evidence if e.direction == "for"]
    return {
        "campaign_id": row.campaign_id,
        "accounts": row.accounts,
        "members": sorted(finding.accounts)[:MAX_MEMBERS],
        "codes": atlas.codes_of(signals, campaign=True),
        **_common(row),
        "top_reason": next((tie.text for tie in finding.ties), ""),
    }


def _common(row: Any) -> dict[str, Any]:
    names = ("verdict", "state", "risk", "harvest", "requests", "input_tokens", "output_tokens")
    return {name: getattr(row, name) for name in (*names, "first_seen", "last_seen", "flagged_at")}
