"""Self-contained instructions and questions, phrased as instruction data sets phrase them.

Fires on: requests without context, person or history, in the even register of data sets.
Does not fire on: chat, with its fragments, corrections and first person; application prompts with their own data.
Known evasion: rephrasing each task in a chatty voice.
Source: register differences between Alpaca-style data and real conversations, e.g. Zhao et al. 2024 (arXiv 2405.01470).
"""

from detector.signals.base import Signal, likelihood

SIGNAL = Signal(
    name="dataset_phrasing",
    title="Data set phrasing",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.total("intent_dataset") / 1000),
    text=lambda x, n: likelihood("It asks in the phrases of an instruction data set", x, n),
    shows=lambda r: r.likely("dataset"),
)
