"""Scores of accounts: the account as a whole and its parts, the best of which counts.

A part is judged by its own signals beside those of the whole account. The shares of both in the log-odds are one reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from detector.campaigns import slice_profiles
from detector.parts import ATTRIBUTES, MIN_REQUESTS, WHOLE, parts
from detector.profiles import Profiles
from detector.scoring import Scorer
from detector.signals import SIGNALS, evaluate
from detector.told import Told, tell
from detector.view import View

FEATURES = (
    *(s.name for s in SIGNALS),
    *(f"by_{a}" for a in (*ATTRIBUTES, "whole")),
    "share",
    "log_requests",
    *(f"account_{s.name}" for s in SIGNALS),
)
"""Inputs of the account model: signals of the part, what sets it apart, its share and size, signals of the whole account."""

Exceptions = Mapping[str, Collection[str]]
"""Names of signals that do not count in an account's risk, by account id."""

CAMPAIGN = "campaign"  # being a member of one, which can be excepted like a signal

REQUESTS_AT_ONCE = 100_000  # whose parts are looked at together: bounds memory, as a request stands in several parts
UNKNOWN = -20.0  # log-odds of an account with fewer than MIN_REQUESTS requests: nothing can be known of it alone


@dataclass(frozen=True)
class Candidates:
    """Feature rows: each account as a whole, then all parts. ``x`` is float64 of shape (r, len(FEATURES))."""

    x: np.ndarray
    about: pl.DataFrame  # acct, group (of a part, else 0), attribute, requests


@dataclass(frozen=True)
class AccountScores:
    """The best candidate of each account, aligned to ``view``."""

    view: View
    log_odds: np.ndarray  # (m,)
    x: np.ndarray  # (m, len(FEATURES)) of the best candidate
    group: np.ndarray  # (m,) key of the part that is the best candidate, 0 where that is the whole
    attribute: np.ndarray  # (m,) position in ATTRIBUTES, or WHOLE
    requests: np.ndarray  # (m,) of the best candidate
    excepted: dict[int, list[int]]  # positions of the signals that do not count, by position of the account

    @property
    def values(self) -> np.ndarray:
        """Signals of the best candidate, of shape (m, len(SIGNALS))."""
        return self.x[:, : len(SIGNALS)]

    def told(self, rows: np.ndarray, scorer: Scorer) -> Told:
        """The signals' shares in the log-odds of some accounts, given by position, and the values that they come from."""
        told = told_of(self.x[rows], self.requests[rows], self.view.n[rows], scorer)
        for i, row in enumerate(rows):  # what does not count is no reason, for or against
            told.contributions[i, self.excepted.get(int(row), [])] = 0.0
        return told


def told_of(x: np.ndarray, requests: np.ndarray, all_requests: np.ndarray, scorer: Scorer) -> Told:
    """The same of candidates (m, len(FEATURES)), with their requests and those of the accounts that they are parts of or all of.

    A signal contributes what it adds of the candidate and of the whole account; told is the value of whichever adds more.
    """
    n = len(SIGNALS)
    shares = scorer.accounts.shares(x)
    of_whole = (np.abs(shares[:, -n:]) > np.abs(shares[:, :n])) & (requests < all_requests)[:, None]
    counted = np.where(of_whole, all_requests[:, None], requests[:, None])
    return tell(_of_signals(shares), np.where(of_whole, x[:, -n:], x[:, :n]), counted, scorer, of_whole)


def told_as_account(signals: np.ndarray, requests: np.ndarray, scorer: Scorer) -> Told:
    """What is told of groups, taken as accounts: ``signals`` of shape (m, len(SIGNALS)), ``requests`` of shape (m,)."""
    m = len(signals)
    x = _features(signals, np.full(m, WHOLE), np.ones(m), requests, signals)
    return tell(_of_signals(scorer.accounts.shares(x)), signals, requests[:, None], scorer)


def _of_signals(shares: np.ndarray) -> np.ndarray:
    """A signal's share is that of the part's and that of the whole account's."""
    n = len(SIGNALS)
    return shares[:, :n] + shares[:, -n:]


