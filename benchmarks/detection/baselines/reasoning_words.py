"""Reasoning words: requests whose system prompt or last user turn asks for reasoning, by a regular expression."""

import re

import numpy as np

from benchmarks.detection.baselines.log import Log

NAME = "reasoning words"
PATTERN = re.compile(
    r"step[- ]by[- ]step|chain of thought|reasoning|<think|let's think|rationale|逐步|推理|paso a paso", re.IGNORECASE
)
READ_CHARS = 4000  # of each request, system prompt first


def score(log: Log) -> np.ndarray:
    """Number of requests with such words.

    Their share of an account's requests ranks worse on the training traffic: every account with one such request has all.
    """
    texts = zip(log.table["system"], log.table["prompt"], strict=True)
    return log.sums(np.array([bool(PATTERN.search(f"{system} {prompt}"[:READ_CHARS])) for system, prompt in texts]))
