"""Assessment: from profiles to findings on accounts and campaigns."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import polars as pl

from detector.accounts import CAMPAIGN, UNKNOWN, AccountScores, Exceptions, score_accounts
from detector.assessment import AccountFinding, Assessment, CampaignFinding
from detector.campaigns import MIN_MEMBERS, CandidateGroups
from detector.features import microseconds
from detector.findings import account_findings
from detector.flagtime import account_flag_times
from detector.grouping import Campaigns, assess_campaigns, place
from detector.profiles import Profiles
from detector.regrouping import Constraint
from detector.scoring import FLAG_AT, WATCH_AT, Scorer, false_discovery


def assess(
    profiles: Profiles,
    scorer: Scorer,
    known_frames: pl.Series | None = None,
    exceptions: Exceptions | None = None,
    constraints: Collection[Constraint] = (),
) -> Assessment:
    """Findings on every account and campaign. Evidence is attached where the verdict is not ``clear``.

    ``exceptions`` name signals that do not count in an account's risk, or ``campaign``: then it is in none.
    ``constraints`` say which accounts people put together in a campaign, and which they keep apart.
    """
    if not len(profiles):
        return Assessment(accounts=[], campaigns=[], threshold=FLAG_AT, watch_threshold=WATCH_AT)
    own = score_accounts(profiles, scorer, exceptions=exceptions)
    requests = own.view.n
    own_risk = scorer.risk(own.log_odds)
    own_risk[own.log_odds <= UNKNOWN] = 0.0
    campaigns = assess_campaigns(profiles, own, scorer, known_frames, constraints)
    if exceptions:
        campaigns = _without_members(campaigns, exceptions, profiles)
    risk, scores = own_risk.copy(), _decisive(own, campaigns.placed)
    by_acct = {int(a): i for i, a in enumerate(own.view.acct)}
    for acct, member in campaigns.member_of.items():
        i = by_acct[acct]
        risk[i] = max(risk[i], member.risk)
    verdicts = scorer.verdicts(risk)
    known = {acct: microseconds(m.flagged_at) for acct, m in campaigns.member_of.items() if m.flagged_at}
    flagged_at = account_flag_times(profiles, own, scorer.verdicts(own_risk) == 2, scorer, known)
    accounts = account_findings(profiles, own, risk, verdicts, campaigns.member_of, flagged_at, scorer)
    _time_by_members(campaigns.findings, accounts)
    p_values = scorer.p_values(scores, requests)
    shares = false_discovery(p_values, scorer.segment(requests))
    for finding, score, p, share in zip(accounts, scores, p_values, shares, strict=True):
        finding.score, finding.p_value, finding.false_discovery = float(score), float(p), float(share)
    mean, low, high = scorer.expected_false_flags(requests[verdicts < 2])
    flags = float((verdicts == 2).sum())
    return Assessment(
        accounts=accounts,
        campaigns=campaigns.findings,
        expected_false_flags=min(mean, flags),
        expected_false_flags_interval=(min(low, flags), min(high, flags)),
        max_false_flags=scorer.weights.max_false_flags,
        threshold=FLAG_AT,
        watch_threshold=WATCH_AT,
    )


def _time_by_members(campaigns: Sequence[CampaignFinding], accounts: Sequence[AccountFinding]) -> None:
    """A flagged campaign without a time of its own was flagged when MIN_MEMBERS of its accounts were."""
    times = {a.account_id: a.flagged_at for a in accounts if a.flagged_at}
    for campaign in campaigns:
        known = sorted(times[a] for a in campaign.accounts if a in times)
        if campaign.verdict == "flag" and campaign.flagged_at is None and len(known) >= MIN_MEMBERS:
            campaign.flagged_at = known[MIN_MEMBERS - 1]


def _without_members(campaigns: Campaigns, exceptions: Exceptions, profiles: Profiles) -> Campaigns:
    """Campaigns without the accounts for which membership does not count."""
    left = {account for account, signals in exceptions.items() if CAMPAIGN in signals}
    names = profiles.accounts.filter(pl.col("account_id").is_in(pl.Series(sorted(left), dtype=pl.String).implode()))
    accts = set(names["acct"])
    for finding in campaigns.findings:
        finding.accounts = [a for a in finding.accounts if a not in left]
        finding.members = {a: why for a, why in finding.members.items() if a not in left}
        finding.work = {a: span for a, span in finding.work.items() if a not in left}
    placed = campaigns.placed
    return Campaigns(
        [f for f in campaigns.findings if f.accounts],
        {acct: member for acct, member in campaigns.member_of.items() if acct not in accts},
        None if placed is None else placed.filter(~pl.col("acct").is_in(names["acct"].implode())),
    )


def final_scores(
    profiles: Profiles,
    own: AccountScores,
    scorer: Scorer,
    known_frames: pl.Series | None = None,
    candidates: CandidateGroups | None = None,
) -> np.ndarray:
    """The score that decides on each account, float64 of shape (m,): its own, or that of its place in a campaign."""
    placement = place(profiles, own, scorer, known_frames, candidates=candidates)
    return _decisive(own, placement.placed if placement else None)


def _decisive(own: AccountScores, placed: pl.DataFrame | None) -> np.ndarray:
    if placed is None:
        return own.log_odds.copy()
    return np.maximum(own.log_odds, own.view.aligned(placed, "score", UNKNOWN))
