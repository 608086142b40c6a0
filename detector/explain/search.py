"""Searches for the smallest change that turns a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import msgspec
import numpy as np

from detector.accounts import FEATURES
from detector.assessment import Verdict
from detector.explain.case import Case, verdict_of
from detector.signals import SIGNALS, SIGNS

EXHAUSTIVE = 3  # signals up to which every set is tried; beyond, a set from which none can be left out
BATCH = 1024  # sets scored at once; bounds memory
LEVELS = (
    0.5,
    0.75,
    0.9,
    0.95,
    0.99,
    1.0,
)  # of the ordinary population, at which pairs of signals are tried; 1: beyond it
MIN_STEP = 0.01  # of the range in which a signal matters: a smaller change would be told as "0.5 to 0.5"
SHOWN = 3  # ways to a flag that are told


class Setting(msgspec.Struct, kw_only=True):
    """One signal, from what it is to what it would have to be, in the signal's own unit."""

    signal: str
    title: str
    unit: str
    value: float
    target: float
    beyond: float  # share of ordinary accounts that do not go as far as the target, in the direction of the change


class Change(msgspec.Struct, kw_only=True):
    """Signals that would together turn the verdict, and what the risk would be."""

    settings: list[Setting]
    risk: float
    verdict: Verdict
    smallest: bool = True  # False where a smaller set was not ruled out


def below(case: Case, threshold: float) -> Change | None:
    """The smallest set of signals that, at the ordinary median, bring the risk under ``threshold``.

    Of sets of equal size the one with the lowest risk. None where even all of them do not.
    """
    medians = np.array([_quantile(case, j, 0.5) for j in range(len(SIGNALS))])
    line = case.line(threshold)

    def odds(sets: np.ndarray) -> np.ndarray:
        return case.log_odds(case.moved(sets, np.broadcast_to(medians, sets.shape), -1))

    movable = [int(j) for j in np.flatnonzero(((case.values - medians) * SIGNS > 0).any(axis=0))]
    if odds(_sets([tuple(movable)]))[0] >= line:
        return None
    for size in range(1, min(EXHAUSTIVE, len(movable)) + 1):
        best = min(
            (
                (float(o), tuple(s))
                for batch in _batches(movable, size)
                for o, s in zip(odds(_sets(batch)), batch, strict=True)
            ),
        )
        if best[0] < line:
            return _change(case, best[1], medians, best[0], True, _from(case, medians))
    chosen: list[int] = []
    while odds(_sets([tuple(chosen)]))[0] >= line:
        rest = [j for j in movable if j not in chosen]
        chosen.append(rest[int(odds(_sets([(*chosen, j) for j in rest])).argmin())])
    for j in list(chosen):  # a later one may have made an earlier one needless
        without = tuple(k for k in chosen if k != j)
        if odds(_sets([without]))[0] < line:
            chosen.remove(j)
    return _change(case, tuple(chosen), medians, float(odds(_sets([tuple(chosen)]))[0]), False, _from(case, medians))


def above(case: Case, threshold: float) -> list[Change]:
    """Ways to bring the risk up to ``threshold``, the least unusual first: single signals, else one pair of them.

    A single signal gets the least value that does, which is one at which a tree decides otherwise; a pair the lowest level of
    LEVELS of the ordinary population at which both together do.
    """
    line = case.line(threshold)
    found: list[tuple[float, Change]] = []
    for j in range(len(SIGNALS)):
        steps = _steps(case, j)
        if not len(steps):
            continue
        sets, targets = np.zeros((len(steps), len(SIGNALS)), bool), np.zeros((len(steps), len(SIGNALS)))
        sets[:, j], targets[:, j] = True, steps
        odds = case.log_odds(case.moved(sets, targets, 1))
        if (odds >= line).any():
            first = int((odds >= line).argmax())
            change = _change(case, (j,), targets[first], float(odds[first]), True)
            found.append((change.settings[0].beyond, change))
    if found:
        return [change for _, change in sorted(found, key=lambda f: (f[0], -f[1].risk))[:SHOWN]]
    pair = _pair(case, line)
    return [pair] if pair else []


