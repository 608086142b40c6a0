"""Agent tasks restarted again and again from the same state: trajectory harvesting.

Fires on: several continuations of one conversation state.
Does not fire on: a session that goes on; an edit of the last turn now and then.
Known evasion: small changes to the initial state.
Source: trajectory collection in agent tuning, Zeng et al. 2023 (arXiv 2310.12823).
"""

from detector.signals.base import Signal, percent
from detector.view import REPEAT

SIGNAL = Signal(
    name="agentic_restarts",
    title="Restarts from the same state",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.aligned(v.states, "restarts")),
    text=lambda x, n: f"{percent(x)} of its {n} requests restart from a state that was continued at least three times.",
    shows=lambda r: r.times("parent") >= REPEAT,
    beside="parent",
)
