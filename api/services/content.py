"""What is kept of each account's texts, held to where events are stored; and what was stored before, brought to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog

from api.schemas.privacy import ContentMode
from api.settings import Settings
from api.storage import content, events, scrubbing
from api.storage.engine import Database
from detector.content import decode_rows, encode_rows, redacted, without_text
from detector.event import Event
from detector.features import FeatureFrame
from detector.pipeline import Detector

REFRESH_SECONDS = 2.0  # between two looks at the modes
SETTLED = timedelta(seconds=60)  # after a change, every process has seen it, and stored what it had in hand

log = structlog.get_logger()


class Kept(NamedTuple):
    """Events as they may be stored, and the features of those whose text is not kept as it came."""

    events: list[Event]
    features: list[content.FeatureRow]


class ContentPolicy:
    """The modes as of a moment ago, and the detector that reads texts before they are let go; shared by threads."""

    def __init__(self, database: Database, settings: Settings, detector: Detector | None = None) -> None:
        self._database = database
        self._default: ContentMode = settings.content
        self._load: Callable[[], Detector] = lambda: Detector.load(settings.calibration)
        self._detector = detector
        self._lock = threading.Lock()
        self._modes: dict[str, ContentMode] = {}
        self._at = float("-inf")

    @property
    def is_needed(self) -> bool:
        """Whether any account's text is not kept as it comes."""
        return self._default != "full" or any(mode != "full" for mode in self._modes.values())

    def refresh(self, at_most_every: float = 0.0) -> None:
        """Read the modes. Raises StorageError."""
        if time.monotonic() - self._at < at_most_every:
            return
        with self._database.read() as connection:
            self._modes = {row.account_id: row.mode for row in content.every(connection)}
        self._at = time.monotonic()
        if self.is_needed:
            self._reader()  # now, not while a request waits

    def mode(self, account_id: str) -> ContentMode:
        """What is kept of an account's texts."""
        return self._modes.get(events.storable(account_id), self._default)

    def hold(self, found: Sequence[Event]) -> Kept:
        """What may be stored of events. One that the detector cannot read is kept without its text all the same."""
        modes = [self.mode(e.account_id) for e in found] if self.is_needed else []
        chosen = [e for e, mode in zip(found, modes, strict=False) if mode != "full"]
        if not chosen:
            return Kept(list(found), [])
        kept = [_kept(e, mode) for e, mode in zip(found, modes, strict=True)]
        return Kept(kept, self._rows(chosen))

    def features(self, rows: Sequence[bytes]) -> FeatureFrame:
        """The feature frame of stored rows."""
        reader = self._reader()
        return decode_rows(rows, reader.features([]))

    def sweep(self, stopping: Callable[[], bool] = lambda: False) -> bool:
        """Bring stored events to modes that changed; True if any text went. Again and again, until every process knows the mode."""
        with self._database.read() as connection:
            waiting = content.unswept(connection)
        if not waiting:
            return False
        self.refresh()
        changed = False
        for row in waiting:
            now = datetime.now(UTC)
            for batch in content.stored(self._database, row.account_id):
                if stopping():
                    return changed
                changed |= self._rewrite(batch)
            changed |= scrubbing.of_account(self._database, row.account_id) > 0
            if row.at < now - SETTLED:
                content.swept(self._database, row.account_id, row.at, now)
                log.info("stored events follow the content mode", mode=row.mode)
        if changed:
            self._database.compact()
        return changed

    def _rows(self, chosen: Sequence[Event]) -> list[content.FeatureRow]:
        try:
            rows = encode_rows(self._reader().features(chosen))
        except Exception:
            if len(chosen) == 1:
                log.exception("no features of an event whose text is not kept", event_id=chosen[0].event_id)
                return []
            half = len(chosen) // 2
            return self._rows(chosen[:half]) + self._rows(chosen[half:])
        return [(events.storable(e.event_id), row) for e, row in zip(chosen, rows, strict=True)]

    def _rewrite(self, batch: Sequence[Event]) -> bool:
        kept = self.hold(batch)
        now = datetime.now(UTC)
        changed = [
            events.to_row(after, now) for before, after in zip(batch, kept.events, strict=True) if before != after
        ]
        if changed:
            content.rewrite(self._database, changed, kept.features)
        return bool(changed)

    def _reader(self) -> Detector:
        with self._lock:
            if self._detector is None:
                self._detector = self._load()
            return self._detector


def _kept(event: Event, mode: ContentMode) -> Event:
    if mode == "none":
        return without_text(event)
    return redacted(event) if mode == "redacted" else event
