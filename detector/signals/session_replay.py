"""Long histories that arrive whole and were never built up here.

Fires on: requests with earlier turns whose earlier state was never requested by this account.
Does not fire on: sessions that grow turn by turn.
Known evasion: replaying every session turn by turn.
Source: incident reports of 2026 on stored-session replay.
"""

from detector.signals.base import Signal, percent

SIGNAL = Signal(
    name="session_replay",
    title="Session replay",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.aligned(v.states, "orphans")),
    text=lambda x, n: f"{percent(x)} of its {n} requests bring a conversation whose earlier turns never happened here.",
)
