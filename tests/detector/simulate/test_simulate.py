"""The simulator: deterministic, completely labelled, and without artefacts that give the attackers away."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from detector.formats import read
from detector.simulate import HARVESTS, PRESETS, TEACHING, TENANTS, Campaign, Scenario, simulate, write


def test_the_same_seed_gives_the_same_traffic() -> None:
    """Two runs of one seed agree to the byte, another seed does not."""
    first, second, other = (msgspec.json.encode(simulate(PRESETS["smoke"], s).events) for s in (1, 1, 2))
    assert first == second
    assert first != other


def test_labels_are_complete_and_events_in_order(tmp_path: Path) -> None:
    """Every account is labelled once, every attacker's event is harvest or cover, and files hold what was made."""
    traffic = simulate(PRESETS["smoke"], 1)
    write(traffic, tmp_path)
    labelled = traffic.accounts["account_id"].to_list()
    assert len(labelled) == len(set(labelled))
    assert {e.account_id for e in traffic.events} <= set(labelled)
    attackers = set(traffic.accounts.filter(pl.col("label") == "attack")["account_id"])
    assert {e.event_id for e in traffic.events if e.account_id in attackers} == set(traffic.harvest["event_id"])
    assert [e.timestamp for e in traffic.events] == sorted(e.timestamp for e in traffic.events)
    assert [e for b in read([tmp_path / "events.jsonl"]) for e in b.events] == traffic.events


def test_the_demo_plants_and_mixes() -> None:
    """The demo holds every kind of customer, a quiet hydra among its campaigns, and a week of ten thousand requests."""
    traffic = simulate(PRESETS["demo"], 1)
    families = set(traffic.accounts["family"])
    assert set(TENANTS) - set(TEACHING) <= families
    assert len(traffic.events) > 10_000
    assert traffic.accounts.filter(pl.col("label") == "attack").group_by("campaign_id").len()["len"].max() == 24


@pytest.mark.parametrize("family", HARVESTS)
def test_every_family_harvests(family: str) -> None:
    """Each family fills its accounts with the harvest asked for."""
    traffic = simulate(Scenario(campaigns=(Campaign(family, accounts=3, requests=20),)), 2)
    assert traffic.harvest.group_by("account_id").len()["len"].to_list() == [20, 20, 20]


def test_evasions_have_their_effect() -> None:
    """Cover is mixed in by its share; sharing and ageing show in the owners; fail-over follows one account by another."""
    covered = simulate(Scenario(campaigns=(Campaign("sft_pairs", requests=100, cover=0.5),)), 3).harvest
    assert 0.35 < 1 - covered["harvest"].mean() < 0.65  # type: ignore[operator]
    for mode, ways in (("shared", 1), ("unshared", 10)):
        events = simulate(
            Scenario(campaigns=(Campaign("sft_pairs", accounts=10, requests=10, payment=mode, aged=True),)), 3
        ).events
        assert len({e.account.payment_fingerprint for e in events}) == ways
        assert all((events[0].timestamp - e.account.created_at).days >= 13 for e in events if e.account.created_at)
    failing = simulate(Scenario(campaigns=(Campaign("sft_pairs", accounts=4, requests=20, failover=True),)), 3).events
    spans = (
        pl.DataFrame({"a": [e.account_id for e in failing], "t": [e.timestamp for e in failing]})
        .group_by("a")
        .agg(pl.col("t").min(), pl.col("t").max().alias("end"))
        .sort("t")
    )
    assert all(end <= start for end, start in zip(spans["end"][:-1], spans["t"][1:], strict=True))


def test_ids_give_nothing_away() -> None:
    """A classifier over the characters of account ids is at chance."""
    accounts = simulate(PRESETS["demo"], 5).accounts
    label = (accounts["label"] == "attack").to_numpy()
    letters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3)).fit_transform(accounts["account_id"].to_list())
    guess = cross_val_predict(LogisticRegression(class_weight="balanced"), letters, label, method="decision_function")
    rank = np.argsort(np.argsort(guess))
    auc = (rank[label].mean() - (label.sum() - 1) / 2) / (~label).sum()
    assert 0.35 < auc < 0.65
