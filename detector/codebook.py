"""A frozen, versioned codebook of prompt topics: FAISS k-means centroids, assigned without state.

Trained once (``distillwatch calibrate``), shipped with a default. Since the centroids never move, the stream, the batch
and the distributed audit agree on every cluster, and profiles of different days can be added up.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import faiss
import numpy as np

DEFAULT = Path(__file__).parent / "assets" / "codebook.npz"
DEFAULT_K = 1024  # about sqrt(1e6): topics fine enough to tell a corpus from an application, coarse enough to recur
SEED = 20260907
CANDIDATES = 2  # nearest centroids that are compared
TIE = 1e-5  # difference of cosines below which single precision, which is good to about 1e-6, may err


class Codebook:
    """Centroids of shape (k, d), float32, L2-normalised; ``version`` names what they were trained on."""

    def __init__(self, centroids: np.ndarray, version: str) -> None:
        self.centroids = np.ascontiguousarray(centroids, dtype=np.float32)
        self.version = version
        self._index = faiss.IndexFlatIP(self.centroids.shape[1])
        self._index.add(self.centroids)

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.centroids)

    @classmethod
    def train(cls, vectors: np.ndarray, k: int = DEFAULT_K, version: str = "own") -> Codebook:
        """Train by spherical k-means (FAISS) on unit vectors of shape (n, d); duplicates should be removed before.

        Raises ValueError when there are fewer vectors than clusters.
        """
        if len(vectors) < k:
            raise ValueError(
                f"{len(vectors)} distinct prompts cannot train {k} clusters: give more logs or a smaller --clusters"
            )
        kmeans = faiss.Kmeans(vectors.shape[1], k, niter=20, seed=SEED, spherical=True, max_points_per_centroid=256)
        kmeans.train(np.ascontiguousarray(vectors, dtype=np.float32))
        assert kmeans.centroids is not None  # train() sets them
        return cls(kmeans.centroids, version)

    @classmethod
    def load(cls, path: Path = DEFAULT) -> Codebook:
        """Read a codebook written by :meth:`save` (plain arrays, no pickle)."""
        with np.load(path, allow_pickle=False) as data:
            return cls(data["centroids"].astype(np.float32), str(data["version"]))

    def save(self, path: Path) -> None:
        """Write the centroids as half precision, which moves no assignment that matters and halves the file."""
        np.savez_compressed(path, centroids=self.centroids.astype(np.float16), version=np.array(self.version))

    def assign(self, vectors: np.ndarray) -> np.ndarray:
        """Nearest centroid of each row of an (n, d) array: int32 of shape (n,); -1 for a zero vector (no text).

        FAISS rounds differently in small and large batches. Where that could decide, it is worked out for the row alone, so
        that every split of a log leads to the same clusters.
        """
        if not len(vectors):
            return np.zeros(0, np.int32)
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        likeness, nearest = self._index.search(vectors, min(CANDIDATES, self.k))
        clusters = nearest[:, 0].astype(np.int32)
        for row in np.flatnonzero(likeness[:, 0] - likeness[:, -1] < TIE) if self.k > 1 else ():
            near = np.sort(nearest[row])  # of equals the first
            clusters[row] = near[np.argmax(self.centroids[near].astype(np.float64) @ vectors[row].astype(np.float64))]
        clusters[~vectors.any(axis=1)] = -1
        return clusters

    @cached_property
    def _plane(self) -> np.ndarray:
        centred = self.centroids - self.centroids.mean(axis=0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        plane = centred @ axes[:2].T
        return plane / np.abs(plane).max()

    def projection(self) -> np.ndarray:
        """Centroids in the plane of their two principal components, for maps: (k, 2), scaled to [-1, 1]."""
        return self._plane
