"""What the detector says: findings on accounts and campaigns, with evidence for and against.

Plain msgspec structs, so that the report, the API and the dashboard read the same words.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

Direction = Literal["for", "against"]
Verdict = Literal["flag", "watch", "clear"]


class Evidence(msgspec.Struct, kw_only=True):
    """One reason. ``contribution`` is the change in log-odds of harvesting (positive: for; negative: against); of a place in a
    campaign, whose signal is ``campaign``, how far its risk lies beyond where an account is watched, in log-odds."""

    signal: str  # name of the signal, e.g. "reasoning_elicitation"
    title: str  # e.g. "Reasoning elicitation"
    direction: Direction
    value: float  # in ``unit``
    unit: str  # e.g. "share of requests"
    percentile: float  # share of those that it is ``among`` with a lower value, 0..1
    contribution: float  # log-odds
    text: str  # plain words with the numbers in them
    part: str = ""  # the requests it was counted in, e.g. "30 of its 90 requests, those of one day"; empty: all
    version: str = "1"
    among: str = "ordinary accounts"  # those of its size, where they are known
    event_ids: list[str] = []  # some of the requests behind it
    requests: int | None = None  # behind it, of those looked at; None: it is of all of them together
    looked_at: int = 0  # requests looked at: all it speaks of, or a sample of a busy account's

    @property
    def sentence(self) -> str:
        """The text without the part, for a list whose reasons are all of that part."""
        return self.text.removesuffix(counted_in(self.part))


def counted_in(part: str) -> str:
    """What a reason's text ends with that was counted in a part of an account's requests."""
    return f" Counted in {part}." if part else ""


def over_all(requests: int) -> str:
    """What a reason's text ends with that was counted in all requests, beside others that were counted in a part."""
    return f" Counted over all its {requests:,} requests."


def parts_named(evidence: Iterable[Evidence]) -> list[str]:
    """What to say above a list of reasons by their ``sentence``: what they were counted in, where that is a part."""
    return [part_named(part) for part in dict.fromkeys(e.part for e in evidence) if part]


def part_named(part: str) -> str:
    """The same of one part."""
    return f"Counted in {part}, unless said otherwise: what stands out most in it."


class Template(msgspec.Struct, kw_only=True):
    """A constant frame with varying slots."""

    template_id: str  # hex
    text: str = ""  # the constant words, slots shown as {…}; empty where no content is kept
    requests: int = 0  # by this account or campaign
    share: float = 0.0  # of its requests
    distinct_slots: int = 0  # different fillings
    accounts: int = 1  # accounts in the whole log that use it
    slot_examples: list[str] = []
    event_ids: list[str] = []


TIE_TITLES = {
    "template": "Shared wording",
    "prompt": "Same tasks",
    "settings": "Same settings",
    "payment": "Shared payment",
    "email_domain": "Shared e-mail domain",
    "ip": "Shared addresses",
    "network": "Shared network",
    "tls": "Same client build",
    "user_agent": "Same client",
    "birth": "Created together",
    "split_queue": "One work queue",
    "timing": "Same hours",
    "conduct": "Each looks like harvesting",
}
"""Headings of the kinds of tie."""
NOT_CHANCES = frozenset({"split_queue", "timing", "conduct"})
"""Kinds whose weight is a strength on the scale of bits, and no chance."""


def tie_title(kind: str) -> str:
    """A heading for a kind of tie; of one that is not known, its name."""
    return TIE_TITLES.get(kind, kind.replace("_", " ").capitalize())


class Tie(msgspec.Struct, kw_only=True):
    """One kind of link within a campaign, e.g. a shared rare template.

    ``weight`` is bits of surprise, -log2 of the chance that unrelated accounts share it; of NOT_CHANCES a strength on that scale.
    """

    kind: str  # one of TIE_TITLES
    text: str  # plain words with numbers
    weight: float
    members: int  # accounts it ties

    @property
    def title(self) -> str:
        """A heading for people."""
        return tie_title(self.kind)

    @property
    def is_chance(self) -> bool:
        """Whether the weight tells a chance."""
        return self.kind not in NOT_CHANCES


