"""The index of accounts that ask alike: made by the worker, read by every API process from the data folder."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import structlog

from api.settings import Settings
from detector.codebook import Codebook
from detector.encoders import Encoder, load_encoder
from detector.likeness import Likeness
from detector.profiles import Profiles

FILE = "search.index"
STEP_SECONDS = 5.0
LEAST_SECONDS = 60.0  # between two indexes
SHARE = 0.05  # of the time, at most, that goes into making them

log = structlog.get_logger()


class NoIndex(RuntimeError):
    """The worker has made none yet, or this process cannot see it."""


class Built(NamedTuple):
    """An index, and when it was made."""

    likeness: Likeness
    at: datetime


class Indexer:
    """``step`` makes the index anew when there is something new, but not too often."""

    def __init__(self, settings: Settings, codebook: Codebook, window: Callable[[], Profiles | None]) -> None:
        self._path = settings.data_dir / FILE
        self._codebook = codebook
        self._window = window
        self._last: Profiles | None = None
        self._due = float("-inf")

    def step(self) -> bool:
        """Make the index if it is time. Always False: there is never more to do at once."""
        profiles = self._window()
        if profiles is None or profiles is self._last or time.monotonic() < self._due:
            return False
        start = time.monotonic()
        made = Likeness.build(profiles, self._codebook.centroids)
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(made.to_bytes())
        os.replace(temporary, self._path)
        seconds = time.monotonic() - start
        self._last, self._due = profiles, time.monotonic() + max(LEAST_SECONDS, seconds / SHARE)
        log.info("search index made", accounts=len(made.names), prompts=made.index.ntotal, seconds=round(seconds, 2))
        return False


class Searcher:
    """The index as it lies in the data folder, read again when the worker made another; and the encoder for queries."""

    def __init__(self, settings: Settings) -> None:
        self._path: Path = settings.data_dir / FILE
        self._lock = threading.Lock()
        self._built: Built | None = None
        self._stamp = (0, 0)
        self._encoder: Encoder | None = None

    def built(self) -> Built:
        """The index. Raises NoIndex."""
        try:
            stat = self._path.stat()
        except OSError as error:
            raise NoIndex("the worker has made no index yet: it does so a minute after the first events") from error
        stamp = (stat.st_mtime_ns, stat.st_size)
        with self._lock:
            if self._built is None or stamp != self._stamp:
                try:
                    likeness = Likeness.from_bytes(self._path.read_bytes())
                except (OSError, ValueError) as error:
                    raise NoIndex(f"the index cannot be read: {error}") from error
                self._built = Built(likeness, datetime.fromtimestamp(stat.st_mtime, UTC))
                self._stamp = stamp
            return self._built

    def encode(self, text: str) -> np.ndarray:
        """A text as a unit vector of shape (1, d); empty where no word of it is known."""
        with self._lock:
            if self._encoder is None:
                self._encoder = load_encoder("static")
        vectors = self._encoder.encode([text])
        return vectors[vectors.any(axis=1)]
