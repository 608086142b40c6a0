"""A log as the comparison methods see it: one row a request, grouped by account, embedded once for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import faiss
import numpy as np
import polars as pl

from detector.encoders import Encoder, load_encoder, well_formed
from detector.event import Event
from detector.templates import prompt_text

CLUSTERS = 64  # of 64, 256 and 1,024 the number with which both k-means methods did best on the training traffic
SEED = 7
SAMPLE = 2000  # prompts of a reference: its error is then small beside that of any account's own mean
ROUNDING = 1e-6  # squared distances of float32 unit vectors below this are those of equal ones

_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "account_id": pl.String,
    "timestamp": pl.Datetime("us", "UTC"),
    "event_id": pl.String,
    "system": pl.String,
    "prompt": pl.String,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "payment": pl.String,
}


class Log:
    """Requests sorted by account, time and id, so that no score depends on the order in which they came.

    ``table`` has one row a request: account_id, timestamp, event_id, system and prompt (the last user turn), input_tokens
    and output_tokens (0 where unknown), payment. ``accounts`` are the ids, sorted; row i of every score belongs to the
    i-th. ``reference`` is what ordinary prompts look like, as unit vectors of shape (m, dimension).
    """

    def __init__(
        self, events: Sequence[Event], reference: np.ndarray | None = None, encoder: Encoder | None = None
    ) -> None:
        """Without a ``reference`` the log stands for itself. Raises ValueError for an empty log."""
        if not events:
            raise ValueError("there are no events to score: give a log with at least one request")
        rows = [
            (
                e.account_id,
                e.timestamp,
                e.event_id,
                *map(well_formed, prompt_text(e)),
                e.usage.input_tokens or 0,
                e.usage.output_tokens or 0,
                e.account.payment_fingerprint,
            )
            for e in events
        ]
        self.table = pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("account_id", "timestamp", "event_id")
        counts = self.table["account_id"].rle()
        self.accounts: list[str] = counts.struct.field("value").to_list()
        self.counts = counts.struct.field("len").to_numpy().astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        self._encoder = encoder
        self._reference = reference

    def sums(self, values: np.ndarray | pl.Series) -> np.ndarray:
        """Sum of a request's values over each account: float64 of shape (accounts,)."""
        return np.add.reduceat(np.asarray(values, dtype=np.float64), self.starts)

    def rows(self) -> Iterator[slice]:
        """The rows of each account, in order of time."""
        for start, count in zip(self.starts, self.counts, strict=True):
            yield slice(int(start), int(start + count))

    @cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the prompts, (requests, dimension); the zero vector for a prompt without known words."""
        encoder = self._encoder or load_encoder()
        return encoder.encode(self.table["prompt"].to_list())

    @cached_property
    def distinct(self) -> np.ndarray:
        """Mask of the requests that are the first of their account with this prompt."""
        return self.table.select(pl.struct("account_id", "prompt").is_first_distinct()).to_series().to_numpy()

    @cached_property
    def reference(self) -> np.ndarray:
        """The reference given, or a sample of the log's own prompts."""
        return sample(self.vectors) if self._reference is None else self._reference

    @cached_property
    def clusters(self) -> np.ndarray:
        """Nearest of CLUSTERS centroids of each request, by FAISS k-means on the log's distinct prompt vectors."""
        training = np.unique(self.vectors, axis=0)
        kmeans = faiss.Kmeans(
            training.shape[1],
            min(CLUSTERS, len(training)),
            niter=20,
            seed=SEED,
            spherical=True,
            min_points_per_centroid=1,
        )
        kmeans.train(training)
        assert kmeans.index is not None  # train() sets it
        return kmeans.index.search(self.vectors, 1)[1][:, 0]


def sample(vectors: np.ndarray, size: int = SAMPLE) -> np.ndarray:
    """At most ``size`` rows of an array, evenly spread over it: over accounts and time, for the vectors of a log."""
    return vectors[np.unique(np.linspace(0, len(vectors) - 1, min(size, len(vectors))).astype(int))]


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of the rows of two float32 arrays, (len(x), len(y)); 0 where only rounding differs."""
    squared = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2.0 * (x @ y.T)
    squared[squared < ROUNDING] = 0.0
    return squared
