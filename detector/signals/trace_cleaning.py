"""Captured answers or reasoning fed back to be rewritten, filtered or scored.

Fires on: requests that look like cleaning of model output.
Does not fire on: editing of one's own text in small shares.
Known evasion: cleaning with another provider's model.
Source: published distillation tool chains (answer rewriting and filtering steps); incident reports of 2026.
"""

from detector.signals.base import Signal, likelihood

SIGNAL = Signal(
    name="trace_cleaning",
    title="Cleaning of captured answers",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.total("intent_cleaning") / 1000),
    text=lambda x, n: likelihood("It has model output rewritten or cleaned", x, n),
    shows=lambda r: r.likely("cleaning"),
)
