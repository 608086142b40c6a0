"""Calibration on an operator's own logs: the codebook, the population behind the percentiles, and the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from detector.accounts import score_accounts
from detector.assess import final_scores
from detector.campaigns import public_frames
from detector.codebook import DEFAULT_K, Codebook
from detector.encoders import Encoder
from detector.formats import read
from detector.pieces import normalise
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from detector.progress import Progress
from detector.scoring import MIN_PEERS, TAIL, Scorer, Segment, Weights, segment_at, segments_of
from detector.signals import SIGNALS, evaluate
from detector.templates import prompt_text
from detector.view import View

MAX_PROMPTS = 200_000  # distinct prompts that train the codebook; more moves no centroid
POINTS_PER_CLUSTER = 39  # FAISS asks for at least so many training points a centroid
QUANTILES = 200
MIN_EXCEEDING = 2  # honest accounts beyond the threshold, at least: one alone may be anything


@dataclass(frozen=True)
class CalibrationRun:
    """What a calibration learnt."""

    prompts: int
    clusters: int
    frames: int  # sentences and system prompts that are public here
    accounts: int
    max_false_flags: float
    out: Path
    rejected: int = 0  # rows that could not be read


def quantiles(values: np.ndarray) -> dict[str, list[float]]:
    """Population quantiles of each signal, from values of shape (accounts, len(SIGNALS))."""
    grid = np.linspace(0, 1, QUANTILES)
    return {s.name: np.round(np.quantile(values[:, j], grid), 5).tolist() for j, s in enumerate(SIGNALS)}


def with_populations(segments: Sequence[Segment], values: np.ndarray, requests: np.ndarray) -> list[Segment]:
    """The segments with the quantiles of ordinary accounts of their size: ``values`` of shape (accounts, len(SIGNALS))."""
    at = segment_at([s.up_to for s in segments], requests)
    return [
        msgspec.structs.replace(s, population=quantiles(values[at == i]) if (at == i).sum() >= MIN_PEERS else {})
        for i, s in enumerate(segments)
    ]


def honest_scores(profiles: Profiles, detector: Detector) -> tuple[np.ndarray, np.ndarray]:
    """Final scores, and numbers of requests, of the accounts of a log that is believed to be free of harvesting."""
    own = score_accounts(profiles, detector.scorer)
    return final_scores(profiles, own, detector.scorer, detector.known_frames), own.view.n


def with_reviews(weights: Weights, honest_scores: np.ndarray, honest_requests: np.ndarray) -> Weights:
    """Weights that know some more honest accounts, found so by review: float64 of shape (n,), their final scores and requests.

    Each counts in its segment as one honest account, and its score among the highest where it belongs. As people review
    what is flagged, these are the highest of their kind, so that the threshold moves up and never down: cautious.
    """
    at = Scorer(weights).segment(honest_requests)
    merged = []
    for i, segment in enumerate(weights.segments):
        new = honest_scores[at == i].tolist()
        tail = sorted([*segment.tail, *new], reverse=True)[:TAIL]
        merged.append(msgspec.structs.replace(segment, accounts=segment.accounts + len(new), tail=tail))
    return msgspec.structs.replace(weights, segments=merged)


def train_codebook(
    paths: Sequence[Path], encoder: Encoder, format: str, clusters: int | None, progress: Progress
) -> tuple[Codebook, int, int]:
    """Codebook of the distinct prompts of the logs, the number of these, and that of rows that could not be read.

    Raises ValueError when there are too few prompts.
    """
    distinct: dict[str, None] = {}
    seen = refused = 0
    for batch in read(paths, format=format):
        refused += len(batch.rejected)
        for event in batch.events:
            text = prompt_text(event)[1]
            if text and len(distinct) < MAX_PROMPTS:
                distinct.setdefault(normalise(text)[:2000])
        seen += len(batch.events)
        progress.advance(batch.bytes_read, batch.total_bytes, seen)
    vectors = encoder.encode(list(distinct))
    vectors = vectors[vectors.any(axis=1)]
    k = clusters or min(DEFAULT_K, max(len(vectors) // POINTS_PER_CLUSTER, 1))
    return Codebook.train(vectors, k, version="own"), len(vectors), refused


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

    The thresholds move only where ``max_false_flags`` is given. Raises ValueError for logs without prompts, and where the
    logs have too few accounts for so small a share to be promised.
    """
    progress = progress or Progress()
    progress.stage("training the codebook")
    codebook, prompts, refused = train_codebook(paths, detector.encoder, format, clusters, progress)
    detector = replace(detector, codebook=codebook)
    progress.stage("profiling")
    parts = [detector.profile(detector.features(b.events)) for b in read(paths, format=format) if b.events]
    profiles = merge_all(parts)
    if profiles is None:
        raise ValueError("the logs hold no events: nothing can be learnt from them")
    view = View(profiles)
    values = evaluate(view)
    weights: Weights = msgspec.structs.replace(detector.scorer.weights, population=quantiles(values), version="own")
    if max_false_flags is not None:
        if len(profiles) * max_false_flags < MIN_EXCEEDING:
            raise ValueError(
                f"{len(profiles):,} accounts are too few to promise that at most {max_false_flags:.2%} of honest ones are "
                f"flagged: give a log of at least {MIN_EXCEEDING / max_false_flags:,.0f} accounts, or a larger share"
            )
        segments = segments_of(*honest_scores(profiles, detector))
        weights = msgspec.structs.replace(weights, segments=segments, max_false_flags=max_false_flags)
    weights.segments = with_populations(weights.segments, values, view.n)
    out.mkdir(parents=True, exist_ok=True)
    codebook.save(out / "codebook.npz")
    frames = public_frames(profiles)
    frames.to_frame().write_parquet(out / "frames.parquet")
    (out / "scoring.json").write_bytes(msgspec.json.format(msgspec.json.encode(weights)))
    return CalibrationRun(prompts, codebook.k, len(frames), len(profiles), weights.max_false_flags, out, refused)
