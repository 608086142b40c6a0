"""The codebook: which centroid is the nearest depends on the text alone."""

from __future__ import annotations

import numpy as np

from detector.codebook import Codebook


def test_the_batch_does_not_decide() -> None:
    """Vectors between two centroids go to the same one alone, in small batches and in large ones; the others stay where they are."""
    chance = np.random.default_rng(5)
    centroids = chance.normal(size=(256, 64)).astype(np.float32)
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    codebook = Codebook(centroids, "test")
    one, two = chance.integers(0, 256, (2, 3000))
    between = centroids[one] + centroids[two]
    vectors = (between / np.linalg.norm(between, axis=1, keepdims=True)).astype(np.float32)
    whole = codebook.assign(vectors)
    for size in (1, 19, 20, 700):
        split = [codebook.assign(vectors[at : at + size]) for at in range(0, len(vectors), size)]
        assert np.array_equal(np.concatenate(split), whole)
    assert np.mean((whole == one) | (whole == two)) > 0.9
    assert np.array_equal(codebook.assign(centroids), np.arange(256))
