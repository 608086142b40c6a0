"""From signal values to log-odds, and from log-odds to a verdict with a stated error rate.

Three models, each gradient-boosted trees shipped as plain arrays (``assets/scoring.json``), fitted by
``python -m benchmarks.detection.train_scoring``: of accounts and their parts, of groups, and of a group's members. They are
monotone: more evidence *for* never lowers the risk, more evidence *against* never raises it, whatever the rest says. A
reason's contribution is the signal's share in the log-odds.

A verdict comes from the conformal p-value of an account's score among honest accounts of its segment (Vovk et al. 2005):
the share of honest accounts that may be flagged is what the operator sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from scipy.special import expit
from scipy.stats import betabinom, false_discovery_control

from detector.signals import SIGNALS
from detector.trees import TreeModel, Trees

DEFAULT = Path(__file__).parent / "assets" / "scoring.json"

FLAG_AT = 0.5  # risk from which an account is flagged: the scale is centred on the threshold of its segment
WATCH_AT = 0.2  # risk from which an account is watched
MIN_GAP = 0.05  # log-odds between the two thresholds, at least: keeps the scale finite
MAX_FALSE_FLAGS = 0.001  # share of honest accounts that may be flagged, unless the operator says otherwise
MAX_SHARE = 0.1  # of honest accounts that may be flagged or watched, at most: beyond it nothing is known of the scores
DRAWS = 4000  # of the number of false flags, for its bounds
WATCH = 10  # times as many may be watched
TAIL = 500  # highest scores of honest accounts that are kept of each segment: enough for shares up to about a tenth
SEGMENTS: tuple[int | None, ...] = (20, 150, None)  # requests up to which an account is small, middling, large: little
# is known of few requests, and the scores of honest accounts spread accordingly
MIN_PEERS = 50  # ordinary accounts of a segment from which a percentile is one among them; with fewer it is among all
STRONG = 0.99  # share of ordinary accounts of its size that have less, from which a signal is strong in an account:
# of the 200 quantiles that are kept of them the last but two, beyond which single accounts decide
ORDINARY = "ordinary accounts"
INTERVAL = 0.95  # probability that the number of false flags lies within the stated bounds


class Segment(msgspec.Struct):
    """Scores of honest accounts with at most ``up_to`` requests (None: any number).

    ``population`` holds each signal's quantiles over them; empty where they are not known, or too few.
    """

    up_to: int | None
    accounts: int
    tail: list[float]  # the highest scores, highest first
    population: dict[str, list[float]] = {}


class Weights(msgspec.Struct):
    """Everything the scorer has learnt. ``population`` holds each signal's quantiles over all honest accounts."""

    version: str
    signals: list[str]  # names of the signals, in order
    accounts: Trees  # of detector.accounts.FEATURES
    campaigns: Trees  # of detector.ties.FEATURES
    members: Trees  # of detector.members.FEATURES
    population: dict[str, list[float]]
    segments: list[Segment]
    member_shift: float = (
        0.0  # brings the members' log-odds to the accounts' scale: equal shares of honest accounts beyond
    )
    max_false_flags: float = MAX_FALSE_FLAGS


