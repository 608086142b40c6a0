"""Campaigns: every family in every variant does what it is, and every evasion has its effect."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest

from detector.event import Event, text_of
from detector.simulate import FRAMES, HARVESTS, PRESETS, Campaign, Prompt, Scenario, Traffic, built_in, simulate
from detector.simulate.presets import benchmark

VARIANTS = [(family, variant) for family in HARVESTS for variant in FRAMES[family]]


def run(*campaigns: Campaign, seed: int = 3, days: int = 7) -> Traffic:
    """Traffic of campaigns alone."""
    return simulate(Scenario(days=days, campaigns=campaigns), seed)


def prompt(event: Event) -> str:
    """The last user turn."""
    return [text_of(m.content) for m in event.messages if m.role == "user"][-1]


def by_account(traffic: Traffic) -> dict[str, list[Event]]:
    """Events of each account."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in traffic.events:
        found[event.account_id].append(event)
    return found


@pytest.mark.parametrize(("family", "variant"), VARIANTS)
def test_every_variant_sends_its_harvest(family: str, variant: str) -> None:
    """All accounts send what was asked of them, in both groups of frames."""
    for group in "AB":
        traffic = run(Campaign(family, variant, accounts=4, requests=15, frames=group))
        assert [len(events) for events in by_account(traffic).values()] == [15] * 4
        assert traffic.harvest["harvest"].all()
        assert set(traffic.accounts["variant"]) == {variant}


def test_marks_of_the_families() -> None:
    """What makes a family is there: repeated tasks, growing tool loops, top log-probabilities, whole histories."""
    rollouts = run(Campaign("rollouts", "samples", requests=64)).events
    assert min(Counter(map(prompt, rollouts)).most_common()[0][1], 4) == 4
    assert all((e.params.temperature or 0) > 0 for e in rollouts)
    agents = run(Campaign("agent_trajectories", "shell", requests=80)).events
    firsts = Counter(prompt(e) for e in agents if len(e.messages) == 1)
    assert firsts.most_common()[0][1] >= 2
    assert max(len(e.messages) for e in agents) > 4
    assert all(e.tools for e in agents)
    probabilities = run(Campaign("logprobs", "top_k", requests=20)).events
    assert all(e.params.logprobs and (e.params.top_logprobs or 0) >= 10 for e in probabilities)
    replayed = run(Campaign("session_replay", "whole", requests=30)).events
    assert all(len(e.messages) >= 3 for e in replayed)


def test_answers_come_back_in_instruction_synthesis() -> None:
    """Some seeds are lines of answers that the campaign was given."""
    traffic = run(Campaign("instruction_synthesis", "evolve", accounts=6, requests=100))
    answers = {line for e in traffic.events if isinstance(e.response, str) for line in e.response.splitlines()}
    assert sum(any(a in prompt(e) for a in answers if len(a) > 20) for e in traffic.events[-150:]) > 15


def test_a_split_queue_never_overlaps_and_an_overlap_does() -> None:
    """Accounts of a split queue share no task; with overlap they do."""
    for overlap in (0.0, 0.5):
        accounts = by_account(run(Campaign("sft_pairs", "plain", accounts=5, requests=60, overlap=overlap)))
        tasks = [{prompt(e) for e in events} for events in accounts.values()]
        shared = sum(len(s) for s in tasks) - len(set().union(*tasks))
        assert (shared > 0) == (overlap > 0)


@pytest.mark.parametrize("cover", [0.0, 0.3, 0.5, 0.8])
def test_cover_is_the_share_of_an_account(cover: float) -> None:
    """Each account sends the requests asked for, and that share of them is cover."""
    traffic = run(Campaign("sft_pairs", accounts=3, requests=100, cover=cover))
    assert [len(events) for events in by_account(traffic).values()] == [100] * 3
    assert 1 - traffic.harvest["harvest"].mean() == pytest.approx(cover)  # type: ignore[operator]


def test_paraphrases_are_wordings_in_use() -> None:
    """The number of system prompts in use is the number of wordings."""
    for count in (1, 3):
        events = run(Campaign("reasoning", "system", requests=80, paraphrases=count)).events
        assert len({e.system for e in events}) == count


