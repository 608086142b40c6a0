"""Frames: many, in groups that share nothing, with as many wordings as are asked for."""

from __future__ import annotations

import random

import pytest

from detector.simulate import FRAMES, GROUPS, HARVESTS
from detector.simulate.frames import Frame, reword, wordings

THIN = {"{x}", "('', '')", "('You are a helpful assistant.', '{x}')"}  # no frame at all: these say nothing of a group


def _all(family: str, group: str) -> set[str]:
    return {str(words) for groups in FRAMES[family].values() for words in groups[group]}


@pytest.mark.parametrize("family", HARVESTS)
def test_every_family_has_many_frames_in_separate_groups(family: str) -> None:
    """At least fifteen frames a family, in at least two variants, and none is in two groups unless it says nothing."""
    assert len(FRAMES[family]) >= 2
    assert all(set(groups) == set(GROUPS) and all(groups.values()) for groups in FRAMES[family].values())
    first, second = (_all(family, g) for g in GROUPS)
    assert sum(len(groups[g]) for groups in FRAMES[family].values() for g in GROUPS) >= 15
    assert first & second <= THIN


def test_wordings_are_distinct_and_as_many_as_asked() -> None:
    """One wording is one frame; several are all different; more than there are end without hanging."""
    frames = FRAMES["reasoning"]["steps"]["A"]
    for count in (1, 2, 5, 12):
        found = wordings(random.Random(3), frames, count)
        assert len(found) == len(set(found)) == count
    assert len(wordings(random.Random(3), ["only {x}"], 9)) == 1


def test_all_alternatives_and_slots_are_filled() -> None:
    """No wording of any frame keeps a choice mark, and a filled frame keeps no slot."""
    rng = random.Random(1)
    slots = dict.fromkeys(("x", "y", "z", "a", "b", "d", "t", "n", "p"), "word")
    for variants in FRAMES.values():
        for groups in variants.values():
            for frames in groups.values():
                for frame in wordings(rng, frames, 3 * len(frames)):
                    filled = frame.fill(**slots)
                    for text in (filled.user, filled.system or "", filled.after or ""):
                        assert "[[" not in text
                        assert not any("{" + slot + "}" in text for slot in slots)


def test_filling_takes_texts_as_they_are() -> None:
    """A text with braces or choice marks in it goes into the slot unchanged."""
    hostile = "{a} [[b|c]] {0} %s"
    assert Frame("[{x}]").fill(x=hostile).user == f"[{hostile}]"


def test_rewording_chooses_one() -> None:
    """Each alternative is chosen at times."""
    rng = random.Random(5)
    assert {reword(rng, "a [[b|c]] d") for _ in range(40)} == {"a b d", "a c d"}
