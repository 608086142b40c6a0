"""Each comparison method finds an obvious case of its own kind, whatever the order of the log."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from benchmarks.detection.baselines import BASELINES, Log, mmd, prada, score_all, seat
from benchmarks.detection.baselines.log import sample, squared_distances
from detector.encoders import load_encoder
from detector.event import Event, Message
from tests.benchmarks.detection.baselines.made import TOPICS, about, everywhere, ordinary, question, requests

ENCODER = load_encoder()
USERS = ordinary()
REFERENCE = Log(ordinary(80, seed=6), encoder=ENCODER).vectors


def first(name: str, events: list[Event]) -> list[str]:
    """Accounts by a method's score, the most suspicious first."""
    log = Log(events, REFERENCE, ENCODER)
    return [log.accounts[i] for i in np.argsort(-BASELINES[name](log), kind="stable")]


def test_many_requests_come_first() -> None:
    """The account with most requests leads the count."""
    assert first("requests per account", [*USERS, *everywhere("odd", 30)])[0] == "odd"


def test_long_answers_come_first() -> None:
    """Two requests with very long answers outweigh many short ones."""
    assert first("output tokens per account", [*USERS, *requests("odd", ["hello", "more"], output=5000)])[0] == "odd"


def test_reasoning_words_come_first() -> None:
    """An account that asks for steps leads, also when the system prompt asks."""
    asked = requests(
        "odd", ["Think step by step: what is 17 times 23?", "Give your rationale, then the sum of 2 and 5"]
    )
    by_system = requests("odd2", ["What is 17 times 23?"] * 3)
    for event in by_system:
        event.system = "Show your chain of thought."
    assert first("reasoning words", [*USERS, *asked, *by_system])[:2] == ["odd2", "odd"]


def test_shared_payment_comes_first() -> None:
    """Accounts that pay with one card lead; unknown methods are no group."""
    shared = [e for i in range(5) for e in requests(f"odd{i}", ["hello"], payment="card")]
    alone = requests("alone", ["hello"], payment="other card")
    assert set(first("shared payment method", [*USERS, *alone, *shared])[:5]) == {f"odd{i}" for i in range(5)}
    log = Log([*USERS, *alone, *shared])
    assert set(BASELINES["shared payment method"](log)) == {1.0, 5.0}


def test_unusual_usage_comes_first() -> None:
    """An account that works around the clock with huge answers is isolated first."""
    rng = random.Random(1)
    night = requests("odd", [question(rng, "money") for _ in range(200)], output=4000, hours=24)
    assert first("isolation forest on usage", [*USERS, *night])[0] == "odd"


def test_one_topic_has_the_volume_and_all_topics_the_coverage() -> None:
    """Of two accounts with as many distinct prompts, the narrow one leads by volume, the broad one by coverage."""
    events = [*USERS, *about("narrow", "garden", 90), *everywhere("broad", 90)]
    assert first("k-means volume", events)[0] == "narrow"
    assert first("k-means coverage", events)[0] == "broad"


def test_synthetic_queries_are_not_normal() -> None:
    """Queries made by tiny changes to a few seeds have distances in two heaps, which PRADA sees."""
    rng = random.Random(2)
    seeds = [question(rng, topic) for topic in TOPICS]
    made = [f"{s} {ending}" for s in seeds for ending in ("now", "today", "please", "soon", "here", "then", "again")]
    assert first("PRADA", [*USERS, *everywhere("broad", 56), *requests("odd", made)])[0] == "odd"


def test_near_copies_are_similar_pairs() -> None:
    """SEAT counts prompts with one word changed, and no literal repeats."""
    near = requests(
        "odd", [f"Please classify this short review about {w}" for w in " ".join(TOPICS.values()).split()[:30]]
    )
    repeats = requests("repeats", ["What is the time now?"] * 60)
    events = [*USERS, *near, *repeats]
    assert first("SEAT", events)[0] == "odd"
    log = Log(events, REFERENCE, ENCODER)
    assert seat.score(log)[log.accounts.index("repeats")] == 0


