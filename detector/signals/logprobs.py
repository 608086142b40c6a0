"""Log-probabilities with many alternatives, or logit-bias sweeps: the teacher's distribution itself.

Fires on: top_logprobs of at least three, or a logit bias.
Does not fire on: requests without them. A calibrated classifier looks alike; what speaks against it is its narrow domain.
Known evasion: few alternatives over many requests.
Source: Carlini et al. 2024, Stealing part of a production language model (arXiv 2403.06634).
"""

from detector.signals.base import Signal, percent

SIGNAL = Signal(
    name="logprobs",
    title="Log-probabilities",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.total("logprobs")),
    text=lambda x, n: f"{percent(x)} of its {n} requests ask for log-probabilities of many alternatives or bend them.",
    shows=lambda r: r.marked("logprobs"),
)
