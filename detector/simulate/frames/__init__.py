"""Frames of every family, by variant and group."""

from detector.simulate.frames.agents import AGENTS, RELAY, REPLAY, ROLLOUTS
from detector.simulate.frames.base import GROUPS, Frame, Variants, reword, wordings
from detector.simulate.frames.grading import CLEANING, GRADER
from detector.simulate.frames.reasoning import REASONING
from detector.simulate.frames.synthesis import SYNTHESIS
from detector.simulate.frames.thin import CORPUS, FIXED, PAIRS, PROBABILITIES, SWEEP

__all__ = ["FRAMES", "GROUPS", "Frame", "Variants", "reword", "wordings"]

FRAMES: dict[str, Variants] = {
    "sft_pairs": PAIRS,
    "reasoning": REASONING,
    "fixed_prompt": FIXED,
    "rollouts": ROLLOUTS,
    "agent_trajectories": AGENTS,
    "grader": GRADER,
    "instruction_synthesis": SYNTHESIS,
    "trace_cleaning": CLEANING,
    "session_replay": REPLAY,
    "relay": RELAY,
    "logprobs": PROBABILITIES,
    "corpus_replay": CORPUS,
    "domain_sweep": SWEEP,
}
