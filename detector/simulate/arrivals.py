"""When requests come: people by day and think time, programs in bursts, jobs at a rate, cron at an hour.

Everything is in seconds after the start of the log. :class:`Arrivals` may be replaced by one that draws from recorded traces.
"""

from __future__ import annotations

import random

HOUR = 3600.0
DAY = 24 * HOUR
Span = tuple[float, float]
_TRIES = 60  # to hit a narrow span by habit before falling back to any moment of it


class Arrivals:
    """Built-in models of arrival."""

    def __init__(self, rng: random.Random, days: int) -> None:
        self.rng = rng
        self.end = days * DAY - 1
        self.days = days

    def anywhen(self, span: Span) -> float:
        """Any moment."""
        return self.rng.uniform(*span)

    def _habit(self, span: Span, zone: int, hour: float, weekend: float) -> float | None:
        day = self.rng.randrange(self.days)
        at = day * DAY + (hour - zone) * HOUR
        return at if span[0] <= at < span[1] and (day % 7 < 5 or self.rng.random() < weekend) else None

    def waking(self, zone: int, span: Span | None = None, weekend: float = 0.8) -> float:
        """A moment of a person's day."""
        span = span or (0.0, self.end)
        for _ in range(_TRIES):
            hour = min(max(self.rng.gauss(15.5, 4.2), 6.5), 24.0)
            if (at := self._habit(span, zone, hour, weekend)) is not None:
                return at
        return self.anywhen(span)

    def office(self, zone: int, span: Span | None = None) -> float:
        """A moment of somebody's office hours."""
        span = span or (0.0, self.end)
        for _ in range(_TRIES):
            hour = self.rng.gauss(10.5, 1.2) if self.rng.random() < 0.5 else self.rng.gauss(15, 1.5)
            if (at := self._habit(span, zone, hour, 0.03)) is not None:
                return at
        return self.anywhen(span)

    def think(self, chars: int = 80) -> float:
        """Seconds between two turns of a person: reading, thinking, typing."""
        return self.rng.lognormvariate(3.6, 0.9) + chars / 6

    def step(self) -> float:
        """Seconds between two steps of an agent."""
        return self.rng.lognormvariate(2.2, 0.7)

    def job(self, count: int, span: Span | None = None, rate: float | None = None, jitter: float = 1.0) -> list[float]:
        """A run at ``rate`` (per second) from somewhere in the span; ``jitter`` 0 is a metronome, 1 a Poisson process."""
        r = self.rng
        low, high = span or (0.0, self.end)
        rate = rate or r.uniform(0.02, 0.8)
        rate = max(rate, count / max(high - low, 1.0))
        at = r.uniform(low, max(high - count / rate, low + 1))
        out = []
        for _ in range(count):
            at += (1 - jitter) / rate + jitter * r.expovariate(rate)
            out.append(at if at < high else r.uniform(low, high))
        return sorted(out)

    def bursts(self, count: int, span: Span | None = None) -> list[float]:
        """A program with users or queues behind it: bursts of requests, unequal pauses, more by day."""
        r = self.rng
        low, high = span or (0.0, self.end)
        out: list[float] = []
        while len(out) < count:
            at = r.uniform(low, high)
            if r.random() < (0.35 if 8 < at % DAY / HOUR < 20 else 0.75):
                continue  # quieter at night
            for _ in range(min(1 + int(r.paretovariate(1.1)), 40, count - len(out))):
                out.append(min(at, high))
                at += r.expovariate(1 / r.choice((1.0, 5.0, 30.0)))
        return sorted(out)

    def cron(self, per_day: int, hour: float, rate: float = 0.2, workdays: bool = False) -> list[float]:
        """A job at the same hour every day."""
        out: list[float] = []
        for day in range(self.days):
            if workdays and day % 7 >= 5:
                continue
            at = day * DAY + hour * HOUR + self.rng.uniform(0, 90)
            for _ in range(max(1, round(per_day * self.rng.uniform(0.7, 1.3)))):
                at += self.rng.expovariate(rate)
                out.append(min(at, self.end))
        return out

    def spread(self, count: int, span: Span | None = None, jitter: float = 1.0) -> list[float]:
        """Moments spread evenly, day and night."""
        low, high = span or (0.0, self.end)
        gap = (high - low) / max(count, 1)
        return sorted(low + (i + 0.5 + jitter * self.rng.uniform(-0.5, 0.5)) * gap for i in range(count))

    def crowd(self, zone: int, count: int) -> list[float]:
        """Moments of many people of one time zone."""
        return sorted(self.waking(zone, weekend=0.9) for _ in range(count))
