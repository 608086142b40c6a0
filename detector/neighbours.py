"""Near-duplicate prompts: one frame in other words, or one task with a nonce in it, found by FAISS.

Equal sentences are found by their hashes (:mod:`detector.campaigns`); this finds what is only nearly equal, within an
account and across accounts. Each prompt joins the first *leader* (in order of hash) that lies near it: unlike connected
components, leaders never chain unlike prompts together, and the outcome does not depend on the order of the log.
"""

from __future__ import annotations

import faiss
import numpy as np
import polars as pl

from detector.embeddings import unpacked

NEAR = 0.92  # cosine of static embeddings: a frame with other slots stays above it, unlike tasks stay far below
MIN_CHARS = 40  # short prompts ("hello, can you help me") are near one another by chance
MAX_PROMPTS = 40_000  # distinct prompts looked at, those with the smallest hashes; bounds time (about 4 s)
NEIGHBOURS = 16
LISTS_PER_ROOT = 4  # inverted lists: four times the root of the number of prompts, FAISS's rule of thumb
PROBES = 8
EXACT_BELOW = 2_000  # prompts; so few are compared with one another at once
SEED = 7


def near_duplicates(rows: pl.DataFrame) -> pl.DataFrame:
    """For the prompts of feature rows that have a near duplicate: ``prompt`` (hash) and ``leader`` (hash of its leader)."""
    keys = rows.select("prompt", "event_key", "prompt_chars", "cluster").with_row_index("row")
    keys = keys.filter((pl.col("prompt_chars") >= MIN_CHARS) & (pl.col("cluster") >= 0))
    distinct = keys.sort("prompt", "event_key").unique("prompt", keep="first", maintain_order=True).head(MAX_PROMPTS)
    if len(distinct) < 2:
        return pl.DataFrame(schema={"prompt": pl.UInt64, "leader": pl.UInt64})
    vectors = unpacked(rows["embedding"].gather(distinct["row"]))
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    similarity, neighbour = _search(vectors)
    leader = _leaders(np.where(similarity >= NEAR, neighbour, -1))
    prompts = distinct["prompt"].to_numpy()
    sizes = np.bincount(leader, minlength=len(leader))
    shared = sizes[leader] > 1
    return pl.DataFrame({"prompt": prompts[shared], "leader": prompts[leader[shared]]})


def _search(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest prompts of each: similarities and positions of shape (n, NEIGHBOURS); exact for small logs."""
    n, d = vectors.shape
    exact = faiss.IndexFlatIP(d)
    if n < EXACT_BELOW:
        exact.add(vectors)
        return exact.search(vectors, min(NEIGHBOURS, n))
    index = faiss.IndexIVFFlat(exact, d, int(LISTS_PER_ROOT * np.sqrt(n)), faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.min_points_per_centroid = SEED, 1
    index.train(vectors)
    index.nprobe = PROBES
    index.add(vectors)
    return index.search(vectors, NEIGHBOURS)


def _leaders(neighbour: np.ndarray) -> np.ndarray:
    """Leader of each prompt: the first earlier leader among its neighbours, else itself."""
    leader = np.arange(len(neighbour))
    for i, near in enumerate(neighbour):
        earlier = near[(near >= 0) & (near < i)]
        earlier = earlier[leader[earlier] == earlier]
        if len(earlier):
            leader[i] = earlier.min()
    return leader
