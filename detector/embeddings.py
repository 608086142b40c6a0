"""The quantised embeddings of feature rows, unpacked, and which of an account's rows are looked at by them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from detector.features import EMBEDDING_SCALE


def unpacked(embedding: pl.Series) -> np.ndarray:
    """Vectors of a column of quantised embeddings: float32 of shape (n, d)."""
    if not len(embedding):
        return np.zeros((0, 1), np.float32)
    return dequantised(embedding.to_numpy())


def dequantised(codes: np.ndarray) -> np.ndarray:
    """Vectors of quantised embeddings: float32 of the same shape."""
    vectors = codes.astype(np.float32)
    vectors /= EMBEDDING_SCALE
    return vectors


def different_prompts(rows: pl.DataFrame, by: Sequence[str], most: int) -> pl.DataFrame:
    """Of feature rows with text one of each prompt, at most ``most`` for each value of ``by``: these columns, and ``row``, its
    position; in order of ``by``.

    They are those with the smallest event keys, whatever the order of the rows. Embeddings are not moved about for it.
    """
    return (
        rows.select(*by, "prompt", "event_key", "cluster")
        .with_row_index("row")
        .filter(pl.col("cluster") >= 0)
        .sort(*by, "event_key")
        .unique([*by, "prompt"], keep="first", maintain_order=True)
        .group_by(by, maintain_order=True)
        .head(most)
        .select(*by, "row")
    )
