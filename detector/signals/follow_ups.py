"""Conversations that go on.

Fires on (against): requests whose earlier turns were asked here before.
Does not fire on: histories that arrive whole.
Known evasion: cover traffic (campaigns score the shared work alone).
Source: turn structure of real conversations, Zhao et al. 2024 (arXiv 2405.01470).
"""

from detector.signals.base import Signal, percent

SIGNAL = Signal(
    name="follow_ups",
    title="Follow-ups",
    direction="against",
    unit="share of requests",
    value=lambda v: v.share(v.aligned(v.states, "follow_ups")),
    text=lambda x, n: f"{percent(x)} of its {n} requests continue a conversation that was held here.",
    shows=lambda r: r.times("state", "parent") > 0,
)
