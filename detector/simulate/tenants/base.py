"""What a kind of customer is: a function that adds one tenant's traffic and labels to the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from detector.event import Params
from detector.simulate.frames import reword
from detector.simulate.identities import Habit, Owner
from detector.simulate.world import World

Tenant = Callable[[World, float], None]  # (world, size factor)
TENANTS: dict[str, Tenant] = {}
LOOKALIKES: set[str] = set()


def tenant(lookalike: bool = True) -> Callable[[Tenant], Tenant]:
    """Register a kind of customer by its function's name."""

    def register(function: Tenant) -> Tenant:
        TENANTS[function.__name__] = function
        if lookalike:
            LOOKALIKES.add(function.__name__)
        return function

    return register


def new(w: World, kind: str, habit: Habit = "program", like: Owner | None = None) -> Owner:
    """A labelled account; ``like`` makes it a colleague's."""
    owner = w.people.colleague(like) if like else w.people.owner(habit)
    w.label(owner, kind, lookalike=kind in LOOKALIKES)
    return owner


def some(w: World, low: float, high: float, size: float) -> int:
    """A number between the two, times the tenant's size."""
    return max(3, int(w.rng.uniform(low, high) * size))


def pick(w: World, wordings: Sequence[str]) -> str:
    """One of the wordings, its alternatives chosen."""
    return reword(w.rng, w.rng.choice(wordings))


def fixed(w: World, owner: Owner, temperature: float | None, *limits: int | None) -> Params:
    """Settings of a program that sets them, on top of the owner's; most do, with one of these limits."""
    if w.rng.random() < 0.2:
        return owner.params
    return Params(temperature=temperature, max_tokens=w.rng.choice(limits) if limits else None)
