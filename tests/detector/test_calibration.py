"""Calibration: the threshold keeps its promise, and a calibration directory is used."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from detector.calibration import calibrate, threshold
from detector.campaigns import discover
from detector.pipeline import Detector
from detector.profiles import KIND
from detector.simulate import PRESETS, simulate, write
from tests.detector.builders import event


def test_the_threshold_is_reached_by_no_more_than_the_promised_share() -> None:
    """Split conformal: over many draws a fresh ordinary account reaches the threshold at most as often as promised."""
    rng = np.random.default_rng(5)
    reached = [rng.random() > threshold(rng.random(199), 0.05) for _ in range(4000)]
    assert np.mean(reached) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)


def test_too_few_accounts_flag_nobody() -> None:
    """Fifty accounts cannot promise one false flag in a thousand, so nothing is flagged."""
    assert threshold(np.linspace(0, 0.9, 50), 0.001) > 0.999


def test_calibrating_on_own_logs(detector: Detector, tmp_path: Path) -> None:
    """The codebook is trained on the log's own prompts, and the detector loads it."""
    write(simulate(PRESETS["smoke"], 3), tmp_path / "log")
    run = calibrate([tmp_path / "log" / "events.jsonl"], tmp_path / "own", detector=detector, clusters=20)
    own = Detector.load(tmp_path / "own")
    assert own.codebook.k == run.clusters == 20
    assert own.codebook.version == "own"
    assert own.codebook.projection().shape == (20, 2)


def test_a_public_frame_ties_nobody(detector: Detector, tmp_path: Path) -> None:
    """A sentence that several accounts of the reviewed log share is known as public, and no group is found by it later."""
    frame = "Please answer in the manner of our museum's audio guide. "
    log = [event(i, f"visitor{i % 6}", i, (f"{frame}What is in room {chr(97 + i)}?",)) for i in range(24)]
    log += [event(100 + i, f"other{i}", i, (f"Number {i} of my own affairs",)) for i in range(12)]
    (tmp_path / "log.jsonl").write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in log))
    calibrate([tmp_path / "log.jsonl"], tmp_path / "own", detector=detector, clusters=2)
    own, profiles = Detector.load(tmp_path / "own"), detector.profile(detector.features(log))
    pieces = KIND["piece"]
    assert pieces in discover(profiles).seeds["kind"]
    assert pieces not in discover(profiles, own.known_frames).seeds["kind"]


def test_a_folder_without_calibration_is_named(tmp_path: Path) -> None:
    """A wrong folder gives an error that says how to make a calibration."""
    with pytest.raises(FileNotFoundError, match="distillwatch calibrate"):
        Detector.load(tmp_path)
