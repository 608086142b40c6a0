"""Prompts or system prompts that force the model's reasoning out.

Fires on: requests that look like reasoning elicitation by meaning and structure: steps, tags, rationale after the fact,
    in the system prompt as well as in the user's turn.
Does not fire on: a single "show your work" (shares are shrunk), arithmetic without elicitation.
Known evasion: paraphrase far from any known wording; taking reasoning that the model volunteers.
Source: zero-shot-CoT rationale harvest, Ho et al. 2022 (arXiv 2212.10071); MITRE ATLAS AML.T0024.002.
"""

from detector.signals.base import Signal, likelihood

SIGNAL = Signal(
    name="reasoning_elicitation",
    title="Reasoning elicitation",
    direction="for",
    unit="share of requests",
    value=lambda v: v.share(v.total("intent_reasoning") / 1000),
    text=lambda x, n: likelihood("It asks for the model's reasoning to be written out", x, n),
    shows=lambda r: r.likely("reasoning"),
)
