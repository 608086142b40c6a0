"""What each signal adds to the others: the accounts where it is strong, and the flags that hang on it.

Each signal's state is turned in turn, a live one put into shadow and one in shadow made live, and everything is decided anew,
campaigns included. The difference is what a signal in shadow would add, and what would be lost without a live one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from detector.accounts import candidates, score_candidates
from detector.assess import final_scores
from detector.campaigns import discover
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.scoring import FLAG_AT
from detector.shadow import in_shadow
from detector.signals import SIGNALS
from detector.view import View

FOR = tuple(j for j, s in enumerate(SIGNALS) if s.direction == "for")
"""Positions of the signals that can be in shadow: the columns of an overlap."""


@dataclass(frozen=True)
class Overlap:
    """Bool of shape (m,) and (m, len(FOR)): accounts in the order of ``accounts``."""

    accounts: list[str]
    requests: np.ndarray  # (m,)
    strong: np.ndarray  # where each signal is strong
    flagged: np.ndarray  # as things are
    turned: np.ndarray  # flagged if this one signal were in the other state

    @property
    def shared(self) -> np.ndarray:
        """Jaccard similarity of the sets of accounts where two signals are strong: (k, k), nought where both are empty."""
        strong = self.strong.astype(float)
        both = strong.T @ strong
        size = strong.sum(axis=0)
        either = size[:, None] + size[None] - both
        return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def overlap(
    profiles: Profiles,
    detector: Detector,
    shadow: Collection[str] = (),
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Overlap:
    """Decide on all accounts with the signals of ``shadow`` in shadow, and again with each signal's state turned.

    ``detector`` has none in shadow; ``step`` hears how many of these decisions are done.
    """
    view = View(profiles)
    found = candidates(profiles, view)
    groups = discover(profiles, detector.known_frames)
    names = [SIGNALS[j].name for j in FOR]

    def flagged(muted: Collection[str]) -> np.ndarray:
        scorer = in_shadow(detector.scorer, muted)
        own = score_candidates(found, view, profiles, scorer)
        return scorer.risk(final_scores(profiles, own, scorer, candidates=groups)) > FLAG_AT

    now, turned = flagged(shadow), []
    for i, name in enumerate(names):
        step(i + 1, len(names) + 1)
        turned.append(flagged(set(shadow) ^ {name}))
    best = score_candidates(found, view, profiles, detector.scorer)  # the part that decides when all count
    strong = detector.scorer.strong(best.values, best.requests)[:, list(FOR)]
    ids = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    return Overlap([ids[a] for a in view.acct], view.n, strong, now, np.column_stack(turned))
