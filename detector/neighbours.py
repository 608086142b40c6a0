"""Near-duplicate prompts: one frame in other words, or one task with a nonce in it, found by FAISS.

Equal sentences are found by their hashes (:mod:`detector.campaigns`); this finds what is only nearly equal, within an
account and across accounts. Each prompt joins the first *leader* (in order of hash) that lies near it: unlike connected
components, leaders never chain unlike prompts together, and the outcome does not depend on the order of the log.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from detector.embeddings import unpacked

NEAR = 0.92  # cosine of static embeddings: a frame with other slots stays above it, unlike tasks stay far below
MIN_CHARS = 40  # short prompts ("hello, can you help me") are near one another by chance
MAX_PROMPTS = 40_000  # distinct prompts looked at, those with the smallest hashes; bounds time (about 4 s)
NEIGHBOURS = 16
LISTS_PER_ROOT = 4  # inverted lists: four times the root of the number of prompts, FAISS's rule of thumb
PROBES = 8
EXACT_BELOW = 2_000  # prompts; so few are compared with one another at once
SEED = 7
ROUNDING = 1e-4  # by which two ways of working a cosine out may differ, and far more


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
    """The nearest prompts of each: similarities and positions of shape (n, NEIGHBOURS); exact for small logs.

    In large ones most prompts have no other near them. One multiplication of matrices for each inverted list tells which these
    are; they get position -1, and FAISS ranks the others' neighbours, as it would have ranked all.
    """
    n, d = vectors.shape
    exact = faiss.IndexFlatIP(d)
    if n < EXACT_BELOW:
        exact.add(vectors)
        return exact.search(vectors, min(NEIGHBOURS, n))
    index = _index(vectors, exact)
    likeness, lists = index.quantizer.search(vectors, PROBES)
    some = np.flatnonzero(_has_company(index, vectors, lists))
    similarity, neighbour = np.zeros((n, NEIGHBOURS), np.float32), np.full((n, NEIGHBOURS), -1)
    if len(some):
        search: Any = index.search_preassigned  # whose types in FAISS are those of C++
        similarity[some], neighbour[some] = search(vectors[some], NEIGHBOURS, lists[some], likeness[some])
    return similarity, neighbour


def _index(vectors: np.ndarray, quantizer: faiss.IndexFlatIP) -> faiss.IndexIVFFlat:
    """The vectors in inverted lists."""
    n, d = vectors.shape
    index = faiss.IndexIVFFlat(quantizer, d, int(LISTS_PER_ROOT * np.sqrt(n)), faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.min_points_per_centroid = SEED, 1
    index.train(vectors)
    index.nprobe = PROBES
    index.add(vectors)
    return index


def _has_company(index: faiss.IndexIVFFlat, vectors: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """Whether another vector may be near, in the ``lists`` (n, PROBES) that are looked into for each: bool of shape (n,)."""
    found = np.zeros(len(vectors), bool)
    inverted = index.invlists
    assert inverted is not None  # train() makes them
    order = np.argsort(lists, axis=None, kind="stable")
    rows, edges = order // PROBES, np.searchsorted(lists.ravel()[order], np.arange(index.nlist + 1))
    with threadpool_limits(1, user_api="blas"):  # the matrices are small: threads would only wait for each other
        for i in range(index.nlist):
            asking, size = rows[edges[i] : edges[i + 1]], inverted.list_size(i)
            if size and len(asking):
                members = faiss.rev_swig_ptr(inverted.get_ids(i), size)
                near = vectors[asking] @ vectors[members].T >= NEAR - ROUNDING
                found[asking] |= (near & (asking[:, None] != members)).any(axis=1)
    return found


def _leaders(neighbour: np.ndarray) -> np.ndarray:
    """Leader of each prompt: the first earlier leader among its neighbours, else itself."""
    leader = np.arange(len(neighbour))
    for i, near in enumerate(neighbour):
        earlier = near[(near >= 0) & (near < i)]
        earlier = earlier[leader[earlier] == earlier]
        if len(earlier):
            leader[i] = earlier.min()
    return leader
