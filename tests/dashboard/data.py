"""A small population in a real database: a harvester, its campaign, a suspect who attacks the page, bystanders."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from api.storage import campaigns, cases, events, segments
from api.storage.engine import Database
from detector.assessment import AccountFinding, CampaignFinding, Evidence, Related, Template, Tie, Verdict
from detector.event import Client, Event, Message, Usage
from tests.dashboard.hostile import hostile_text

START = datetime(2026, 9, 7, tzinfo=UTC)
HARVESTER = "acct_harvester"
GOOD_CUSTOMER = "acct_good_customer"
CAMPAIGN = "campaign_0001"
OTHER_CAMPAIGN = "campaign_0002"  # of bystanders
BYSTANDERS = 120  # more than two pages of 50
CLUSTERS = 40
RATES = segments.ErrorRates(expected=1.4, low=0, high=4, max_false_flags=0.001, reviewed=1)


def hostile_account(sink: str) -> str:
    """An account id that tries to break out of wherever it is shown, within the length of an id."""
    return f"<img src={sink}/id.png onerror=dwPwned=9>![x]({sink}/id.md)/../?id=%2F&a=b#\"'"


def fill(database: Database, sink: str) -> None:
    """Write events, findings and the worker's state, as the worker would."""
    log = [_event(n, account, sink) for n, account in enumerate([HARVESTER] * 7 + [hostile_account(sink)] * 3)]
    accounts = [_harvester(), _attacker(sink), _good_customer(), *(_bystander(n) for n in range(BYSTANDERS))]
    with database.write("events") as connection:
        events.insert(connection, [events.to_row(event, START) for event in log])
    segments.ensure(database)
    clusters = [[c, c % 8, c // 8, 10 * c] for c in range(CLUSTERS)]
    with database.write() as connection:
        cases.store(connection, accounts, START)
        campaigns.store(connection, [_campaign(sink), _other_campaign()], START)
        segments.note_assessment(connection, len(log), 0.1, 0.5, json.dumps(clusters).encode(), RATES, 0)


def _event(n: int, account: str, sink: str) -> Event:
    attack = hostile_text(sink)
    theirs = account != HARVESTER
    return Event(
        event_id=f"event_{n}" if not theirs else f"event_{n} {attack}"[:200],
        timestamp=START + timedelta(minutes=n),
        account_id=account,
        model=attack[:150] if theirs else "large-2",
        system=attack if theirs else "You are a careful tutor.",
        messages=[Message(content=attack if theirs else f"Explain theorem {n} step by step.")],
        response=attack if theirs else f"First, consider case {n}.",
        usage=Usage(input_tokens=20, output_tokens=400),
        client=Client(user_agent=attack[:200]),
    )


def _evidence(text: str = "93 % of 412 requests ask for the reasoning in tags.") -> list[Evidence]:
    return [
        Evidence(signal="reasoning_elicitation", title="Reasoning elicitation", direction="for", value=0.93,
                 unit="share of requests", percentile=0.998, contribution=2.3, text=text,
                 event_ids=["event_2", "event_3"], requests=380, looked_at=400),
        Evidence(signal="follow_ups", title="Follow-ups", direction="against", value=14, unit="follow-ups",
                 percentile=0.2, contribution=-0.4, text="14 requests continue a conversation."),
    ]  # fmt: skip


def _account(account_id: str, risk: float, verdict: Verdict, requests: int = 100) -> AccountFinding:
    return AccountFinding(
        account_id=account_id,
        risk=risk,
        verdict=verdict,
        requests=requests,
        first_seen=START,
        last_seen=START + timedelta(days=2),
        flagged_at=START + timedelta(hours=3) if verdict == "flag" else None,
        input_tokens=20 * requests,
        output_tokens=400 * requests,
        evidence=_evidence(),
        activity=[h % 7 for h in range(168)],
        clusters=[(3, 40), (7, 12)],
        days=[("2026-09-07", requests // 2, 200 * requests), ("2026-09-08", requests - requests // 2, 200 * requests)],
    )


def _harvester() -> AccountFinding:
    finding = _account(HARVESTER, 0.994, "flag", 412)
    finding.harvest, finding.p_value = "reasoning elicitation", 1 / 4800
    finding.campaign_id = CAMPAIGN
    finding.example_event_ids = [f"event_{n}" for n in range(7)]
    finding.related = [Related(account_id=GOOD_CUSTOMER, weight=12.5, text="one rare template")]
    finding.templates = [
        Template(template_id="ab12", text="Explain {…} step by step.", requests=380, share=0.92, distinct_slots=361,
                 accounts=3, slot_examples=["theorem 1", "theorem 2"])
    ]  # fmt: skip
    return finding


def _attacker(sink: str) -> AccountFinding:
    """Hostile text in every field that a suspect can reach, and in those that quote one."""
    attack = hostile_text(sink)
    finding = _account(hostile_account(sink), 0.97, "flag", 90)
    finding.harvest = attack
    finding.campaign_id = CAMPAIGN
    finding.evidence = _evidence(attack)
    finding.evidence[0].title = finding.evidence[0].unit = attack
    finding.in_shadow = [attack]
    finding.related = [Related(account_id=f"related {attack}"[:200], weight=9.0, text=attack)]
    finding.example_event_ids = [f"event_{n} {attack}"[:200] for n in range(7, 10)]
    finding.templates = [
        Template(template_id="cd34", text=attack + " {…} " + attack, requests=80, share=0.9, distinct_slots=80,
                 slot_examples=attack.splitlines())
    ]  # fmt: skip
    return finding


def _good_customer() -> AccountFinding:
    finding = _account(GOOD_CUSTOMER, 0.31, "watch", 5_000)
    finding.evidence = finding.evidence[::-1]
    finding.in_shadow = ["Even pace. Its requests come every 60 seconds."]
    return finding


def _bystander(n: int) -> AccountFinding:
    finding = _account(f"acct_bystander_{n:03d}", 0.2 + 0.6 * n / BYSTANDERS, "flag" if n > 60 else "watch", n + 1)
    if n % 2:  # as under zero data retention: nothing but counts
        finding.evidence, finding.activity, finding.clusters = [], [], []
    return finding


def _campaign(sink: str) -> CampaignFinding:
    members = [HARVESTER, hostile_account(sink), GOOD_CUSTOMER]
    return CampaignFinding(
        campaign_id=CAMPAIGN,
        risk=0.99,
        verdict="flag",
        accounts=members,
        requests=5_502,
        first_seen=START,
        last_seen=START + timedelta(days=2),
        flagged_at=START + timedelta(hours=5),
        harvest="reasoning elicitation",
        input_tokens=100_000,
        output_tokens=2_000_000,
        ties=[
            Tie(kind="payment", text="2 of 3 accounts share one payment method.", weight=22.1, members=2),
            Tie(kind="split_queue", text=hostile_text(sink), weight=9.6, members=3),
        ],
        evidence=_evidence(hostile_text(sink)),
        templates=_attacker(sink).templates,
        clusters=[(3, 80)],
        activity=[h % 5 for h in range(168)],
        example_event_ids=["event_0", "event_1"],
        members=dict.fromkeys(members, hostile_text(sink)),
    )


def _other_campaign() -> CampaignFinding:
    members = [f"acct_bystander_{n:03d}" for n in range(100, 105)]
    return CampaignFinding(
        campaign_id=OTHER_CAMPAIGN, risk=0.6, verdict="flag", accounts=members, requests=500, first_seen=START,
        last_seen=START + timedelta(days=2), members=dict.fromkeys(members, "shares a template"),
        work={
            a: (START + timedelta(hours=10 * n), START + timedelta(hours=10 * n + 9 if n < 4 else 80))
            for n, a in enumerate(members)
        },
    )  # fmt: skip
