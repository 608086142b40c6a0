"""Events and findings to test with."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from detector.assessment import AccountFinding, CampaignFinding, Evidence

START = datetime(2026, 9, 7, tzinfo=UTC)


def row(number: int, account: str = "acct_1", **fields: Any) -> dict[str, Any]:
    """An event as a gateway sends it."""
    when = START + timedelta(seconds=number)
    return {
        "event_id": f"e{number}",
        "timestamp": when.isoformat(),
        "account_id": account,
        "messages": [{"role": "user", "content": f"question {number}"}],
        **fields,
    }


def body(*rows: Any) -> bytes:
    """A JSON array."""
    return json.dumps(rows).encode()


def account(account_id: str, risk: float = 0.9, **fields: Any) -> AccountFinding:
    """A finding on an account."""
    verdict = "flag" if risk >= 0.8 else "watch" if risk >= 0.5 else "clear"
    evidence = Evidence(
        signal="s", title="S", direction="for", value=1, unit="u", percentile=0.9, contribution=2, text="why"
    )
    values: dict[str, Any] = {
        "requests": 10,
        "first_seen": START,
        "last_seen": START + timedelta(hours=1),
        "verdict": verdict,
        "evidence": [evidence],
    }
    return AccountFinding(account_id=account_id, risk=risk, **(values | fields))


def campaign(campaign_id: str, accounts: list[str], risk: float = 0.9) -> CampaignFinding:
    """A finding on a campaign."""
    return CampaignFinding(
        campaign_id=campaign_id, risk=risk, verdict="flag", accounts=accounts, requests=10, first_seen=START, last_seen=START,
        members=dict.fromkeys(accounts, "shares a template"),
    )  # fmt: skip
