"""What a family of harvest is: a generator of work items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from detector.simulate.frames import FRAMES, Frame, wordings
from detector.simulate.texts import Prompt
from detector.simulate.world import Request, World

Item = list[Request]  # requests that belong together: one account sends them, one after the other
FIELD = 150  # texts of one field that a harvester works through, at least
PUBLISHED = "published"  # variant whose requests are those of a published pipeline, word for word


@dataclass
class Work:
    """What a campaign is after, and in which words."""

    world: World
    variant: str
    frames: list[Frame]
    published: list[Prompt]
    narrow: bool = False  # one field only, as far as the texts tell fields apart
    any_texts: bool = False  # any pools' texts instead of those that the family is known to be after

    def frame(self) -> Frame:
        """One of the wordings in use."""
        return self.world.rng.choice(self.frames)

    def walk(self, pool: Sequence[Any]) -> Iterator[Any]:
        """A corpus walked through once in random order, then again."""
        if self.any_texts and isinstance(pool[0], str) and pool is not self.world.texts.topics:
            pool = [text for some in self.world.rng.sample(self.world.texts.pools(), 2) for text in some]
        if self.narrow and isinstance(pool[0], str):
            pool = self.world.related(pool, FIELD)
        while True:
            yield from self.world.rng.sample(pool, len(pool))

    def ask(self, text: str, output: float, **slots: str) -> Request:
        """A request: one of the frames around the text."""
        return asked(self.frame().fill(x=text, n=str(self.world.rng.choice((3, 4, 5, 6, 8, 10, 12))), **slots), output)

    def answer(self, limit: int = 1200) -> str:
        """An answer that some model gave."""
        return self.world.rng.choice(self.world.material)[:limit]


Family = Callable[[Work], Iterator[Item]]
HARVESTS: dict[str, Family] = {}


def harvest(function: Family) -> Family:
    """Register a family by its function's name."""
    HARVESTS[function.__name__] = function
    return function


def asked(frame: Frame, output: float) -> Request:
    """A filled frame as a request."""
    return Request([frame.user], system=frame.system, output=output)


def variants(world: World, family: str) -> list[str]:
    """Variants of a family that the texts allow."""
    return [*FRAMES[family], *([PUBLISHED] if world.texts.harvests.get(family) else [])]


def start(
    world: World,
    family: str,
    variant: str | None,
    group: str,
    paraphrases: int,
    narrow: bool = False,
    any_texts: bool = False,
) -> tuple[str, Iterator[Item]]:
    """The variant (drawn if None) and its endless work.

    ``paraphrases`` wordings of frames of ``group`` are used; ``narrow`` keeps to texts of one field;
    ``any_texts`` takes them from any pools.
    """
    known = variants(world, family)
    variant = variant or world.rng.choice(known)
    if variant not in known:
        raise ValueError(f"{family} has no variant {variant!r}: choose one of {', '.join(known)}")
    frames = [] if variant == PUBLISHED else wordings(world.rng, FRAMES[family][variant][group], paraphrases)
    work = Work(world, variant, frames, world.texts.harvests.get(family, []), narrow, any_texts)
    return variant, _published(work) if variant == PUBLISHED else HARVESTS[family](work)


def _published(work: Work) -> Iterator[Item]:
    for prompt in work.walk(work.published):
        yield [Request([prompt.user], system=prompt.system, output=400)]
