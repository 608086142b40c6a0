"""Signals in shadow: computed as ever, but without any say, for everybody.

So a new signal, or one that is doubted, can be watched beside those that decide.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import msgspec

from detector import accounts, members, ties
from detector.scoring import Scorer
from detector.signals import SIGNALS
from detector.trees import Trees, at_most

OF_WHOLE = "account_"  # begins the name of a signal of the whole account, which stands beside that of its part


def in_shadow(scorer: Scorer, names: Collection[str]) -> Scorer:
    """The scorer for which the named signals do not count: neither in an account's own score, nor of its group, nor as a
    member, nor in flag times and reasons.

    The rule is that of an exception (:func:`detector.accounts.without`): the value counts as at most the honest median. The
    models are monotone in every signal, so that none of them gives anybody a higher score, and the thresholds, which honest
    accounts' scores with all signals set, keep the stated share of false flags or stay below it. (An account may be put into
    another group than before, where its own falls apart.)

    Raises ValueError for what is no signal, and for signals that speak against harvesting: without one, everybody's
    risk would rise, beyond what the thresholds were set for.
    """
    check(names)
    ordinary = {s.name: float(scorer.ordinary[j]) for j, s in enumerate(SIGNALS) if s.name in names}

    def muted(trees: Trees, features: Sequence[str]) -> Trees:
        signals = enumerate(f.removeprefix(OF_WHOLE) for f in features)
        return at_most(trees, {i: ordinary[name] for i, name in signals if name in ordinary})

    weights = msgspec.structs.replace(
        scorer.weights,
        accounts=muted(scorer.weights.accounts, accounts.FEATURES),
        campaigns=muted(scorer.weights.campaigns, ties.FEATURES),
        members=muted(scorer.weights.members, members.FEATURES),
    )
    return replace(scorer, weights=weights, shadow=scorer.shadow | set(names))


def check(names: Collection[str]) -> None:
    """Raise ValueError unless all of these are signals that may be in shadow."""
    directions = {s.name: s.direction for s in SIGNALS}
    for name in names:
        if name not in directions:
            raise ValueError(f"there is no signal {name!r}: the signals are {', '.join(directions)}")
        if directions[name] == "against":
            raise ValueError(
                f"{name} speaks against harvesting: without it more honest accounts would be flagged than the thresholds allow for"
            )
