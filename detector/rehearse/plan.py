"""Which campaigns are rehearsed, and how many of them are planted at once."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec

from detector.simulate import FRAMES, HARVESTS, Campaign
from detector.simulate.campaign import MAX_COVER, Pace

ACCOUNTS = (1, 5, 25, 100)
COVERS = (0.0, 0.5, 0.8)
PARAPHRASES = (1,)
REPEATS = 3
LOUD = 200  # requests of a single account; n accounts send LOUD / sqrt(n) each, as more accounts are there to send less
FEWEST = 8  # requests of an account: of fewer the detector says nothing
BUDGET = 500_000  # planted requests in all: minutes on two cores; the passes that do not fit are left out
MAX_SHARE = 0.2
"""Share of accounts, and of requests, that may be planted at a time. The detector judges by what is rare among all accounts,
so planted ones must stay few beside the log's own: otherwise they would be the population that they are compared with."""
MAX_ALONE = (
    1 / 3
)  # share of a single campaign that is too large for the above; a still larger one says nothing of this log
WORDINGS = "B"  # frames on which nothing shipped was fitted

Identity = Literal["shared", "partly", "unshared"]
IDENTITIES: tuple[Identity, ...] = get_args(Identity)
PACES: tuple[Pace, ...] = get_args(Pace)


class Shape(msgspec.Struct, frozen=True, order=True, kw_only=True):
    """What is fixed of a campaign; all else is drawn anew for each repeat."""

    family: str
    accounts: int
    requests: int  # of each account, cover included
    cover: float  # share of them that imitates an ordinary user
    paraphrases: int

    @property
    def size(self) -> int:
        """Requests in all."""
        return self.accounts * self.requests

    @property
    def harvest(self) -> int:
        """Requests that harvest."""
        return self.accounts * Campaign(self.family, requests=self.requests, cover=self.cover).harvested


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The grid of shapes, and how it is rehearsed."""

    families: Sequence[str] = tuple(HARVESTS)
    accounts: Sequence[int] = ACCOUNTS
    requests: Sequence[int] = ()  # of each account; empty: by the number of accounts, see LOUD
    covers: Sequence[float] = COVERS
    paraphrases: Sequence[int] = PARAPHRASES
    identity: Identity = "unshared"  # whether the accounts share network and payment beside the work
    repeats: int = REPEATS
    budget: int = BUDGET
    seed: int = 1

    def check(self) -> None:
        """Raise ValueError, with what to do, where the plan makes no sense."""
        if unknown := [f for f in self.families if f not in HARVESTS]:
            raise ValueError(f"unknown family {', '.join(unknown)}: choose among {', '.join(HARVESTS)}")
        if self.repeats < 1:
            raise ValueError("at least one repeat is needed")
        for name in ("families", "accounts", "covers", "paraphrases"):
            if not getattr(self, name):
                raise ValueError(f"the grid is empty: give at least one value for {name}")
        if wrong := [c for c in self.covers if not 0 <= c <= MAX_COVER]:
            raise ValueError(f"cover {wrong[0]:g}: the share of ordinary traffic lies between 0 and {MAX_COVER}")
        for shape in self.shapes():
            draw(shape, self, 0).check()
        if (needed := sum(s.size for s in self.shapes())) > self.budget:
            raise ValueError(
                f"one pass over the grid plants {needed:,} requests, more than the budget of {self.budget:,}: "
                "name fewer families, accounts, requests or covers, or raise the budget"
            )

    def shapes(self) -> list[Shape]:
        """All shapes, each once."""
        return sorted({
            Shape(family=f, accounts=a, requests=r, cover=c, paraphrases=p)
            for f in self.families
            for a in self.accounts
            for r in self.requests or (typical_requests(a),)
            for c in self.covers
            for p in self.paraphrases
        })  # fmt: skip


def typical_requests(accounts: int) -> int:
    """Requests of each of so many accounts: 200 of one, 40 of each of 25, 20 of each of 100."""
    return max(FEWEST, round(LOUD / math.sqrt(accounts))) if accounts > 0 else FEWEST


def draw(shape: Shape, plan: Plan, repeat: int) -> Campaign:
    """A campaign of a shape. The repeats take the family's variants and the paces in turn, in an order drawn by the seed.

    All shapes of a family get the same in the same repeat, so that they differ by nothing but their shape.
    """
    rng = random.Random(f"{plan.seed}/{shape.family}")
    variants = rng.sample(list(FRAMES[shape.family]), len(FRAMES[shape.family]))
    paces = rng.sample(PACES, len(PACES))
    return Campaign(
        shape.family,
        variants[repeat % len(variants)],
        accounts=shape.accounts,
        requests=shape.requests,
        cover=shape.cover,
        paraphrases=shape.paraphrases,
        frames=WORDINGS,
        network=plan.identity,
        payment=plan.identity,
        aged=(rng.randrange(2) + repeat) % 2 == 1,
        pace=paces[repeat % len(paces)],
    )


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign to be planted."""

    shape: Shape
    repeat: int

    @property
    def seed(self) -> str:
        """Names the trial; no two trials of a plan have the same."""
        return f"{self.shape}/{self.repeat}"


def fits(shape: Shape, accounts: int, events: int, share: float) -> bool:
    """True where a shape is at most ``share`` of a log that it is added to."""
    return shape.accounts <= share * (accounts + shape.accounts) and shape.size <= share * (events + shape.size)


def rounds(trials: Iterable[Trial], accounts: int, events: int) -> list[list[Trial]]:
    """Trials that are planted together, for a log of so many accounts and events.

    In a round every family comes once at most, as campaigns of one family may use the same words and would be taken for
    one; and all of them are at most MAX_SHARE of accounts and events, but for a campaign that is larger by itself. First
    fit, largest first.
    """
    room = (MAX_SHARE / (1 - MAX_SHARE) * accounts, MAX_SHARE / (1 - MAX_SHARE) * events)
    packed: list[list[Trial]] = []
    used: list[tuple[int, int, set[str]]] = []
    for trial in sorted(trials, key=lambda t: (-t.shape.accounts, -t.shape.size, t.repeat, t.shape)):
        shape = trial.shape
        for i, (n, size, families) in enumerate(used):
            if shape.family not in families and n + shape.accounts <= room[0] and size + shape.size <= room[1]:
                packed[i].append(trial)
                used[i] = (n + shape.accounts, size + shape.size, families | {shape.family})
                break
        else:
            packed.append([trial])
            used.append((shape.accounts, shape.size, {shape.family}))
    return packed
