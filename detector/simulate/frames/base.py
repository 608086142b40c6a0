"""Frames: the constant words that a harvester puts around its changing material.

A frame is written once with alternatives, ``[[first|second]]``, so that one frame has many wordings. Slots: ``{x}`` the
material (a task, a question), ``{a}`` and ``{b}`` answers of a model, ``{t}`` a topic, ``{n}`` a small number.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

Words = str | tuple[str, str] | tuple[str, str, str]  # user; (system, user); (system, user, the turn after the answer)
Variants = dict[str, dict[str, Sequence[Words]]]  # variant -> frame group -> frames

GROUPS = ("A", "B")  # a detector fitted on campaigns of one group can be measured on those of the other
_CHOICE = re.compile(r"\[\[(.*?)\]\]", re.S)
_TRIES = 40  # to find one more wording of a frame before it counts as exhausted


@dataclass(frozen=True)
class Frame:
    """One wording of a frame."""

    user: str
    system: str | None = None
    after: str | None = None  # a second user turn, once the answer is there

    def fill(self, **slots: str) -> Frame:
        """The frame with its slots filled."""
        return Frame(_fill(self.user, slots), self.system and _fill(self.system, slots), self.after)


def _fill(text: str, slots: dict[str, str]) -> str:
    for name, value in slots.items():
        text = text.replace("{" + name + "}", value)
    return text


def reword(rng: random.Random, text: str) -> str:
    """The text with one alternative chosen everywhere."""
    return _CHOICE.sub(lambda match: rng.choice(match.group(1).split("|")), text)


def _frame(rng: random.Random, words: Words) -> Frame:
    if isinstance(words, str):
        return Frame(reword(rng, words))
    system, user, *after = (reword(rng, part) for part in words)
    return Frame(user, system or None, after[0] if after else None)


def wordings(rng: random.Random, frames: Sequence[Words], count: int) -> list[Frame]:
    """``count`` different wordings: of one frame while that has enough, of several frames beyond.

    A harvester who paraphrases starts from one template; about three wordings of each are used before the next.
    """
    order = rng.sample(list(frames), len(frames))
    chosen: dict[Frame, None] = {}
    per_frame = max(1, min(3, count))
    while len(chosen) < count:
        before = len(chosen)
        for words in order:
            wanted = min(count, len(chosen) + per_frame)
            for _ in range(_TRIES):
                if len(chosen) >= wanted:
                    break
                chosen.setdefault(_frame(rng, words))
        if len(chosen) == before:
            break  # every wording is in use
    return list(chosen)
