"""What every job works with, and the stored events as a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from api.settings import Settings
from api.storage import events, segments
from api.storage.engine import Database
from detector.content import decode_rows
from detector.event import Event
from detector.pieces import hash64
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from detector.profiling import STAGES, Part
from detector.progress import Progress

BATCH = 2000  # events read at once


class Work(NamedTuple):
    """A job's surroundings: ``out`` is the folder of its result."""

    settings: Settings
    database: Database
    detector: Detector
    out: Path
    progress: Progress


def kept_profiles(work: Work, since: datetime | None, until: datetime | None) -> Profiles:
    """What the worker keeps of a period, in whole days. Raises ValueError for nothing."""
    work.progress.stage("reading the profiles")
    profiles = merge_all(Profiles.from_bytes(blob) for blob in segments.profiles(work.database))
    if profiles is not None:
        profiles = profiles.window(since, until)
    if profiles is None or not len(profiles):
        raise ValueError("there are no profiles of this period: the worker keeps those of its window")
    return profiles


def profile_stored(
    work: Work, since: datetime | None, until: datetime | None, look: Callable[[Sequence[Event]], None] | None = None
) -> Part:
    """The stored events of a period, profiled: of their text, or of what was kept in its place. Raises ValueError for none."""
    keys: list[int] = []

    def parts() -> Iterator[Profiles]:
        empty = work.detector.features([])
        for batch in _batches(work, since, until):
            readable = [s for s in batch if s.event is not None]
            found = [s.event for s in readable if s.event is not None]
            if look is not None:
                look(found)
            keys.extend(hash64(e.event_id) for e in found)
            kept = [s.features for s in readable if s.features is not None]
            frame = work.detector.features([s.event for s in readable if s.features is None and s.event is not None])
            yield work.detector.profile(pl.concat([frame, decode_rows(kept, empty)]) if kept else frame)

    profiles = merge_all(parts())
    if profiles is None or not keys:
        raise ValueError("no event is stored of this period")
    return Part(profiles, [], np.array(keys, np.uint64), 0, dict.fromkeys(STAGES, 0.0))


def _batches(work: Work, since: datetime | None, until: datetime | None) -> Iterator[list[events.Stored]]:
    with work.database.read() as connection:
        last = events.last_seq(connection)
        first: int | None = None
    position = 0
    while True:
        with work.database.read() as connection:
            batch = events.within(connection, position, BATCH, since, until)
        if not batch:
            return
        first = batch[0].seq if first is None else first
        position = batch[-1].seq
        yield batch
        work.progress.advance(position - first + 1, max(last - first + 1, 1), 0)
