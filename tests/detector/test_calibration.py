"""Calibration: the threshold keeps its promise, and a calibration directory is used."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.calibration import calibrate, with_populations, with_reviews
from detector.campaigns import discover
from detector.event import Event
from detector.formats import read
from detector.pipeline import Detector
from detector.profiles import KIND
from detector.scoring import FLAG_AT, MIN_PEERS, ORDINARY, Scorer, segments_of
from detector.signals import SIGNALS
from detector.simulate import PRESETS, Scenario, simulate, write
from tests.detector.builders import event


def test_calibrating_on_own_logs(detector: Detector, tmp_path: Path) -> None:
    """The codebook is trained on the log's own prompts, and the detector loads it."""
    write(simulate(PRESETS["smoke"], 3), tmp_path / "log")
    run = calibrate([tmp_path / "log" / "events.jsonl"], tmp_path / "own", detector=detector, clusters=20)
    own = Detector.load(tmp_path / "own")
    assert own.codebook.k == run.clusters == 20
    assert own.codebook.version == "own"
    assert own.codebook.projection().shape == (20, 2)
    assert own.scorer.peers(10).words == f"{ORDINARY} of up to 20 requests"


def test_a_percentile_is_among_accounts_of_the_same_size() -> None:
    """A value that is usual for busy accounts is the highest among small ones; where too few are known, it is among all."""
    small, large = np.linspace(0, 1, 400), np.linspace(1, 2, 400)
    values = np.repeat(np.concatenate([small, large])[:, None], len(SIGNALS), axis=1)
    requests = np.concatenate([np.full(400, 20.0), np.full(400, 21.0)])
    weights = Scorer.load().weights
    known = with_populations(weights.segments, values, requests)
    scorer = Scorer(msgspec.structs.replace(weights, segments=known))
    one = np.full(len(SIGNALS), 1.25)
    for size, share, words in (
        (8, 1.0, f"{ORDINARY} of up to 20 requests"),
        (20, 1.0, f"{ORDINARY} of up to 20 requests"),
        (150, 0.25, f"{ORDINARY} of 21 to 150 requests"),
    ):
        peers = scorer.peers(size)
        assert peers.percentiles(one) == pytest.approx(share, abs=0.01)
        assert peers.words == words
    assert scorer.peers(151) == scorer.peers(10_000)
    assert (scorer.peers(151).words, scorer.peers(151).population) == (ORDINARY, weights.population)
    few = with_populations(weights.segments, values[: MIN_PEERS - 1], requests[: MIN_PEERS - 1])
    assert not any(s.population for s in few)


def test_own_thresholds_flag_no_more_than_promised(detector: Detector, tmp_path: Path) -> None:
    """Calibrated on a log for a share of false flags, the detector flags at most that share of the same log."""
    tenants = {"chat_user": 150, "tutoring_app": 3, "coding_team": 3, "own_test_data": 3}
    write(simulate(Scenario(size=0.2, days=2, tenants=tenants), 5), tmp_path / "log")
    log = tmp_path / "log" / "events.jsonl"
    calibrate([log], tmp_path / "own", detector=detector, clusters=10, max_false_flags=0.05)
    own = Detector.load(tmp_path / "own")
    assert own.scorer.weights.max_false_flags == 0.05
    found = own.assess(own.profile(own.features(read_all(log))))
    assert len(found.flagged()) <= 0.05 * (len(found.accounts) + 1)


def test_a_share_that_too_few_accounts_cannot_promise_is_refused(detector: Detector, tmp_path: Path) -> None:
    """Fifty accounts cannot promise one false flag in a thousand; the error says how many could."""
    log = tmp_path / "log.jsonl"
    log.write_bytes(
        b"".join(
            msgspec.json.encode(
                event(i, f"a{i % 50}", i, (f"Question number {chr(97 + i % 26)} of {i} is on its way",))
            )
            + b"\n"
            for i in range(100)
        )
    )
    with pytest.raises(ValueError, match="2,000 accounts"):
        calibrate([log], tmp_path / "own", detector=detector, clusters=2, max_false_flags=0.001)


def read_all(log: Path) -> list[Event]:
    """All events of a log."""
    return [e for batch in read([log]) for e in batch.events]


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


SCORES = st.lists(st.tuples(st.floats(-20, 20).map(lambda x: round(x, 4)), st.integers(1, 500)), max_size=60)


def arrays(accounts: list[tuple[float, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Scores and numbers of requests."""
    return np.array([s for s, _ in accounts], float), np.array([n for _, n in accounts], float)


@given(SCORES, SCORES)
def test_reviews_count_as_if_known_from_the_start(
    before: list[tuple[float, int]], reviewed: list[tuple[float, int]]
) -> None:
    """Honest accounts found by review give the segments that a calibration on all of them together gives."""
    weights = msgspec.structs.replace(Scorer.load().weights, segments=segments_of(*arrays(before)))
    assert with_reviews(weights, *arrays(reviewed)).segments == segments_of(*arrays([*before, *reviewed]))


def test_dismissals_move_the_threshold_up() -> None:
    """Dismissed accounts beyond the threshold raise it, until what is like them is flagged no more; none moves nothing."""
    weights = msgspec.structs.replace(
        Scorer.load().weights,
        segments=segments_of(np.linspace(-5, 5, 2000), np.full(2000, 100.0)),
        max_false_flags=0.001,
    )
    before = Scorer(weights)
    flagged = np.array([6.0, 6.5])
    assert (before.risk(flagged) > FLAG_AT).all()
    after = Scorer(with_reviews(weights, flagged, np.full(2, 100.0)))
    assert after.cuts[0] > before.cuts[0]
    assert not (after.risk(np.array([5.9])) > FLAG_AT).any()
    assert with_reviews(weights, np.zeros(0), np.zeros(0)) == weights


def test_rows_that_cannot_be_read_are_counted(detector: Detector, tmp_path: Path) -> None:
    """A calibration says how many rows of the log it could not learn from."""
    write(simulate(PRESETS["smoke"], 3), tmp_path / "log")
    with (tmp_path / "log" / "events.jsonl").open("ab") as log:
        log.write(b"not json\n{}\n")
    assert calibrate([tmp_path / "log"], tmp_path / "own", detector=detector, clusters=20).rejected == 2