def closest(case: Case) -> Change | None:
    """The one signal that could raise the risk most by itself, at its utmost."""
    utmost = _utmost(case)
    sets = np.eye(len(SIGNALS), dtype=bool)
    odds = case.log_odds(case.moved(sets, np.broadcast_to(utmost, sets.shape), 1))
    j = int(odds.argmax())
    if odds[j] <= case.log_odds(case.values[None])[0]:
        return None
    return _change(case, (j,), utmost, float(odds[j]), True)


def _pair(case: Case, line: float) -> Change | None:
    pairs = list(combinations(range(len(SIGNALS)), 2))
    sets = _sets(pairs)
    utmost = _utmost(case)
    for level in LEVELS:
        ordinary = np.array([_quantile(case, j, level if SIGNS[j] > 0 else 1 - level) for j in range(len(SIGNALS))])
        targets = utmost if level == 1.0 else ordinary
        odds = case.log_odds(case.moved(sets, np.broadcast_to(targets, sets.shape), 1))
        best = int(odds.argmax())
        if odds[best] >= line:
            return _change(case, pairs[best], targets, float(odds[best]), True)
    return None


def _steps(case: Case, j: int) -> np.ndarray:
    """Values visibly beyond the account's own at which a tree decides otherwise, the nearest first; more risk with each."""
    model = case.scorer.accounts
    splits = (model.feature == j) | (model.feature == len(FEATURES) - len(SIGNALS) + j)
    edges = np.unique(model.threshold[splits])
    least = MIN_STEP * np.ptp(edges) if len(edges) else 0.0
    if SIGNS[j] > 0:
        beyond = np.nextafter(edges, np.inf)
        return beyond[beyond > case.values[0, j] + least]
    return edges[edges < case.values[0, j] - least][::-1]


def _utmost(case: Case) -> np.ndarray:
    """The value of each signal beyond which nothing more changes."""
    own = case.values[0]
    return np.array([steps[-1] if len(steps := _steps(case, j)) else own[j] for j in range(len(SIGNALS))])


def _quantile(case: Case, j: int, level: float) -> float:
    """A quantile of the ordinary population; the account's own value where none is known."""
    grid = case.scorer.weights.population.get(SIGNALS[j].name)
    return float(grid[round(level * (len(grid) - 1))]) if grid else float(case.values[0, j])


def _beyond(case: Case, j: int, own: float, goal: float) -> float:
    """Share of ordinary accounts whose value lies short of the goal, seen from the account's own; one half where none is known."""
    grid = np.array(case.scorer.weights.population.get(SIGNALS[j].name) or [])
    if not len(grid):
        return 0.5
    return float((grid < goal).mean() if goal >= own else (grid > goal).mean())


def _sets(chosen: Sequence[tuple[int, ...]]) -> np.ndarray:
    sets = np.zeros((len(chosen), len(SIGNALS)), bool)
    for row, members in zip(sets, chosen, strict=True):
        row[list(members)] = True
    return sets


def _batches(movable: Sequence[int], size: int) -> Iterator[list[tuple[int, ...]]]:
    every = list(combinations(movable, size))
    yield from (every[i : i + BATCH] for i in range(0, len(every), BATCH))


def _from(case: Case, medians: np.ndarray) -> np.ndarray:
    """The values that a change to the medians starts from: as they are told, or the farthest of any part where that is beside it."""
    farthest = (case.values * SIGNS).max(axis=0) * SIGNS
    return np.where((case.told - medians) * SIGNS > 0, case.told, farthest)


def _change(
    case: Case,
    chosen: tuple[int, ...],
    targets: np.ndarray,
    log_odds: float,
    smallest: bool,
    own: np.ndarray | None = None,
) -> Change:
    """In words the change is one from ``own`` values, those of the whole account unless said otherwise."""
    own, goal = case.values[0] if own is None else own, np.array(targets, float)
    risk = case.risk_of(log_odds)
    settings = [
        Setting(
            signal=SIGNALS[j].name,
            title=SIGNALS[j].title,
            unit=SIGNALS[j].unit,
            value=float(SIGNALS[j].display(SIGNALS[j].counted(float(own[j]), int(case.requests)))),
            target=float(SIGNALS[j].display(SIGNALS[j].counted(float(goal[j]), int(case.requests)))),
            beyond=_beyond(case, j, float(own[j]), float(goal[j])),
        )
        for j in chosen
    ]
    return Change(settings=settings, risk=risk, verdict=verdict_of(risk, case.scorer), smallest=smallest)
