"""Campaign findings: candidate groups scored, cleaned of bystanders, and put into words."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import expit

from detector.assessment import CampaignFinding, Tie
from detector.campaigns import Groups, discover, slice_view
from detector.findings import Membership, campaign_finding, harvest_of, when
from detector.flagtime import campaign_flag_times
from detector.profiles import KIND, Profiles
from detector.scoring import Scorer, logit, score
from detector.ties import CLASS_OF_TIE, campaign_log_odds, group_features

MIN_TIE_CLASSES = 2  # kinds of link that a campaign needs beside one another
MEMBER_LOG_ODDS = -1.5  # of a member's own part of the shared work: below this it speaks against harvesting
TASK_SHARE = 0.25  # of a member's requests that must be shared tasks where nothing but tasks ties the group: public
# questions and famous prompts are asked by honest people too


def assess_campaigns(
    profiles: Profiles, scorer: Scorer, known_frames: pl.Series | None = None
) -> tuple[list[CampaignFinding], dict[int, Membership]]:
    """Campaigns at least worth watching, and each member account's place in its campaign."""
    weights = scorer.weights
    candidates = _risky(
        discover(profiles, known_frames), profiles, scorer, min(weights.campaign_flag_at, weights.watch_at)
    )
    if not len(candidates):
        return [], {}
    groups = _disjoint(_purify(candidates, profiles, scorer), profiles, scorer)
    if not len(groups):
        return [], {}
    view = slice_view(groups.rows)
    scored = score(view, scorer)
    features, ties = group_features(groups, profiles, scored.log_odds, view)
    risk = expit(campaign_log_odds(features, scorer))
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    findings: list[CampaignFinding] = []
    member_of: dict[int, Membership] = {}
    rows_by_group = {int(k[0]): t for k, t in groups.rows.partition_by("group", as_dict=True).items()}
    seeds = {int(k[0]): t for k, t in groups.seeds.partition_by("group", as_dict=True).items()}
    times = campaign_flag_times(groups.rows, features, scorer)
    for i in np.argsort(-risk, kind="stable"):
        campaign_risk = _account_risk(float(risk[i]), scorer)
        if campaign_risk < weights.watch_at:
            break
        group = int(view.acct[int(i)])
        rows = rows_by_group[group]
        uses = rows.group_by("acct").agg(pl.len(), pl.col("ts").min())
        kinds = seeds[group]["kind"].unique().to_list()
        own_ties = _with_seed_tie(ties[group], kinds, rows, len(uses), profiles)
        if _tie_classes(own_ties) < MIN_TIE_CLASSES:
            continue
        campaign_id = f"c{group:016x}"
        accts = uses.sort("acct")["acct"].to_list()
        flagged = campaign_risk >= weights.flag_at
        harvest = harvest_of(scored.contributions[int(i)])
        for acct, count, first in uses.iter_rows():
            why = f"{count} of its requests are work that {len(uses)} accounts share. {own_ties[0].text}"
            since = when(max(first, times[group])) if flagged else None
            member_of[acct] = Membership(campaign_id, campaign_risk, why, harvest, since)
        finding = campaign_finding(
            campaign_id, campaign_risk, accts, names, rows, own_ties, scored, int(i), scorer, member_of
        )
        finding.flagged_at = when(times[group]) if flagged else None
        findings.append(finding)
    return findings, member_of


def _risky(groups: Groups, profiles: Profiles, scorer: Scorer, at_least: float) -> Groups:
    """The candidate groups that would at least be watched."""
    if not len(groups):
        return groups
    view = slice_view(groups.rows)
    features, _ = group_features(groups, profiles, score(view, scorer).log_odds, view)
    return groups.keep(
        features.filter(pl.Series(expit(campaign_log_odds(features, scorer)) >= at_least)).select("group")
    )


def _disjoint(groups: Groups, profiles: Profiles, scorer: Scorer) -> Groups:
    """Each account in the riskiest of its groups alone; groups left with fewer than MIN_MEMBERS fall."""
    if not len(groups):
        return groups
    view = slice_view(groups.rows)
    features, _ = group_features(groups, profiles, score(view, scorer).log_odds, view)
    order = features.select("group").with_columns(pl.Series("odds", campaign_log_odds(features, scorer)))
    first = (
        groups.members.join(order, on="group")
        .sort("odds", "group", descending=True)
        .group_by("acct", maintain_order=True)
    )
    mine = first.agg(pl.col("group").first()).select("group", "acct")
    return groups.keep_members(mine)


def _purify(groups: Groups, profiles: Profiles, scorer: Scorer) -> Groups:
    """Leave out members whose own part of the shared work speaks against harvesting: no guilt by association.

    Groups that shrink below MIN_MEMBERS fall.
    """
    keyed = groups.rows.with_columns(pl.struct("group", "acct").hash(3).alias("part"))
    view = slice_view(keyed.drop("group").rename({"part": "group"}))
    odds = pl.DataFrame({"part": view.acct, "odds": score(view, scorer).log_odds})
    parts = (
        keyed.select("part", "group", "acct")
        .unique()
        .join(odds, on="part")
        .filter(pl.col("odds") >= MEMBER_LOG_ODDS)
        .select("group", "acct")
    )
    framed = groups.seeds.filter(pl.col("kind") != KIND["state"]).select("group").unique()
    asked = groups.members.join(profiles.totals.select("acct", "n"), on="acct").filter(
        pl.col("uses") >= TASK_SHARE * pl.col("n")
    )
    enough = (
        pl.concat([groups.members.join(framed, on="group", how="semi"), asked.drop("n")])
        .select("group", "acct")
        .unique()
    )
    parts = parts.join(enough, on=["group", "acct"], how="semi")
    return groups.keep_members(parts)


def _account_risk(campaign_risk: float, scorer: Scorer) -> float:
    """A campaign's risk on the accounts' scale: its own flag threshold is mapped onto theirs, monotonically."""
    shift = logit(scorer.weights.flag_at) - logit(scorer.weights.campaign_flag_at)
    return float(expit(logit(min(max(campaign_risk, 1e-9), 1 - 1e-9)) + shift))


def _with_seed_tie(
    ties: list[Tie], kinds: list[int], rows: pl.DataFrame, members: int, profiles: Profiles
) -> list[Tie]:
    content = [k for k in ("piece", "system", "state", "prompt") if KIND[k] in kinds]
    if not content:
        return ties
    weight = float(np.log2(max(len(profiles) / members, 1.0)) * min(members - 1, 5))
    words = {
        "piece": "the same rare sentence",
        "system": "the same rare system prompt",
        "state": "the very same tasks",
        "prompt": "nearly the same prompts",
    }
    text = f"{members} of {len(profiles)} accounts send {' and '.join(words[k] for k in content)}, in {len(rows)} requests."
    kind = "prompt" if content == ["state"] else "template"
    return [Tie(kind=kind, weight=round(weight, 1), members=members, text=text), *ties]


def _tie_classes(ties: list[Tie]) -> int:
    """Number of independent kinds of link."""
    classes = {CLASS_OF_TIE.get(t.kind, {"template": "content", "prompt": "content"}.get(t.kind, t.kind)) for t in ties}
    return len(classes)
