"""Groups without a shared object: one queue, or the same hours, puts suspicious accounts together; nothing else does."""

from __future__ import annotations

import random
from collections.abc import Sequence

import polars as pl
import pytest

from detector.accounts import score_accounts
from detector.event import Event
from detector.pieces import hash64
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.queues import MIN_HOURS, work_alike
from detector.simulate import PRESETS, built_in, simulate
from tests.detector.builders import event

EACH = 40  # prompts of an account
QUEUE = ("a", "b", "c", "d")
OTHERS = ("p", "q", "r")


def sends(who: str, prompts: Sequence[str], minutes: Sequence[float]) -> list[Event]:
    """An account's requests, one a prompt."""
    offset = 1000 * sum(map(ord, who))
    return [event(offset + i, who, at, (text,)) for i, (text, at) in enumerate(zip(prompts, minutes, strict=True))]


def spread(seed: int) -> list[float]:
    """Minutes all over a week."""
    return sorted(random.Random(seed).uniform(0, 7 * 1440) for _ in range(EACH))


def groups(detector: Detector, events: list[Event], suspicious: Sequence[str]) -> set[frozenset[str]]:
    """Names of the accounts of each group."""
    profiles = detector.profile(detector.features(events))
    own = score_accounts(profiles, detector.scorer)
    found = work_alike(profiles, own, pl.Series([hash64(s) for s in suspicious], dtype=pl.UInt64))
    named = found.members.join(profiles.accounts.select("acct", "account_id"), on="acct")
    return {frozenset(g["account_id"]) for _, g in named.group_by("group")}


@pytest.fixture(scope="module")
def queue() -> list[Event]:
    """Four accounts that share out one list of questions, and three that each ask of something else, at all times."""
    pools = built_in(5, 600)
    questions = list(dict.fromkeys(pools.questions))
    log = [e for i, who in enumerate(QUEUE) for e in sends(who, questions[i :: len(QUEUE)][:EACH], spread(i))]
    for i, (who, texts) in enumerate(zip(OTHERS, (pools.code, pools.sql, pools.snippets), strict=True)):
        log += sends(who, list(dict.fromkeys(texts))[:EACH], spread(10 + i))
    return log


def test_parts_of_one_queue_are_put_together(detector: Detector, queue: list[Event]) -> None:
    """The four that could swap their prompts are one group, the others are in none."""
    assert groups(detector, queue, [*QUEUE, *OTHERS]) == {frozenset(QUEUE)}


def test_order_does_not_matter(detector: Detector, queue: list[Event]) -> None:
    """A shuffled log has the same groups."""
    shuffled = random.Random(1).sample(queue, len(queue))
    assert groups(detector, shuffled, [*QUEUE, *OTHERS]) == groups(detector, queue, [*QUEUE, *OTHERS])


def test_only_the_suspicious_are_compared(detector: Detector, queue: list[Event]) -> None:
    """Accounts that nothing speaks against are in no group, and two are none."""
    assert groups(detector, queue, QUEUE[:3]) == {frozenset(QUEUE[:3])}
    assert groups(detector, queue, QUEUE[:2]) == set()
    assert groups(detector, queue, []) == set()


def test_accounts_that_move_as_one_are_put_together(detector: Detector) -> None:
    """Three that ask of different things in the same few hours are a group; with hours of their own they are none."""
    pools = built_in(6, 600)
    topics = [list(dict.fromkeys(t))[:EACH] for t in (pools.code, pools.sql, pools.snippets)]
    shifts = random.Random(2).sample(range(7 * 24), MIN_HOURS + 4)
    shared = sorted(60 * shifts[i % len(shifts)] + i / 10 for i in range(EACH))
    together = [e for who, texts in zip(OTHERS, topics, strict=True) for e in sends(who, texts, shared)]
    apart = [e for i, (who, texts) in enumerate(zip(OTHERS, topics, strict=True)) for e in sends(who, texts, spread(i))]
    asked = list(dict.fromkeys(pools.questions))
    loners = [e for i, who in enumerate("uvwxyz") for e in sends(who, asked[i::6][:EACH], spread(20 + i))]
    assert frozenset(OTHERS) in groups(detector, [*together, *loners], [*OTHERS, *"uvwxyz"])
    assert frozenset(OTHERS) not in groups(detector, [*apart, *loners], [*OTHERS, *"uvwxyz"])


def test_a_campaign_of_them_changes_no_risk(detector: Detector) -> None:
    """A harvest of which each account stands out alone is one campaign; each keeps its own score, and has its time."""
    traffic = simulate(PRESETS["smoke"], 3)
    profiles: Profiles = detector.profile(detector.features(traffic.events))
    own = score_accounts(profiles, detector.scorer)
    odds = dict(zip(own.view.acct, own.log_odds.tolist(), strict=True))
    found = detector.assess(profiles)
    harvesters = set(traffic.accounts.filter(pl.col("family") == "sft_pairs")["account_id"])
    (campaign,) = (c for c in found.campaigns if harvesters & set(c.accounts))
    assert set(campaign.accounts) == harvesters
    assert {"split_queue", "conduct"} <= {t.kind for t in campaign.ties}
    members = [a for a in found.accounts if a.account_id in harvesters]
    assert all(a.score == pytest.approx(odds[hash64(a.account_id)]) for a in members)
    assert campaign.flagged_at in {a.flagged_at for a in members}
