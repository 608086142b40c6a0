"""Arrivals drawn from recorded traces: people's pauses, a developer's hours, the bursts of real API clients."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.detection.licences import DEFAULT_CORPORA
from detector.simulate.arrivals import DAY, HOUR, Arrivals, Span

PAUSES = (1.0, 1800.0)  # seconds between a message and the next of a person; longer is another sitting
MIN_WINDOWS = 30  # of a client whose bursts are copied
MIN_CV = 0.05  # coefficient of variation of gaps, as a floor
READING = 25.0  # characters of an answer's length that a person reads in a second, beside the recorded pause


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


@lru_cache(maxsize=2)
def traces(folder: Path) -> tuple[list[float], list[float], list[list[tuple[float, float, float]]]]:
    """(pauses of people, hours of day of a developer, windows (t, rate, cv) of API clients)."""
    pauses = [
        gap
        for row in _rows(folder / "chitchat_message_times.jsonl.gz")
        for gap, a, b in zip((y - x for x, y in zip(row["t"], row["t"][1:], strict=False)), row["who"], row["who"][1:], strict=False)
        if a != b and PAUSES[0] <= gap <= PAUSES[1]
    ]  # fmt: skip
    hours = []
    for row in _rows(folder / "aider_single_dev_times.jsonl.gz"):
        at = datetime.fromisoformat(row["ts"])
        hours.append(at.hour + at.minute / 60)
    clients = [
        [(t, rate, cv or 1.0) for t, rate, cv, *_ in row["windows"] if rate and rate > 0]
        for row in _rows(folder / "servegen_api_clients.jsonl.gz")
    ]
    return pauses, hours, [c for c in clients if len(c) >= MIN_WINDOWS]


class Recorded(Arrivals):
    """Arrivals from traces where there are any; the rest is the built-in model's."""

    def __init__(self, rng: random.Random, days: int, corpora: Path = DEFAULT_CORPORA) -> None:
        super().__init__(rng, days)
        self.pauses, self.hours, self.clients = traces(corpora / "timing")

    def think(self, chars: int = 80) -> float:
        """A recorded pause between two people's messages, and the time to read."""
        return self.rng.choice(self.pauses) + chars / READING

    def office(self, zone: int, span: Span | None = None) -> float:
        """Half of the developers keep the recorded one's hours, half those of an office."""
        if self.rng.random() < 0.5:
            return super().office(zone, span)
        span = span or (0.0, self.end)
        for _ in range(60):
            if (at := self._habit(span, zone, self.rng.choice(self.hours), 0.3)) is not None:
                return at
        return self.anywhen(span)

    def bursts(self, count: int, span: Span | None = None) -> list[float]:
        """The windows of one recorded API client, its rate scaled so that ``count`` requests come."""
        r = self.rng
        low, high = span or (0.0, self.end)
        windows = r.choice(self.clients)
        shift = r.uniform(0, DAY)
        chosen = r.choices(windows, [rate for _, rate, _ in windows], k=count)
        by_window: dict[tuple[float, float], int] = {}
        for t, _, cv in chosen:
            by_window[(t, cv)] = by_window.get((t, cv), 0) + 1
        out: list[float] = []
        for (t, cv), n in by_window.items():
            shape = 1 / max(cv, MIN_CV) ** 2
            gaps = [r.gammavariate(shape, 1 / shape) for _ in range(n)]
            total = sum(gaps) + r.gammavariate(1.0, 1.0) or 1.0
            at = low + (t + shift) % max(high - low, HOUR / 6)
            for gap in gaps:
                at += gap / total * HOUR / 6
                out.append(min(at, high))
        return sorted(out)
