"""Findings and events made by hand, with every text given by the test: what the report must stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

from detector.assessment import (
    AccountFinding,
    Assessment,
    CampaignFinding,
    Evidence,
    Related,
    Template,
    Tie,
)
from detector.event import Event, Message
from detector.report import RunSummary
from detector.report.summary import TimeBin

START = datetime(2026, 9, 7, tzinfo=UTC)


def evidence(words: str, contribution: float = 2.5, signal: str = "reasoning_elicitation") -> Evidence:
    """A reason, for or against by the sign of its contribution."""
    side: Literal["for", "against"] = "for" if contribution > 0 else "against"
    return Evidence(
        signal=signal, title=words, direction=side, value=0.7, unit="share", percentile=0.98, contribution=contribution, text=words
    )  # fmt: skip


def account(
    name: str, words: str = "plain words", verdict: Literal["flag", "watch", "clear"] = "flag", risk: float = 0.97
) -> AccountFinding:
    """A finding on an account that carries ``words`` wherever a finding has text."""
    return AccountFinding(
        account_id=name, risk=risk, verdict=verdict, requests=120, first_seen=START, last_seen=START + timedelta(days=2),
        flagged_at=START + timedelta(hours=5), p_value=1 / 4800, false_discovery=0.02,
        campaign_id="c1", harvest="reasoning elicitation", input_tokens=1000, output_tokens=90_000,
        evidence=[evidence(words), evidence(words, -1.0, "human_rhythm")],
        templates=[Template(template_id="ab", text=f"{words} {{…}} end", requests=90, share=0.75, distinct_slots=80, slot_examples=[words])],
        related=[Related(account_id=words or "other", weight=12.0, text=words)], activity=[i % 5 for i in range(168)], example_event_ids=["e1"],
    )  # fmt: skip


def campaign(words: str, members: list[str]) -> CampaignFinding:
    """A finding on a campaign that carries ``words`` wherever it has text."""
    return CampaignFinding(
        campaign_id="c1", risk=0.99, verdict="flag", accounts=members, requests=500, first_seen=START, last_seen=START + timedelta(days=2),
        harvest=words, ties=[Tie(kind="template", text=words, weight=20.0, members=2), Tie(kind=words or "x", text=words, weight=3.0, members=2)],
        evidence=[evidence(words)], templates=[Template(template_id="cd", text=words)], activity=[1] * 168,
        example_event_ids=["e1"], members=dict.fromkeys(members, words),
    )  # fmt: skip


def event(words: str) -> Event:
    """A request whose every text is ``words``."""
    return Event(
        event_id="e1", account_id=words or "a", timestamp=START, model=words, system=words,
        messages=[Message(role="user", content=words)], response=words,
    )  # fmt: skip


def run(**fields: object) -> RunSummary:
    """What was audited."""
    given: dict[str, object] = {
        "files": ["log.jsonl"], "format": "canonical", "events": 1000, "accounts": 3, "rejected": 2, "bytes": 123_456, "seconds": 2.0,
        "first_event": START, "last_event": START + timedelta(days=2), "timings": {"parse": 0.5, "features": 1.5},
        "timeline": [TimeBin(START + timedelta(hours=i), i % 3, 10) for i in range(48)],
    }  # fmt: skip
    return RunSummary(**{**given, **fields})  # type: ignore[arg-type]


def findings(words: str = "plain words") -> tuple[RunSummary, Assessment, dict[str, Event]]:
    """A run with a campaign of two accounts, one watched and one clear account, all of whose texts are ``words``."""
    names = [words or "a", "acct_2"]
    accounts = [account(n, words) for n in dict.fromkeys(names)]
    accounts += [account("acct_watch", words, "watch", 0.4), account("acct_clear", words, "clear", 0.01)]
    assessment = Assessment(
        accounts=accounts, campaigns=[campaign(words, names)],
        expected_false_flags=0.3, expected_false_flags_interval=(0.0, 2.0), max_false_flags=0.0005,
    )  # fmt: skip
    return run(files=[words], format=words), assessment, {"e1": event(words)}
