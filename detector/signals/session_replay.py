"""Long histories that arrive whole and were never built up here.

Fires on: requests with earlier turns whose earlier state was never requested by this account.
Does not fire on: sessions that grow turn by turn, nor restored ones that go on here.
Known evasion: replaying every session turn by turn.
Source: incident reports of 2026 on stored-session replay.
"""

import numpy as np

from detector.signals.base import Signal, percent
from detector.view import View


def _value(view: View) -> np.ndarray:
    orphans, follow_ups = view.aligned(view.states, "orphans"), view.aligned(view.states, "follow_ups")
    return view.share(orphans) * orphans / np.maximum(orphans + follow_ups, 1.0)


SIGNAL = Signal(
    name="session_replay",
    title="Session replay",
    direction="for",
    unit="share of requests",
    value=_value,
    text=lambda x, n: (
        f"At least {percent(x)} of its {n} requests bring a conversation whose earlier turns never happened here."
    ),
    shows=lambda r: (r.column("parent") != 0) & (r.times("state", "parent") == 0),
)
