"""The detector: one object, the same pure functions for the stream, the batch audit and the distributed audit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from detector.accounts import Exceptions
from detector.assess import assess
from detector.assessment import Assessment
from detector.codebook import Codebook
from detector.encoders import Encoder, load_encoder
from detector.event import Event
from detector.features import FeatureFrame, extract
from detector.intent import IntentModel
from detector.profiles import Profiles
from detector.regrouping import Constraint
from detector.scoring import Scorer
from detector.shadow import in_shadow


@dataclass(frozen=True)
class Detector:
    """What was learnt (encoder, codebook, intent model, scorer) and the steps that use it."""

    encoder: Encoder
    codebook: Codebook
    intent: IntentModel
    scorer: Scorer
    known_frames: pl.Series | None = None  # public sentences and system prompts, learnt by ``calibrate``

    @classmethod
    def load(cls, calibration: Path | None = None, encoder: str = "static") -> Detector:
        """The shipped detector, or one calibrated on own logs: ``calibration`` is a directory written by ``calibrate``."""
        if calibration is None:
            return cls(load_encoder(encoder), Codebook.load(), IntentModel.load(), Scorer.load())
        if not (calibration / "codebook.npz").is_file():
            raise FileNotFoundError(
                f"{calibration} holds no calibration: make one with `distillwatch calibrate LOG --out {calibration}`"
            )
        return cls(
            load_encoder(encoder),
            Codebook.load(calibration / "codebook.npz"),
            IntentModel.load(),
            Scorer.load(calibration / "scoring.json"),
            pl.read_parquet(calibration / "frames.parquet")["key"],
        )

    def with_max_false_flags(self, share: float | None) -> Detector:
        """The detector that flags at most ``share`` of honest accounts; itself for None. Raises ValueError outside (0, 0.1]."""
        return self if share is None else replace(self, scorer=self.scorer.with_max_false_flags(share))

    def in_shadow(self, names: Collection[str]) -> Detector:
        """The detector for which the named signals do not count. Raises ValueError: see :func:`detector.shadow.in_shadow`."""
        return replace(self, scorer=in_shadow(self.scorer, names)) if names else self

    def features(self, events: Sequence[Event]) -> FeatureFrame:
        """Features of a batch of events, stateless per event (map)."""
        return extract(events, self.encoder, self.codebook, self.intent)

    def profile(self, frame: FeatureFrame) -> Profiles:
        """Profile of feature rows (map); :meth:`Profiles.merge` reduces."""
        return Profiles.build(frame)

    def assess(
        self,
        profiles: Profiles,
        exceptions: Exceptions | None = None,
        constraints: Collection[Constraint] = (),
    ) -> Assessment:
        """Findings on every account and campaign of the profiles; ``exceptions``: signals that do not count, by account;
        ``constraints``: what people said of groups."""
        return assess(profiles, self.scorer, self.known_frames, exceptions, constraints)