@dataclass(frozen=True)
class Scorer:
    """The three models and the error rates. Signals in ``shadow`` do not count: see :func:`detector.shadow.in_shadow`."""

    weights: Weights
    shadow: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path = DEFAULT) -> Scorer:
        """Read weights from JSON. Raises msgspec.ValidationError on anything else, ValueError for other signals than these."""
        weights = msgspec.json.decode(path.read_bytes(), type=Weights)
        if weights.signals != [s.name for s in SIGNALS]:
            raise ValueError(f"{path} was fitted on other signals: fit it again, or calibrate with this version")
        return cls(weights)

    def with_max_false_flags(self, share: float) -> Scorer:
        """The scorer that flags at most ``share`` of honest accounts. Raises ValueError outside (0, 0.1]."""
        if not 0 < share <= MAX_SHARE:
            raise ValueError(
                f"the share of honest accounts that may be flagged lies above 0 and up to {MAX_SHARE}, e.g. 0.001"
            )
        return replace(self, weights=msgspec.structs.replace(self.weights, max_false_flags=share))

    @cached_property
    def accounts(self) -> TreeModel:
        """Model of accounts and their parts."""
        return TreeModel(self.weights.accounts)

    @cached_property
    def campaigns(self) -> TreeModel:
        """Model of groups."""
        return TreeModel(self.weights.campaigns)

    @cached_property
    def members(self) -> TreeModel:
        """Model of a group's members."""
        return TreeModel(self.weights.members)

    @cached_property
    def ordinary(self) -> np.ndarray:
        """Each signal's median over honest accounts, what one that does not count is at most: float64 of shape (len(SIGNALS),)."""
        return np.array([np.median(self.weights.population.get(s.name) or [0.0]) for s in SIGNALS])

    def segment(self, requests: np.ndarray) -> np.ndarray:
        """Position of each account's segment, by its number of requests."""
        return segment_at([s.up_to for s in self.weights.segments], requests)

    def p_values(self, scores: np.ndarray, requests: np.ndarray) -> np.ndarray:
        """Share of honest accounts of the same segment that score at least as high, with the account itself counted among them."""
        out = np.ones(len(scores))
        at = self.segment(requests)
        for i, segment in enumerate(self.weights.segments):
            mine = at == i
            tail = np.array(segment.tail[::-1])
            above = len(tail) - np.searchsorted(tail, scores[mine], side="left")
            p = (above + 1) / (segment.accounts + 1)
            below_tail = (above == len(tail)) & (len(tail) < segment.accounts)  # only "no less than" is known
            out[mine] = np.where(below_tail, 1.0, p)
        return out

    def threshold(self, share: float) -> float:
        """Score that at most ``share`` of honest accounts, those of all segments together, exceed; infinite where too few are known.

        With n honest accounts the r-th highest score, r = floor((n + 1) share), is exceeded by a new honest account with
        probability r / (n + 1) (Vovk et al. 2005).
        """
        scores = np.sort(np.concatenate([s.tail for s in self.weights.segments] or [[]]))[::-1]
        accounts = sum(s.accounts for s in self.weights.segments)
        rank = min(int(np.floor((accounts + 1) * share)), len(scores))
        return float(scores[rank - 1]) if rank else float("inf")

    @cached_property
    def cuts(self) -> tuple[float, float]:
        """Scores from which an account is flagged, and watched."""
        share = self.weights.max_false_flags
        return self.threshold(share), self.threshold(min(share * WATCH, MAX_SHARE))

    def risk(self, scores: np.ndarray) -> np.ndarray:
        """Risk in [0, 1], monotone in the score: FLAG_AT and WATCH_AT exactly at the two thresholds."""
        flag, watch = self.cuts
        if not np.isfinite(flag):  # too few honest accounts are known to promise the share: nothing is flagged
            return np.zeros(len(scores))
        above = scores - flag
        below = above / max(flag - watch, MIN_GAP) * -logit(WATCH_AT)
        return expit(np.clip(np.where(above >= 0, above, below), -30, 30))

    def verdicts(self, risk: np.ndarray) -> np.ndarray:
        """2 flag, 1 watch, 0 clear."""
        return np.where(risk > FLAG_AT, 2, np.where(risk > WATCH_AT, 1, 0))

    def expected_false_flags(self, requests: np.ndarray) -> tuple[float, float, float]:
        """Expected number of flags among so many honest accounts, and its bounds with probability INTERVAL.

        Of m new scores the number beyond the r-th highest of n exchangeable ones is beta-binomial, in each segment.
        ``requests`` are those of the accounts taken for honest.
        """
        counts = np.bincount(self.segment(requests), minlength=len(self.weights.segments))
        rng = np.random.default_rng(7)
        draws, mean = np.zeros(DRAWS), 0.0
        honest = max(sum(s.accounts for s in self.weights.segments), 1)
        for count, segment in zip(counts, self.weights.segments, strict=True):
            beyond = float((np.array(segment.tail) > self.cuts[0]).sum())
            rank = beyond + segment.accounts / honest  # the account at the threshold itself is of any segment
            if not count or not rank:
                continue
            law = betabinom(int(count), rank, segment.accounts + 1 - rank)
            mean += float(law.mean())
            draws += law.rvs(size=DRAWS, random_state=rng)
        tail = (1 - INTERVAL) / 2
        return mean, float(np.quantile(draws, tail)), float(np.quantile(draws, 1 - tail))

    def peers(self, requests: float) -> Peers:
        """The ordinary accounts that one of so many requests is compared with."""
        if self.weights.segments:
            at = int(self.segment(np.array([requests]))[0])
            if population := self.weights.segments[at].population:
                before = self.weights.segments[at - 1].up_to if at else None
                return Peers(population, words_of(before, self.weights.segments[at].up_to))
        return Peers(self.weights.population, ORDINARY)

    def percentiles(self, values: np.ndarray, requests: np.ndarray) -> np.ndarray:
        """Share of the ordinary accounts of its size that have a lower value of each signal: float64, as ``values`` of shape
        (m, len(SIGNALS)); ``requests`` (m, len(SIGNALS)) or (m, 1) are those that each value was counted in."""
        at = np.broadcast_to(self.segment(requests), values.shape)
        out = np.zeros(values.shape)
        for segment in np.unique(at):
            size = float(np.broadcast_to(requests, values.shape)[at == segment][0])
            out = np.where(at == segment, self.peers(size).percentiles(values), out)
        return out

    def strong(self, values: np.ndarray, requests: np.ndarray) -> np.ndarray:
        """Where accounts have more of a signal than nearly all ordinary ones of their size: bool, as ``values`` of shape (m, len(SIGNALS))."""
        return self.percentiles(values, requests[:, None]) >= STRONG


