"""The profiles of the window, merged in memory: kept by the worker that assesses, and brought up to date from the segments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog

from api.storage import segments
from api.storage.engine import Database
from detector.profiles import Profiles, merge_all

MAX_SEGMENTS = 200  # of one level, before they are merged into one of the next

log = structlog.get_logger()


class Window:
    """All segments, in memory once :meth:`merged` was asked for."""

    def __init__(self, database: Database, days: int) -> None:
        self._database = database
        self._days = days
        self._known: set[int] = set()
        self._parts: list[Profiles] = []

    def add(self, segment_id: int, profile: Profiles) -> None:
        """Take in a segment whose profile is at hand; else it is read when it is needed."""
        if segment_id not in self._known:
            self._known.add(segment_id)
            self._parts.append(profile)

    def lacks(self, segment_ids: Iterable[int]) -> bool:
        """Whether one of them is not in it yet."""
        return not self._known.issuperset(segment_ids)

    def merged(self) -> Profiles | None:
        """All segments merged, without the days before the window; None where there are none."""
        with self._database.read() as connection:
            present = segments.ids(connection)
            since = self._since(segments.state(connection).last_event_at)
        if not self._known <= set(present):  # another worker has merged some
            self._known, self._parts = set(), []
        new = [segment_id for segment_id in present if segment_id not in self._known]
        read = merge_all(Profiles.from_bytes(blob) for blob in segments.load(self._database, new))
        merged = merge_all([*self._parts, *([] if read is None else [read])])
        if merged is None:
            return None
        merged = merged.window(since)
        self._known, self._parts = set(present), [merged]
        return merged

    def compact(self) -> None:
        """Put one segment in the place of many, where there are many."""
        with self._database.read() as connection:
            crowded = segments.crowded(connection, MAX_SEGMENTS)
            since = self._since(segments.state(connection).last_event_at)
        if crowded is None:
            return
        level, ids = crowded
        merged = merge_all(Profiles.from_bytes(blob) for blob in segments.load(self._database, ids))
        assert merged is not None  # a crowded level is not empty
        made = segments.replace(self._database, level, ids, merged.window(since).to_bytes())
        if self._known.issuperset(ids):
            self._known = self._known.difference(ids) | {made}
        log.info("segments merged", of_level=level, segments=len(ids))

    def _since(self, last: datetime | None) -> datetime | None:
        return None if last is None else last - timedelta(days=self._days)
