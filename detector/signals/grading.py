"""Rubric, score or A/B frames around answers: data for a reward model or preference pairs.

Fires on: requests that look like grading or comparing answers.
Does not fire on: reviews of a user's own text (the intent model sees a difference of structure); small shares.
Known evasion: grading without a rubric, one question at a time.
Source: RLAIF and LLM-as-judge pipelines, Zheng et al. 2023 (arXiv 2306.05685), Kim et al. 2023 (arXiv 2310.08491).
"""

from detector.signals.base import Signal, likelihood

SIGNAL = Signal(
    name="grading",
    title="Grading and preference frames",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.total("intent_grading") / 1000),
    text=lambda x, n: likelihood("It has answers graded or compared", x, n),
    shows=lambda r: r.likely("grading"),
)
