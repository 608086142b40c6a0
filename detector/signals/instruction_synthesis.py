"""Requests that make the model write new tasks, harder tasks or personas: self-instruct and its descendants.

Fires on: "write N tasks", "make it harder", persona-driven task writing, by meaning and structure.
Does not fire on: one quiz or one test case now and then.
Known evasion: hiding the request for tasks inside a story.
Source: Self-Instruct, Wang et al. 2022 (arXiv 2212.10560); Evol-Instruct, Xu et al. 2023 (arXiv 2304.12244).
"""

from detector.signals.base import Signal, likelihood

SIGNAL = Signal(
    name="instruction_synthesis",
    title="Instruction synthesis",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.total("intent_synthesis") / 1000),
    text=lambda x, n: likelihood("It has the model invent tasks or harden given ones", x, n),
    shows=lambda r: r.likely("synthesis"),
)