def test_foreign_prompts_differ_from_ordinary_ones() -> None:
    """An account that only sends SQL differs most from people's questions, more than longer accounts of ordinary ones."""
    sql = [f"SELECT a{i}, b FROM t{i} WHERE c > {i} GROUP BY b" for i in range(20)]
    assert first("MMD", [*USERS, *everywhere("broad", 60), *requests("odd", sql)])[0] == "odd"


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_does_not_matter(rng: random.Random) -> None:
    """A shuffled log has the same scores, to the last bit."""
    events = [*USERS[:120], *everywhere("broad", 30), *requests("twins", ["same", "same", "other"], hours=0)]
    shuffled = rng.sample(events, len(events))
    assert score_all(shuffled, REFERENCE, ENCODER).equals(score_all(events, REFERENCE, ENCODER))


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("reference", [None, REFERENCE], ids=["alone", "with reference"])
def test_hostile_logs_have_finite_scores(name: str, reference: np.ndarray | None) -> None:
    """Empty, unknown, repeated and enormous prompts, and missing usage, give one finite number an account."""
    texts = ["", "\x00\ud800", "同じ", "word " * 50_000, "same", "same"]
    events = requests("a", texts) + requests("b", [""] * 5) + requests("c", ["same"] * 5) + requests("d", ["x"])
    bare = Event(event_id="bare", account_id="e", timestamp=events[0].timestamp, messages=[Message(role="assistant")])
    scores = BASELINES[name](Log([*events, bare], reference, ENCODER))
    assert scores.shape == (5,)
    assert np.isfinite(scores).all()


def test_an_empty_log_is_refused() -> None:
    """No events: the error says what is missing."""
    with pytest.raises(ValueError, match="at least one request"):
        score_all([])


def test_scores_name_every_method_and_account() -> None:
    """One row an account, sorted, and one column a method."""
    scores = score_all(USERS[:60])
    assert scores.columns == ["account_id", *BASELINES]
    assert scores["account_id"].to_list() == sorted({e.account_id for e in USERS[:60]})
    assert scores.schema == {"account_id": pl.String, **dict.fromkeys(BASELINES, pl.Float64)}


def test_distances_are_euclidean() -> None:
    """Squared distances equal scipy's, and those of equal rows are exactly 0."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 8)).astype(np.float32), rng.normal(size=(30, 8)).astype(np.float32)
    assert np.allclose(squared_distances(x, y), cdist(x, y) ** 2, rtol=1e-4, atol=1e-4)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert (np.diag(squared_distances(unit, unit)) == 0).all()


def test_a_sample_spreads_over_the_log() -> None:
    """Both ends are taken, and nothing more than there is."""
    rows = np.arange(1000)[:, None]
    assert sample(rows, 3)[:, 0].tolist() == [0, 499, 999]
    assert len(sample(rows, 5000)) == 1000


def test_growing_set_by_hand() -> None:
    """A near copy of the first query stays out of PRADA's growing set, so the next query is measured against the first.

    After four orthogonal queries (distances 0, 3 x sqrt 2) the threshold is their mean less their deviation, 0.45.
    """
    turned = [np.cos(a) * np.eye(5)[0] + np.sin(a) * np.eye(5)[4] for a in (0.3, 0.5)]
    vectors = np.array([*np.eye(5)[:4], *turned], dtype=np.float32)
    expected = [2**0.5, 2**0.5, 2**0.5, 2 * np.sin(0.15), 2 * np.sin(0.25)]  # not 2 sin 0.1, from the copy
    assert np.allclose(prada.minimum_distances(vectors), expected, atol=1e-4)


def test_ordinary_accounts_have_even_p_values() -> None:
    """Prompts drawn from the reference's own distribution: about a twentieth of MMD's p-values is below 0.05."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(6, 16))

    def draw(count: int) -> np.ndarray:
        points = centres[rng.integers(0, 6, count)] + 0.7 * rng.normal(size=(count, 16))
        return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)

    reference, sizes = draw(1500), rng.integers(2, 60, 400)
    log = Log([e for i, n in enumerate(sizes) for e in requests(f"{i:03}", ["x"] * n)], reference)
    log.vectors = draw(int(sizes.sum()))
    p = mmd.p_values(mmd.score(log), reference)
    assert 0.02 < (p < 0.05).mean() < 0.09
    assert 0.4 < p.mean() < 0.6