@dataclass(frozen=True)
class Peers:
    """Ordinary accounts: each signal's quantiles over them, and the words for them."""

    population: dict[str, list[float]]
    words: str

    def percentiles(self, values: np.ndarray) -> np.ndarray:
        """Share of them that has a lower value of each signal: both float64 of shape (..., len(SIGNALS))."""
        out = np.full(values.shape, 0.5)
        for j, signal in enumerate(SIGNALS):
            if grid := self.population.get(signal.name):
                out[..., j] = np.searchsorted(grid, values[..., j], side="left") / len(grid)
        return out


def words_of(above: int | None, up_to: int | None) -> str:
    """Ordinary accounts of a size in words."""
    if up_to is None:
        return ORDINARY if above is None else f"{ORDINARY} of more than {above} requests"
    return (
        f"{ORDINARY} of {above + 1} to {up_to} requests"
        if above is not None
        else f"{ORDINARY} of up to {up_to} requests"
    )


def segment_at(bounds: Sequence[int | None], requests: np.ndarray) -> np.ndarray:
    """Position of the segment of each number of requests; the last segment has no bound."""
    return np.searchsorted(np.array(bounds[:-1], float), np.asarray(requests, float), side="left")


def segments_of(scores: np.ndarray, requests: np.ndarray) -> list[Segment]:
    """Honest accounts' scores by segment; float64 of shape (n,) each."""
    at = segment_at(SEGMENTS, requests)
    return [_segment(up_to, scores[at == i]) for i, up_to in enumerate(SEGMENTS)]


def _segment(up_to: int | None, scores: np.ndarray) -> Segment:
    tail = np.sort(scores)[::-1][:TAIL]
    return Segment(up_to, len(scores), [round(float(x), 4) for x in tail])


def false_discovery(p_values: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Expected share of false flags, if an account and all of its segment with a lower p-value are flagged.

    Benjamini & Hochberg 1995, in each segment by itself; float64 of shape (n,).
    """
    out = np.ones(len(p_values))
    for segment in np.unique(segments):
        mine = segments == segment
        out[mine] = false_discovery_control(p_values[mine], method="bh")
    return out


def logit(p: float) -> float:
    """Log-odds of a probability strictly between 0 and 1."""
    return float(np.log(p / (1 - p)))
