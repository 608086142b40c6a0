"""Requests that stand alone.

Fires on: one user turn, no tool result.
Does not fire on: conversations and tool loops.
Known evasion: a fake history (session replay then shows).
Source: incident reports of 2026; the design's first row.
"""

from detector.signals.base import Signal, percent

SIGNAL = Signal(
    name="stateless",
    title="Stateless requests",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.total("stateless")),
    text=lambda x, n: f"{percent(x)} of its {n} requests stand alone, without a conversation.",
    shows=lambda r: r.marked("stateless"),
)