class Related(msgspec.Struct, kw_only=True):
    """Another account that shares something rare with this one."""

    account_id: str
    weight: float
    text: str


class AccountFinding(msgspec.Struct, kw_only=True):
    """The detector's view on one account."""

    account_id: str
    risk: float  # 0..1; flags begin at the assessment's threshold
    verdict: Verdict
    requests: int
    first_seen: datetime
    last_seen: datetime
    score: float | None = None  # log-odds that decided: its own, or that of its place in a campaign
    p_value: float = 1.0  # share of honest accounts of its size that score as high
    false_discovery: float = (
        1.0  # expected share of false flags if it and all less ordinary accounts of its size are flagged
    )
    flagged_at: datetime | None = None  # event time at which the stream would have flagged it
    campaign_id: str | None = None
    harvest: str | None = None  # what it looks like, e.g. "reasoning elicitation"
    input_tokens: int = 0
    output_tokens: int = 0
    evidence: list[Evidence] = []  # its place in a campaign, what is there, what is missing; each the weightiest first
    in_shadow: list[str] = []  # sentences on the signals in shadow that are strong in it: they do not count
    templates: list[Template] = []
    related: list[Related] = []
    clusters: list[tuple[int, int]] = []  # (cluster, requests), most frequent first
    activity: list[int] = []  # 168 counts: hour of week, Monday 00:00 UTC first
    days: list[
        tuple[str, int, int]
    ] = []  # (day in UTC, requests, output tokens), those with requests, the oldest first
    example_event_ids: list[str] = []


class CampaignFinding(msgspec.Struct, kw_only=True):
    """The detector's view on a group of accounts that work for one harvester."""

    campaign_id: str
    risk: float
    verdict: Verdict
    accounts: list[str]
    requests: int
    first_seen: datetime
    last_seen: datetime
    flagged_at: datetime | None = None
    harvest: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    ties: list[Tie] = []
    evidence: list[Evidence] = []
    templates: list[Template] = []
    clusters: list[tuple[int, int]] = []
    activity: list[int] = []
    example_event_ids: list[str] = []
    members: dict[str, str] = {}  # account_id -> why it is in
    work: dict[str, tuple[datetime, datetime]] = {}  # account_id -> its first and last request of the shared work


class Assessment(msgspec.Struct, kw_only=True):
    """Findings on every account (evidence only where risk is at least ``watch``) and every campaign."""

    accounts: list[AccountFinding]
    campaigns: list[CampaignFinding]
    expected_false_flags: float = 0.0  # among the flagged accounts, if as many honest accounts are flagged as may be
    expected_false_flags_interval: tuple[float, float] = (0.0, 0.0)  # that hold with a probability of 95 %
    max_false_flags: float = 0.0  # share of honest accounts that may be flagged
    threshold: float = 0.5  # risk at which an account is flagged
    watch_threshold: float = 0.2

    def flagged(self) -> list[AccountFinding]:
        """Accounts whose verdict is ``flag``, riskiest first."""
        return sorted((a for a in self.accounts if a.verdict == "flag"), key=lambda a: -a.risk)

    def findings(self) -> list[AccountFinding | CampaignFinding]:
        """Accounts and campaigns in one list."""
        return [*self.accounts, *self.campaigns]

    def event_ids(self) -> set[str]:
        """Requests that the findings point to."""
        examples = {i for f in self.findings() for i in f.example_event_ids}
        return examples | {i for f in self.findings() for t in f.templates for i in t.event_ids}


def top_reason(finding: AccountFinding | CampaignFinding) -> str:
    """The first reason for harvesting in the finding's own work; its place in a campaign only where there is no other."""
    reasons = [e for e in finding.evidence if e.direction == "for"]
    return min(reasons, key=lambda e: e.signal == "campaign").text if reasons else ""