def candidates(profiles: Profiles, view: View | None = None, view_of: Callable[[Profiles], View] = View) -> Candidates:
    """Feature rows of all accounts and their parts; ``view_of`` makes the view of the parts."""
    view = view or View(profiles)
    own = evaluate(view)
    about = pl.DataFrame({"acct": view.acct, "requests": view.n}).select(
        "acct", pl.lit(0, pl.UInt64).alias("group"), pl.lit(WHOLE, pl.UInt8).alias("attribute"), "requests"
    )
    blocks = [_features(own, about["attribute"].to_numpy(), np.ones(len(own)), view.n, own)]
    abouts = [about]
    for span in _spans(view):
        rows = parts(profiles, view, span)
        if not len(rows):
            continue
        sliced = view_of(slice_profiles(rows.drop("attribute", "share")))
        sets = rows.group_by("group").agg(
            pl.col("acct", "attribute", "share").first(), pl.len().cast(pl.Float64).alias("requests")
        )
        sets = pl.DataFrame({"group": sliced.acct}).join(sets, on="group", how="left", maintain_order="left")
        of = np.searchsorted(view.acct.to_numpy(), sets["acct"].to_numpy())
        blocks.append(
            _features(
                evaluate(sliced),
                sets["attribute"].to_numpy(),
                sets["share"].to_numpy(),
                sets["requests"].to_numpy(),
                own[of],
            )
        )
        abouts.append(sets.select("acct", "group", "attribute", "requests"))
    return Candidates(np.vstack(blocks), pl.concat(abouts))


def _spans(view: View) -> Iterator[tuple[int, int]]:
    """First and last account of those whose parts are looked at together: of about REQUESTS_AT_ONCE requests."""
    accts = view.acct.to_numpy()
    turn = np.cumsum(view.n) // REQUESTS_AT_ONCE
    first = np.flatnonzero(np.diff(turn, prepend=-1))
    for low, high in zip(first, [*first[1:], len(accts)], strict=True):
        yield int(accts[low]), int(accts[high - 1])


def _features(
    signals: np.ndarray, attribute: np.ndarray, share: np.ndarray, requests: np.ndarray, own: np.ndarray
) -> np.ndarray:
    which = np.eye(len(ATTRIBUTES) + 1)[attribute]
    return np.hstack([signals, which, share[:, None], np.log(np.maximum(requests, 1))[:, None], own])


def score_accounts(
    profiles: Profiles, scorer: Scorer, view: View | None = None, exceptions: Exceptions | None = None
) -> AccountScores:
    """The score of each account, that of its best candidate; without the signals that people excepted."""
    view = view or View(profiles)
    return score_candidates(candidates(profiles, view), view, profiles, scorer, exceptions)


def score_candidates(
    found: Candidates, view: View, profiles: Profiles, scorer: Scorer, exceptions: Exceptions | None = None
) -> AccountScores:
    """The same of candidates that are known: ``found`` of the accounts of ``view``."""
    if exceptions:
        found = replace(found, x=without(found, exceptions, profiles, scorer))
    enough = found.about["requests"].to_numpy() >= MIN_REQUESTS
    log_odds = np.full(len(found.x), UNKNOWN)
    log_odds[enough] = scorer.accounts.predict(found.x[enough])
    best = best_of(found, log_odds)
    return AccountScores(
        view,
        log_odds[best],
        found.x[best],
        found.about["group"].to_numpy()[best],
        found.about["attribute"].to_numpy()[best],
        found.about["requests"].to_numpy()[best],
        dict(_excepted(view.acct, exceptions or {}, profiles)),
    )


def without(found: Candidates, exceptions: Exceptions, profiles: Profiles, scorer: Scorer) -> np.ndarray:
    """The feature rows as they would be if each excepted signal were that of an ordinary account: at most the honest median.

    The models are monotone, so that an exception never raises a score; all other signals are as they were.
    """
    x, n = found.x.copy(), len(SIGNALS)
    for row, columns in _excepted(found.about["acct"], exceptions, profiles):
        for column in columns:
            for at in (column, column - n):  # of the part, and of the whole account
                x[row, at] = min(x[row, at], scorer.ordinary[column])
    return x


def _excepted(accts: pl.Series, exceptions: Exceptions, profiles: Profiles) -> Iterator[tuple[int, list[int]]]:
    """Row by row of ``accts``, the columns of the signals that do not count."""
    if not exceptions:
        return
    names = pl.Series(list(exceptions), dtype=pl.String).implode()
    of = dict(profiles.accounts.filter(pl.col("account_id").is_in(names)).select("acct", "account_id").iter_rows())
    for row, acct in enumerate(accts):
        if acct in of:
            yield row, [j for j, s in enumerate(SIGNALS) if s.name in exceptions[of[acct]]]


def best_of(found: Candidates, log_odds: np.ndarray) -> np.ndarray:
    """Position of the candidate with the highest log-odds of each account, accounts in order of ``acct``."""
    table = found.about.select("acct", "group", pl.Series("log_odds", log_odds)).with_row_index("row")
    first = table.sort(["log_odds", "group"], descending=[True, False]).group_by("acct", maintain_order=True).first()
    return first.sort("acct")["row"].to_numpy()
