"""Calibration on an operator's own logs: the codebook, the population behind the percentiles, and the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from detector.campaigns import public_frames
from detector.codebook import DEFAULT_K, Codebook
from detector.encoders import Encoder
from detector.formats import read
from detector.pieces import normalise
from detector.pipeline import Detector
from detector.profiles import merge_all
from detector.progress import Progress
from detector.scoring import Weights
from detector.signals import SIGNALS, evaluate
from detector.templates import prompt_text
from detector.view import View

MAX_PROMPTS = 200_000  # distinct prompts that train the codebook; more moves no centroid
POINTS_PER_CLUSTER = 39  # FAISS asks for at least so many training points a centroid
QUANTILES = 200


@dataclass(frozen=True)
class CalibrationRun:
    """What a calibration learnt."""

    prompts: int
    clusters: int
    frames: int  # sentences and system prompts that are public here
    accounts: int
    flag_at: float
    out: Path


def quantiles(values: np.ndarray) -> dict[str, list[float]]:
    """Population quantiles of each signal, from values of shape (accounts, len(SIGNALS))."""
    grid = np.linspace(0, 1, QUANTILES)
    return {s.name: np.round(np.quantile(values[:, j], grid), 5).tolist() for j, s in enumerate(SIGNALS)}


def threshold(risk: np.ndarray, max_false_flags: float) -> float:
    """Risk that at most ``max_false_flags`` of ordinary accounts reach, by split conformal prediction.

    With n ordinary accounts the ceil((n + 1)(1 - a))-th smallest risk is exceeded by a new ordinary account with
    probability at most a (Vovk et al. 2005); with too few accounts for that, 1.0 - 1e-6: nothing is flagged.
    """
    rank = int(np.ceil((len(risk) + 1) * (1 - max_false_flags)))
    if rank > len(risk):
        return 1.0 - 1e-6
    return float(np.sort(risk)[rank - 1])


def train_codebook(
    paths: Sequence[Path], encoder: Encoder, format: str, clusters: int | None, progress: Progress
) -> tuple[Codebook, int]:
    """Codebook of the distinct prompts of the logs. Raises ValueError when there are too few."""
    distinct: dict[str, None] = {}
    seen = 0
    for batch in read(paths, format=format):
        for event in batch.events:
            text = prompt_text(event)[1]
            if text and len(distinct) < MAX_PROMPTS:
                distinct.setdefault(normalise(text)[:2000])
        seen += len(batch.events)
        progress.advance(batch.bytes_read, batch.total_bytes, seen)
    vectors = encoder.encode(list(distinct))
    vectors = vectors[vectors.any(axis=1)]
    k = clusters or min(DEFAULT_K, max(len(vectors) // POINTS_PER_CLUSTER, 1))
    return Codebook.train(vectors, k, version="own"), len(vectors)


def calibrate(
    paths: Sequence[Path],
    out: Path,
    *,
    detector: Detector,
    format: str = "auto",
    clusters: int | None = None,
    max_false_flags: float | None = None,
    progress: Progress | None = None,
) -> CalibrationRun:
    """Learn from logs that are believed to be free of harvesting, or reviewed; write a calibration directory.

    The threshold moves only where ``max_false_flags`` is given. Raises ValueError for logs without prompts.
    """
    progress = progress or Progress()
    progress.stage("training the codebook")
    codebook, prompts = train_codebook(paths, detector.encoder, format, clusters, progress)
    detector = replace(detector, codebook=codebook)
    progress.stage("profiling")
    parts = [detector.profile(detector.features(b.events)) for b in read(paths, format=format) if b.events]
    profiles = merge_all(parts)
    if profiles is None:
        raise ValueError("the logs hold no events: nothing can be learnt from them")
    values = evaluate(View(profiles))
    weights: Weights = msgspec.structs.replace(detector.scorer.weights, population=quantiles(values), version="own")
    if max_false_flags is not None:
        risk = np.array([a.risk for a in detector.assess(profiles).accounts])
        flag_at = threshold(risk, max_false_flags)
        weights = msgspec.structs.replace(weights, flag_at=flag_at, watch_at=min(weights.watch_at, flag_at / 2))
    out.mkdir(parents=True, exist_ok=True)
    codebook.save(out / "codebook.npz")
    frames = public_frames(profiles)
    frames.to_frame().write_parquet(out / "frames.parquet")
    (out / "scoring.json").write_bytes(msgspec.json.format(msgspec.json.encode(weights)))
    return CalibrationRun(prompts, codebook.k, len(frames), len(profiles), weights.flag_at, out)