def test_groups_of_frames_share_no_words() -> None:
    """Campaigns of the two groups send no system prompt in common."""
    found = [
        {e.system for s in range(3) for e in run(Campaign("reasoning", "system", requests=9, frames=g), seed=s).events}
        for g in "AB"
    ]
    assert not found[0] & found[1]


@pytest.mark.parametrize("what", ["network", "payment"])
def test_sharing(what: str) -> None:
    """Shared is one for all, unshared one for each, partly is between, rotating many for each."""

    def distinct(mode: str) -> int:
        campaign = Campaign("sft_pairs", accounts=20, requests=30, **{what: mode})  # type: ignore[arg-type]
        accounts = run(campaign, seed=5)
        if what == "payment":
            return len({e.account.payment_fingerprint for e in accounts.events if e.account.payment_fingerprint})
        first = {a: next((e.client.ip for e in events if e.client.ip), a) for a, events in by_account(accounts).items()}
        return len({str(ip).rsplit(".", 2)[0] for ip in first.values()})

    shared, partly, unshared = distinct("shared"), distinct("partly"), distinct("unshared")
    assert shared <= 7 < partly < unshared if what == "network" else shared == 1 < partly < unshared
    if what == "network":
        rotating = run(Campaign("sft_pairs", requests=200, network="rotating"), seed=5).events
        assert len({e.client.asn for e in rotating if e.client.asn}) >= 6


