"""Ordinary traffic to compare with: prompts of people who chat, from the corpora that teach, never those that measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.detection.baselines.log import Log, sample
from benchmarks.detection.corpora import texts
from benchmarks.detection.licences import DEFAULT_CORPORA
from detector.simulate import LOOKALIKES, Scenario, simulate
from detector.simulate.presets import everyone

PEOPLE = 600  # about 10,000 requests, several times the sample
SEED = 1


def ordinary_prompts(corpora: Path = DEFAULT_CORPORA, seed: int = SEED) -> np.ndarray:
    """Unit vectors of prompts of ordinary users (no look-alikes, no attackers) in training traffic: (2000, dimension).

    Raises FileNotFoundError without corpora.
    """
    tenants = {kind: n for kind, n in everyone(PEOPLE).items() if kind not in LOOKALIKES}
    traffic = simulate(Scenario(tenants=tenants), seed, texts("train", seed, corpora))
    return sample(Log(traffic.events).vectors)
