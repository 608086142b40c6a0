"""The logs that the shipped scorer is fitted on: only the train side's corpora, each in one group alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.detection import traffic
from benchmarks.detection.corpora import SHARED, TEST, TRAIN, TRAIN_GROUPS
from benchmarks.detection.training_logs import SHAPES, commands


def test_each_corpus_is_in_one_group() -> None:
    """The groups are the train side's corpora and those that both sides share, each once, and none of the test side's."""
    named = Counter(name for group in TRAIN_GROUPS for name in group)
    assert set(named) == {*TRAIN, *SHARED}
    assert set(named.values()) == {1}
    assert not set(named) & set(TEST)


def test_each_log_draws_on_one_group() -> None:
    """Every shape is written for each group, with its corpora only, wordings of group A, and a seed of its own."""
    options = [traffic.parse(words) for words in commands(Path("logs"), Path("corpora"))]
    assert len({o.seed for o in options}) == len({o.out for o in options}) == len(options) == 4 * len(SHAPES)
    for log in options:
        assert (log.side, log.frames) == ("train", "A")
        assert tuple(log.include_corpus) == TRAIN_GROUPS[int(log.out.name.rpartition("-")[2]) - 1]
