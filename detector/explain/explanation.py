"""The explanation of one account: its finding, every signal's share in it, and what would change the verdict."""

from __future__ import annotations

import msgspec
import numpy as np

from detector.accounts import UNKNOWN, score_accounts
from detector.assessment import AccountFinding, Assessment, CampaignFinding, Direction, Verdict
from detector.explain.case import Case, case_of, restricted, verdict_of
from detector.explain.course import Point, course, requests_until
from detector.explain.search import Change, above, below, closest
from detector.findings import account_findings
from detector.parts import MIN_REQUESTS
from detector.profiles import Profiles
from detector.reasons import part_of
from detector.scoring import FLAG_AT, WATCH_AT, Scorer
from detector.signals import SIGNALS
from detector.told import Told


class Share(msgspec.Struct, kw_only=True):
    """One signal's share in the account's own log-odds: in its riskiest part and in the whole, where a part is riskier."""

    signal: str
    title: str
    direction: Direction  # the way in which more of it moves the risk
    value: float  # in ``unit``, of the part or of the whole: of whichever weighs more
    ordinary: float  # median of ordinary accounts of its size
    unit: str
    percentile: float  # share of these with a lower value
    contribution: float  # log-odds
    said: int = 0  # 1: as a reason by what is there, -1: by what is missing; 0: it counts only beside the others
    whole: bool = False  # told of the whole account, beside others of a part


class WhatIf(msgspec.Struct, kw_only=True):
    """What would change the verdict. Everything is scored by the real scorer; the changes concern the account's own conduct."""

    own_risk: float  # without any campaign
    own_verdict: Verdict
    less: Change | None = None  # the smallest change that brings the own risk under the threshold of its verdict
    more: list[Change] = []  # ways to a flag, for accounts whose own conduct gives none
    closest: Change | None = None  # where none of those exists: the one signal that could raise the risk most
    flagged_after: int | None = None  # requests after which the own risk first reached the threshold
    flagged_at_requests: int | None = None  # requests of the same kind at which it would
    too_few: bool = False  # fewer requests than can be judged


class Explanation(msgspec.Struct, kw_only=True):
    """Why one account has its verdict."""

    account: AccountFinding
    flag_at: float
    watch_at: float
    campaign: CampaignFinding | None = None
    part: str = ""  # the requests that the signals were counted in, beside those of the whole; empty: all
    base: float | None = None  # log-odds before any signal
    log_odds: float | None = None  # with all of them, and with how many requests it is and what sets them apart
    flag_log_odds: float | None = None  # from which it is flagged
    shares: list[Share] = []  # of all signals, the weightiest first
    course: list[Point] = []
    what_if: WhatIf | None = None  # None where the profiles are not at hand


def explain(profiles: Profiles, assessment: Assessment, account_id: str, scorer: Scorer) -> Explanation:
    """Explain the verdict on an account, whatever it is, from the profiles of the whole log and their assessment.

    Raises KeyError for an account that the assessment does not name.
    """
    finding = next((a for a in assessment.accounts if a.account_id == account_id), None)
    if finding is None:
        raise KeyError(account_id)
    names = profiles.accounts.filter(profiles.accounts["account_id"] == account_id)
    mine = restricted(profiles, int(names["acct"][0]))
    own = score_accounts(mine, scorer)
    told = own.told(np.array([0]), scorer)
    if not finding.evidence:
        finding = _with_evidence(finding, mine, scorer)
    case = case_of(mine, scorer)
    grown = course(mine, scorer)
    return Explanation(
        account=finding,
        flag_at=FLAG_AT,
        watch_at=WATCH_AT,
        campaign=next((c for c in assessment.campaigns if c.campaign_id == finding.campaign_id), None),
        base=scorer.accounts.base,
        log_odds=float(own.log_odds[0]) if own.log_odds[0] > UNKNOWN else None,
        flag_log_odds=scorer.cuts[0],
        shares=_shares(told[0], scorer),
        part=part_of(own, 0),
        course=grown,
        what_if=_what_if(finding.verdict, case, mine, grown, scorer),
    )


def _what_if(verdict: Verdict, case: Case, mine: Profiles, grown: list[Point], scorer: Scorer) -> WhatIf:
    flag_at, watch_at = FLAG_AT, WATCH_AT
    risk = case.risk
    what_if = WhatIf(
        own_risk=risk,
        own_verdict=verdict_of(risk, scorer),
        too_few=case.requests < MIN_REQUESTS,
    )
    if verdict == what_if.own_verdict != "clear":
        what_if.less = below(case, flag_at if verdict == "flag" else watch_at)
    if risk >= flag_at:
        what_if.flagged_after = next((p.requests for p in grown if p.risk >= flag_at), None)
    elif verdict != "flag":
        what_if.flagged_at_requests = requests_until(mine, scorer, flag_at, case)
        if not what_if.too_few:
            what_if.more = above(case, flag_at)
            what_if.closest = None if what_if.more else closest(case)
    return what_if


def _with_evidence(finding: AccountFinding, mine: Profiles, scorer: Scorer) -> AccountFinding:
    """The finding with its evidence, templates and activity, which assessments leave out where all is clear."""
    own = score_accounts(mine, scorer)
    full = account_findings(mine, own, np.array([finding.risk]), np.array([1]), {}, {}, scorer)[0]
    return msgspec.structs.replace(full, verdict=finding.verdict)


def _shares(told: Told, scorer: Scorer) -> list[Share]:
    """All signals of one account."""
    shares = []
    for j, signal in enumerate(SIGNALS):
        requests, value = int(told.requests[j]), float(told.values[j])
        grid = scorer.peers(requests).population.get(signal.name)
        shares.append(
            Share(
                signal=signal.name,
                title=signal.title,
                direction=signal.direction,
                value=float(signal.display(signal.counted(value, requests))),
                ordinary=float(signal.display(grid[len(grid) // 2] if grid else value)),
                unit=signal.unit,
                percentile=float(told.percentiles[j]),
                contribution=float(told.contributions[j]),
                said=int(told.signs[j]),
                whole=bool(told.of_whole[j]),
            )
        )
    return sorted(shares, key=lambda s: -abs(s.contribution))