def test_ages() -> None:
    """Aged accounts are old; new ones were opened within weeks."""
    for aged in (True, False):
        events = run(Campaign("sft_pairs", accounts=30, requests=2, aged=aged)).events
        days = [(e.timestamp - e.account.created_at).days for e in events if e.account.created_at]
        assert (sorted(days)[len(days) // 2] > 60) == aged


def test_failover_replaces_accounts_and_a_drip_is_slow() -> None:
    """After a ban the next account takes over; a drip sends about the same on each day."""
    accounts = by_account(run(Campaign("sft_pairs", accounts=5, requests=40, failover=True, cover=0.3)))
    spans = sorted((min(e.timestamp for e in events), max(e.timestamp for e in events)) for events in accounts.values())
    assert all(end <= start + timedelta(minutes=30) for (_, end), (start, _) in pairwise(spans))
    drip = run(Campaign("sft_pairs", requests=70, pace="drip")).events
    assert max(Counter(e.timestamp.date() for e in drip).values()) <= 20


def test_paces_and_jitter() -> None:
    """Round the clock fills the night, office hours do not; a metronome's gaps are even."""

    def night(pace: str) -> float:
        events = [
            e for s in range(6) for e in run(Campaign("sft_pairs", "plain", requests=80, pace=pace), seed=s).events
        ]  # type: ignore[arg-type]
        hours = Counter((e.account_id, e.timestamp.hour) for e in events)
        return len(hours) / 6

    assert night("clock") > 18 > 14 > night("office")
    even = run(Campaign("sft_pairs", "plain", requests=50, pace="clock", jitter=0.0)).events
    gaps = [(b.timestamp - a.timestamp).total_seconds() for a, b in pairwise(even)]
    assert max(gaps) - min(gaps) < 30


def test_resellers_uneven_shares_and_invented_users() -> None:
    """A reseller's accounts carry others' conversations; uneven accounts differ; invented users are logged."""
    reseller = run(Campaign("sft_pairs", requests=100, reseller=0.4))
    assert reseller.harvest["harvest"].sum() == 60
    assert any(e.end_user_id for e in reseller.events)
    sizes = [len(v) for v in by_account(run(Campaign("sft_pairs", accounts=12, requests=50, uneven=True))).values()]
    assert max(sizes) > 1.5 * min(sizes)
    assert all(e.end_user_id for e in run(Campaign("sft_pairs", requests=20, fake_users=True)).events)


def test_published_requests_are_sent_as_they_are() -> None:
    """Where the texts hold finished requests of a family, a variant sends those, word for word."""
    texts = built_in(7, 300)
    texts = replace(texts, harvests={"grader": [Prompt(f"judge {i}", "sys") for i in range(30)]})
    events = simulate(Scenario(campaigns=(Campaign("grader", "published", requests=30),)), 1, texts).events
    assert {prompt(e) for e in events} == {f"judge {i}" for i in range(30)}
    assert {e.system for e in events} == {"sys"}


@pytest.mark.parametrize(
    ("campaign", "word"),
    [
        (Campaign("nonsense"), "family"),
        (Campaign("grader", "nonsense"), "variant"),
        (Campaign("grader", frames="Z"), "group"),
        (Campaign("grader", cover=0.9, reseller=0.2), "cover"),
        (Campaign("grader", accounts=0), "at least 1"),
    ],
)
def test_nonsense_is_refused(campaign: Campaign, word: str) -> None:
    """What makes no sense is named."""
    with pytest.raises(ValueError, match=word):
        run(campaign)


def test_the_benchmark_has_every_family_and_every_evasion() -> None:
    """All families, sizes, covers, sharings, paces and ages occur; left-out families do not."""
    planned = benchmark(1, per_family=8).campaigns
    assert {c.family for c in planned} == set(HARVESTS)
    assert {1, 5, 25, 100, 500} == {c.accounts for c in planned}
    assert {0.0, 0.3, 0.5, 0.8} == {c.cover for c in planned}
    assert {"shared", "partly", "unshared", "rotating"} == {c.network for c in planned}
    assert {"shared", "partly", "unshared"} == {c.payment for c in planned}
    assert {"job", "burst", "clock", "human", "office", "drip", "flood"} == {c.pace for c in planned}
    assert {True, False} == {c.narrow for c in planned}
    assert {True, False} == {c.aged for c in planned} == {c.failover for c in planned} == {c.uneven for c in planned}
    left = benchmark(1, without=("grader", "ci_agent"))
    assert "grader" not in {c.family for c in left.campaigns}
    assert "ci_agent" not in left.tenants
    with pytest.raises(ValueError, match="nonsense"):
        benchmark(1, without=("nonsense",))


def test_campaigns_are_described() -> None:
    """A row for each campaign holds its settings, with the variant that was drawn."""
    traffic = simulate(PRESETS["demo"], 2)
    assert set(traffic.campaigns["campaign_id"]) == set(traffic.accounts["campaign_id"].drop_nulls())
    assert traffic.campaigns["variant"].null_count() == 0
    members = dict(traffic.accounts.drop_nulls("campaign_id").group_by("campaign_id").len().iter_rows())
    assert members == dict(traffic.campaigns.select("campaign_id", pl.col("accounts").cast(pl.UInt32)).iter_rows())


def test_a_narrow_harvest_stays_within_a_field() -> None:
    """Texts of a narrow campaign have more words in common than those of a broad one."""

    def shared(narrow: bool) -> float:
        events = [e for seed in (3, 4, 5) for e in run(Campaign("sft_pairs", "plain", narrow=narrow), seed=seed).events]
        words = [set(prompt(e).lower().split()) for e in events]
        return sum(len(a & b) / len(a | b) for a, b in pairwise(words)) / len(words)

    assert shared(True) > 1.3 * shared(False)


def test_a_harvest_on_any_texts_asks_what_people_ask() -> None:
    """With any texts, some harvests of instructions walk through what people ask in chats; otherwise none does."""
    texts = built_in(7, 300)
    chats = {turns[0] for turns in texts.chats}

    def from_chats(any_texts: bool) -> int:
        scenario = Scenario(campaigns=[Campaign("sft_pairs", "plain", any_texts=any_texts)])
        logs = [simulate(scenario, seed, texts) for seed in range(8)]
        return sum(any(prompt(e) in chats for e in log.events) for log in logs)

    assert from_chats(False) == 0 < from_chats(True)


def test_a_flood_comes_within_minutes() -> None:
    """All of a flood's requests arrive within minutes."""
    events = run(Campaign("sft_pairs", "plain", requests=200, pace="flood")).events
    assert events[-1].timestamp - events[0].timestamp < timedelta(minutes=6)
