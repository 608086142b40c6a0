"""Reason codes: which technique of MITRE ATLAS a signal is a trace of.

The table follows ATLAS's own account of distillation campaigns (case study AML.CS0056, release 2026.06): crafted prompts,
inference API access over many accounts, extraction of the model. A signal is a trace, not a proof.
"""

from __future__ import annotations

from collections.abc import Iterable

VERSION = "2026.06"

TECHNIQUES = {
    "AML.T0005.001": "Train Proxy via Replication",
    "AML.T0021": "Establish Accounts",
    "AML.T0024.002": "Extract AI Model",
    "AML.T0040": "AI Model Inference API Access",
    "AML.T0063": "Discover AI Model Outputs",
    "AML.T0065": "LLM Prompt Crafting",
}
PARENTS = {code.rpartition(".")[0] for code in TECHNIQUES if code.count(".") == 2}  # of the sub-techniques among them

CAMPAIGN = "campaign"  # membership in a campaign, which is no signal but a reason

CODES = {
    "agentic_restarts": "AML.T0024.002",
    "answer_length": "AML.T0024.002",
    "corpus_coverage": "AML.T0024.002",
    "output_volume": "AML.T0024.002",
    "repeated_sampling": "AML.T0024.002",
    "session_replay": "AML.T0024.002",
    "dataset_phrasing": "AML.T0065",
    "instruction_synthesis": "AML.T0065",
    "reasoning_elicitation": "AML.T0065",
    "template_slots": "AML.T0065",
    "feedback_loop": "AML.T0005.001",
    "grading": "AML.T0005.001",
    "trace_cleaning": "AML.T0005.001",
    "logprobs": "AML.T0063",
    "even_pace": "AML.T0040",
    "fixed_settings": "AML.T0040",
    "model_share": "AML.T0040",
    "round_the_clock": "AML.T0040",
    "stateless": "AML.T0040",
    CAMPAIGN: "AML.T0021",
}

ALWAYS = "AML.T0024.002"  # what this product looks for, whatever the traces


def codes_of(signals: Iterable[str], campaign: bool) -> list[str]:
    """Technique ids for what was found on an account, without repeats, the extraction itself first."""
    names = [*signals, *([CAMPAIGN] if campaign else [])]
    return list(dict.fromkeys([ALWAYS, *(CODES[name] for name in names if name in CODES)]))
