"""Near duplicates: the same frame with other slots, or the same task with a nonce, are found in any order."""

from __future__ import annotations

import faiss
import numpy as np
import pytest

from detector.neighbours import NEAR, NEIGHBOURS, _index, _leaders, _search, near_duplicates
from detector.pipeline import Detector
from detector.simulate import built_in
from tests.detector.builders import event


def test_a_nonce_does_not_hide_a_task(detector: Detector) -> None:
    """Twenty tasks, five times each with a random word appended, are twenty groups; unlike prompts are in none."""
    tasks = [t for t in dict.fromkeys(built_in(3, 400).documents) if len(t) > 200][:20]
    others = built_in(4, 60).code
    log = [event(i, "ab"[i % 2], i, (f"{tasks[i // 5]} ref {i:04x}",)) for i in range(100)]
    log += [event(1000 + i, "c", i, (t,)) for i, t in enumerate(others)]
    found = near_duplicates(detector.features(log))
    rows = detector.features(log).select("prompt", "event_id").join(found, on="prompt")
    nonces = rows.filter(rows["event_id"].str.len_chars() <= 3)
    assert len(nonces) >= 95
    assert 15 <= nonces["leader"].n_unique() <= 22


@pytest.mark.parametrize("seed", [1, 2])
def test_order_does_not_matter(detector: Detector, seed: int) -> None:
    """Shuffled rows give the same leaders."""
    texts = built_in(5, 300).questions
    texts += [t.upper() for t in texts[:50]]  # the same prompt, with a vector of its own
    rows = detector.features([event(i, "a", i, (t,)) for i, t in enumerate(texts)])
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=seed)
    assert near_duplicates(rows).sort("prompt").equals(near_duplicates(shuffled).sort("prompt"))


def test_prompts_without_company_are_left_out_alone() -> None:
    """In a large log the near ones of each prompt are those of a search for all prompts, bit by bit."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(700, 32))
    vectors = np.vstack(
        [centres[:300].repeat(4, axis=0) + rng.normal(scale=0.2, size=(1200, 32)), rng.normal(size=(1300, 32))]
    )
    vectors = np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
    whole = _index(vectors, faiss.IndexFlatIP(32)).search(vectors, NEIGHBOURS)
    others = [np.where((s >= NEAR) & (p != np.arange(2500)[:, None]), p, -1) for s, p in (_search(vectors), whole)]
    assert 500 < (others[1] >= 0).any(axis=1).sum() < 2000
    assert (others[0] == others[1]).all()


def test_leaders_do_not_chain() -> None:
    """In a chain where each is near the next alone, a follower of a leader leads nobody."""
    assert _leaders(np.array([[0, 1, -1], [0, 1, 2], [1, 2, 3], [2, 3, -1]])).tolist() == [0, 0, 2, 2]


def test_nothing_to_compare(detector: Detector) -> None:
    """No prompts, or short ones only, have no near duplicates."""
    assert len(near_duplicates(detector.features([]))) == 0
    assert len(near_duplicates(detector.features([event(1), event(2)]))) == 0
