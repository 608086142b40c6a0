"""Honest customers: every kind, what makes it a look-alike, and nothing that tells them from attackers by accident."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from zlib import crc32

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from detector.event import Event, text_of
from detector.simulate import LOOKALIKES, PRESETS, TEACHING, TENANTS, Scenario, Traffic, simulate
from detector.simulate.presets import campaigns


def run(kind: str, size: float = 0.5, seed: int = 2, count: int = 1, **members: int) -> Traffic:
    """Traffic of tenants of one kind."""
    return simulate(Scenario(size=size, tenants={kind: count}, members=members), seed)


@pytest.mark.parametrize("kind", TENANTS)
def test_every_kind_sends_and_is_labelled(kind: str) -> None:
    """Each kind sends something, is benign, and says whether it is a look-alike; bigger ones send more."""
    small, big = (run(kind, size=s, count=4) for s in (0.2, 1.5))
    assert set(small.accounts["label"]) == {"benign"}
    assert set(small.accounts["kind"]) == {kind}
    assert set(small.accounts["lookalike"]) == {kind in LOOKALIKES}
    assert small.harvest.is_empty()
    assert 0 < len(small.events) < len(big.events)


def test_the_presets_hold_every_look_alike() -> None:
    """Demo and benchmark have all kinds; the smoke scenario all but the crowds."""
    crowds = {"university", "hackathon", "open_source_agent", "company_template"}
    for name, missing in (("demo", set()), ("benchmark", set()), ("smoke", crowds)):
        kinds = {kind for kind, count in PRESETS[name].tenants.items() if count}
        assert kinds >= LOOKALIKES - missing
    demo = simulate(PRESETS["demo"], 1)
    assert set(demo.accounts["kind"].drop_nulls()) == set(TENANTS) - set(TEACHING)
    assert 15_000 < len(demo.events) < 26_000
    assert 1000 < len(simulate(PRESETS["smoke"], 1).events) < 2200


def test_look_alikes_look_alike() -> None:
    """An agent's users share one system prompt; a company one network and payment; a university only the network."""
    agent = run("open_source_agent", open_source_agent=50)
    assert len(agent.accounts) == 50
    assert len({e.system for e in agent.events}) == 1
    company = run("company_template", company_template=40)
    payments = {e.account.payment_fingerprint for e in company.events if e.account.payment_fingerprint}
    assert len(company.accounts) == 40
    assert len(payments) <= 1
    university = run("university", university=60)
    assert len({e.account.payment_fingerprint for e in university.events if e.account.payment_fingerprint}) > 30
    networks = Counter(e.client.asn for e in university.events if e.client.asn)
    assert networks.most_common()[0][1] > 0.7 * networks.total()
    classifier = run("calibrated_classifier")
    assert all(e.params.logprobs for e in classifier.events)
    evaluation = run("evaluation_run", seed=4)
    asked = Counter(text_of(e.messages[-1].content) for e in evaluation.events)
    assert min(asked.values()) >= 2
    assert len({e.model for e in evaluation.events}) >= 2


def test_conversations_grow_turn_by_turn() -> None:
    """A chat's history holds what was asked and answered before, and people pause in between."""
    events = run("chat_user", size=3, seed=5, count=10).events
    sessions: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        sessions[(event.account_id, str(text_of(event.messages[0].content)))].append(event)
    longest = max(sessions.values(), key=len)
    assert len(longest) >= 4
    for before, after in pairwise(longest):
        assert after.messages[: len(before.messages)] == before.messages
        assert (after.timestamp - before.timestamp).total_seconds() > 2


def test_no_two_people_hold_the_same_conversation() -> None:
    """Chat users of one log ask different first questions, even when there are more of them than texts."""
    events = run("chat_user", size=1, count=900).events
    first = Counter((e.account_id, text_of(e.messages[0].content)) for e in events if len(e.messages) == 1)
    openings = Counter(text for _, text in first)
    assert sum(n > 1 for n in openings.values()) < 0.06 * len(openings)


def test_end_users_are_hashes_and_fields_are_missing_at_times() -> None:
    """Claimed users never look like names; a good share of events lacks each optional field."""
    events = simulate(PRESETS["demo"], 3).events
    users = {e.end_user_id for e in events if e.end_user_id}
    assert len(users) > 200
    assert all(u.split("_")[-1].isalnum() and len(u) >= 6 for u in users)
    for lacks in (
        [e.client.ip is None for e in events],
        [e.account.created_at is None for e in events],
        [e.usage.output_tokens is None for e in events],
        [e.finish_reason is None for e in events],
        [e.response is None for e in events],
    ):
        assert 0.03 < np.mean(lacks) < 0.8


def test_formalities_do_not_separate() -> None:
    """A forest over fields that say nothing of the work is near chance, from one event an account (many would tell volume)."""
    crowds = {"university", "hackathon", "open_source_agent", "company_template"}
    plan = Scenario(
        size=0.3,
        tenants=dict.fromkeys(sorted(LOOKALIKES - crowds), 8),
        campaigns=[replace(c, network="unshared") for c in campaigns(random.Random(1), per_family=10, largest=1)],
    )
    traffic = simulate(plan, 9)
    firsts = {e.account_id: e for e in reversed(traffic.events)}
    table = pl.DataFrame(
        [
            (
                account,
                crc32((e.client.user_agent or "").encode()) % 50,
                crc32((e.account.plan or "").encode()) % 10,
                e.client.asn or 0,
                e.client.ip is None,
                e.usage.output_tokens is None,
                e.latency_ms is None,
                e.finish_reason is None,
                e.organization_id is None,
                e.response is None,
                e.account.payment_fingerprint is None,
                len(e.api_key_id or ""),
                int(e.event_id[4:7], 16),
                e.timestamp.microsecond % 1000,
            )
            for account, e in sorted(firsts.items())
        ],
        orient="row",
    )
    labels = dict(traffic.accounts.select("account_id", pl.col("label") == "attack").iter_rows())
    attack = np.array([labels[a] for a in table.to_series(0)])
    forest = RandomForestClassifier(150, min_samples_leaf=5, random_state=1)
    guess = cross_val_predict(forest, table[:, 1:].to_numpy().astype(float), attack, cv=5, method="predict_proba")[:, 1]
    assert 0.35 < roc_auc_score(attack, guess) < 0.65


def test_a_side_program_and_a_chat_are_one_account() -> None:
    """Program and chat of a developer come from one account, one owner, and places that are the owner's."""
    traffic = run("side_program", seed=7, count=5)
    assert len(traffic.accounts) == 5
    assert {e.account_id for e in traffic.events} == set(traffic.accounts["account_id"])
    for account in traffic.accounts["account_id"]:
        events = [e for e in traffic.events if e.account_id == account]
        assert len({e.account.created_at for e in events if e.account.created_at}) <= 1
        assert len({e.organization_id for e in events}) == 1
        assert any(len(e.messages) > 2 for e in events)


def test_people_ask_single_questions_some_behind_the_same_words() -> None:
    """What teaches the scorer never sends history; one of the two kinds begins the questions of a sitting alike."""
    shares = {}
    for kind in TEACHING:
        events = run(kind, size=1.5, count=6).events
        assert all(len(e.messages) == 1 for e in events)
        openings = Counter((e.account_id, text_of(e.messages[0].content)[:30]) for e in events)
        shares[kind] = sum(n for n in openings.values() if n > 2) / len(events)
    assert shares["preamble_user"] > 2 * shares["curious_user"]
