"""Campaigns: candidate groups scored, bystanders left out, overlapping groups of one worker put together, and put into words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from detector.accounts import AccountScores, told_as_account
from detector.assessment import CampaignFinding, Tie
from detector.behind import MOST, behind
from detector.campaigns import MIN_MEMBERS, CandidateGroups, Groups, discover, slice_profiles
from detector.digest import digests
from detector.findings import Membership, campaign_finding, when
from detector.flagtime import campaign_flag_times
from detector.members import member_features
from detector.profiles import Profiles
from detector.queues import work_alike
from detector.reasons import harvest_of
from detector.regrouping import SAME_WORKER, Constraint, regroup
from detector.scoring import Scorer
from detector.signals import SIGNALS
from detector.tie_words import tie_classes, ties_of
from detector.ties import GroupFeatures, GroupTies, group_features

MIN_TIE_CLASSES = 2  # kinds of link that a campaign needs beside one another
CANDIDATE = 2.0  # log-odds of a group, as fitted on equal weights, from which its members are looked at
ACCEPTED = 0.0  # log-odds of a member, as fitted on equal weights, from which it may be placed in a campaign


@dataclass(frozen=True)
class Placement:
    """Which accounts work together, whatever their risk."""

    placed: pl.DataFrame  # acct, campaign, group (its own best), uses, score: on the accounts' scale
    work: Groups  # the campaigns as groups
    features: GroupFeatures
    ties: dict[int, list[Tie]]  # of each campaign


@dataclass(frozen=True)
class Campaigns:
    """What the grouping found."""

    findings: list[CampaignFinding]
    member_of: dict[int, Membership]
    placed: pl.DataFrame | None = None  # acct, score: of every place in a campaign, whatever its risk


def place(
    profiles: Profiles,
    accounts: AccountScores,
    scorer: Scorer,
    known_frames: pl.Series | None = None,
    constraints: Collection[Constraint] = (),
    candidates: CandidateGroups | None = None,
) -> Placement | None:
    """Put accounts that work together into campaigns of at least MIN_MEMBERS and MIN_TIE_CLASSES; None where nobody does.

    ``candidates`` are the groups that :func:`discover` finds, where they are known.
    ``constraints`` are people's: what they joined is a campaign whatever ties it, what they split off must be tied by itself.
    """
    log_odds = pl.DataFrame({"acct": accounts.view.acct, "log_odds": accounts.log_odds})
    candidates = discover(profiles, known_frames) if candidates is None else candidates
    found = [_by_shared_objects(candidates, profiles, log_odds, scorer)]
    suspicious = log_odds.filter(pl.col("log_odds") > scorer.cuts[1])
    if len(found[0][0]):
        suspicious = suspicious.join(found[0][0], on="acct", how="anti")
    found.append(_by_themselves(work_alike(profiles, accounts, suspicious["acct"]), log_odds))
    found = [(placed, work) for placed, work in found if len(placed)]
    if not found:
        return None
    placed = pl.concat([placed for placed, _ in found])
    work = Groups.concat([work for _, work in found])
    placement = _tied(placed, work, profiles, log_odds)
    moved = _regrouped(placement.placed, constraints, profiles) if constraints else placement.placed
    if moved.equals(placement.placed):
        return placement
    homes = moved.select("acct", "campaign").join(placement.placed.select("acct", group="campaign"), on="acct")
    joined = homes.group_by("campaign").agg(pl.col("group").n_unique()).filter(pl.col("group") > 1)["campaign"]
    return _tied(moved, _moved(placement.work, homes), profiles, log_odds, joined.to_list())


def _tied(
    placed: pl.DataFrame, work: Groups, profiles: Profiles, log_odds: pl.DataFrame, joined: Collection[int] = ()
) -> Placement:
    """The placement without campaigns that are too small, or tied too little and not ``joined`` by people."""
    features = group_features(work, profiles, log_odds)
    ties = _ties(work, features, len(profiles))
    linked = [c for c, found in ties.items() if tie_classes(found) >= MIN_TIE_CLASSES or c in joined]
    sizes = placed.group_by("campaign").len().filter((pl.col("len") >= MIN_MEMBERS) & pl.col("campaign").is_in(linked))
    kept = placed.join(sizes.select("campaign"), on="campaign", how="semi")
    return Placement(kept, work, features, ties)


def _by_shared_objects(
    found: CandidateGroups, profiles: Profiles, log_odds: pl.DataFrame, scorer: Scorer
) -> tuple[pl.DataFrame, Groups]:
    """Placed accounts (acct, campaign, group, score, uses) of groups that share objects, and the campaigns as groups."""
    if not len(found):
        return pl.DataFrame(), found.groups()
    groups, memberships = score_members(found, profiles, log_odds, scorer)
    accepted = memberships.filter(pl.col("score") > ACCEPTED)
    placed = _together(accepted.with_columns(pl.col("score") + scorer.weights.member_shift))
    return placed, _work_of(groups, placed)


def _by_themselves(groups: Groups, log_odds: pl.DataFrame) -> tuple[pl.DataFrame, Groups]:
    """The same of groups that share none: a member's score is its own."""
    own = groups.members.join(log_odds, on="acct").rename({"log_odds": "score"})
    return own.select("acct", pl.col("group").alias("campaign"), "group", "score", "uses"), groups


def _regrouped(placed: pl.DataFrame, constraints: Collection[Constraint], profiles: Profiles) -> pl.DataFrame:
    """The places with the campaigns that people want."""
    names = dict(
        profiles.accounts.filter(pl.col("acct").is_in(placed["acct"].implode()))
        .select("acct", "account_id")
        .iter_rows()
    )
    accounts = placed["acct"].replace_strict(names, return_dtype=pl.String)
    wanted = regroup(dict(zip(accounts, map(campaign_name, placed["campaign"]), strict=True)), constraints)
    keys = [int(wanted[account][1:], 16) for account in accounts]
    return placed.with_columns(pl.Series("campaign", keys, dtype=pl.UInt64))


def _moved(work: Groups, homes: pl.DataFrame) -> Groups:
    """The work of accounts in their new campaigns (acct, group: the campaign before, campaign), with the seeds of where they were."""

    def moved(table: pl.DataFrame, on: list[str]) -> pl.DataFrame:
        to = homes.select(*on, "campaign").unique()
        return table.join(to, on=on).with_columns(group="campaign").select(table.columns)

    by = ["acct", "group"]
    return Groups(moved(work.members, by), moved(work.rows, by), moved(work.seeds, ["group"]).unique())


def campaign_name(key: int) -> str:
    """A campaign's id, from the key of the group that it was found by."""
    return f"c{key:016x}"


def _ties(work: Groups, features: GroupFeatures, population: int) -> dict[int, list[Tie]]:
    kinds = dict(work.seeds.group_by("group").agg(pl.col("kind").unique()).iter_rows())
    return {
        int(row["group"]): ties_of(row, kinds.get(row["group"], []), int(row["requests"]), population)
        for row in features.table.iter_rows(named=True)
    }


def assess_campaigns(
    profiles: Profiles,
    accounts: AccountScores,
    scorer: Scorer,
    known_frames: pl.Series | None = None,
    constraints: Collection[Constraint] = (),
) -> Campaigns:
    """Campaigns at least worth watching, and each member account's place in its campaign."""
    placement = place(profiles, accounts, scorer, known_frames, constraints)
    if placement is None:
        return Campaigns([], {})
    placed = placement.placed.with_columns(pl.Series("risk", scorer.risk(placement.placed["score"].to_numpy())))
    placed = placed.filter(pl.Series(scorer.verdicts(placed["risk"].to_numpy()) > 0))
    placed = placed.filter(pl.len().over("campaign") >= MIN_MEMBERS)
    if not len(placed):
        return Campaigns([], {}, placement.placed)
    found = _findings(_kept(placement, placed, profiles, accounts), placed, profiles, accounts, scorer)
    return replace(found, placed=placement.placed)


def _kept(placement: Placement, placed: pl.DataFrame, profiles: Profiles, accounts: AccountScores) -> Placement:
    """The placement with the accounts of ``placed`` only, so that what is said of a campaign counts whom it shows."""
    if len(placed) == len(placement.placed):
        return placement
    homes = placed.select("acct", pl.col("campaign").alias("group"))
    work = Groups(
        placement.work.members.join(homes, on=["acct", "group"], how="semi"),
        placement.work.rows.join(homes, on=["acct", "group"], how="semi"),
        placement.work.seeds.join(homes.select("group"), on="group", how="semi"),
    )
    log_odds = pl.DataFrame({"acct": accounts.view.acct, "log_odds": accounts.log_odds})
    features = group_features(work, profiles, log_odds)
    return Placement(placed, work, features, _ties(work, features, len(profiles)))


def score_members(
    found: CandidateGroups, profiles: Profiles, log_odds: pl.DataFrame, scorer: Scorer
) -> tuple[Groups, pl.DataFrame]:
    """The candidate groups that look like campaigns, and their memberships (group, acct, score: log-odds of working for it)."""
    turns = []
    for some in found.in_turn():
        features = group_features(some, profiles, log_odds)
        scored = features.table.select("group", pl.Series("campaign_log_odds", scorer.campaigns.predict(features.x)))
        near = scored.filter(pl.col("campaign_log_odds") > CANDIDATE)
        turns.append((near, *(t.join(near, on="group", how="semi") for t in (features.table, features.likeness))))
    near, ties, likeness = (pl.concat(tables) for tables in zip(*turns, strict=True))
    groups = found.keep(near.select("group")).groups()
    table, x = member_features(groups, GroupTies(ties, likeness), near, profiles.totals, log_odds)
    return groups, table.select("group", "acct", "uses", pl.Series("score", scorer.members.predict(x)))


def _together(accepted: pl.DataFrame) -> pl.DataFrame:
    """Each accepted account in one campaign: acct, campaign (a group's key), group (its own best), score.

    Groups in order of the number of their members; a group most of whose members are placed already is another view of the same worker.
    """
    campaign_of: dict[int, int] = {}
    weight = accepted.group_by("group").agg(pl.len().alias("weight"), pl.col("acct").sort())
    for group, _, accts in weight.sort(["weight", "group"], descending=[True, False]).iter_rows():
        placed = [campaign_of[a] for a in accts if a in campaign_of]
        new = [a for a in accts if a not in campaign_of]
        if len(placed) >= SAME_WORKER * len(accts) and placed:
            home = max(sorted(set(placed)), key=placed.count)
        elif len(new) >= MIN_MEMBERS:
            home = group
        else:
            continue
        campaign_of.update(dict.fromkeys(new, home))
    best = (
        accepted.sort(["score", "uses", "group"], descending=[True, True, False])
        .group_by("acct", maintain_order=True)
        .first()
    )
    homes = pl.DataFrame(
        {"acct": list(campaign_of), "campaign": list(campaign_of.values())},
        schema={"acct": pl.UInt64, "campaign": pl.UInt64},
    )
    return best.join(homes, on="acct").select("acct", "campaign", "group", "score", "uses")


def _work_of(groups: Groups, placed: pl.DataFrame) -> Groups:
    """The campaigns as groups: what their members sent in any group of the campaign, with the seeds of all."""
    homes = placed.select("group", pl.col("campaign")).unique()
    rows = (
        groups.rows.join(homes, on="group")
        .join(placed.select("acct", "campaign"), on=["acct", "campaign"], how="semi")
        .with_columns(pl.col("campaign").alias("group"))
        .drop("campaign")
        .unique(["group", "event_key"], keep="any")
    )
    seeds = groups.seeds.join(homes, on="group").select(pl.col("campaign").alias("group"), "kind", "key").unique()
    return Groups.of_rows(rows, seeds)


def _findings(
    placement: Placement, placed: pl.DataFrame, profiles: Profiles, accounts: AccountScores, scorer: Scorer
) -> Campaigns:
    features, work = placement.features, placement.work
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    told = told_as_account(features.x[:, : len(SIGNALS)], features.view.n, scorer)
    rows_of = {int(k[0]): t for k, t in work.rows.partition_by("group", as_dict=True).items()}
    members_of = {int(k[0]): t for k, t in placed.partition_by("campaign", as_dict=True).items()}
    flagged = placed.filter(pl.Series(scorer.verdicts(placed["risk"].to_numpy()) == 2))
    flagged = flagged.join(
        work.seeds.select(campaign="group"), on="campaign", how="semi"
    )  # others are timed by themselves
    times = campaign_flag_times(work, flagged, profiles, accounts, scorer)
    used = work.rows.select("group", "acct", "pieces").explode("pieces").drop_nulls("pieces")
    usage = used.group_by("group", "pieces").agg(pl.col("acct").n_unique().alias("accounts"))
    summaries = digests(work.rows, "group", usage)
    signs = {int(g): s for g, s in zip(features.view.acct, told.signs, strict=True) if g in members_of}
    requests_of = behind(slice_profiles(work.rows).sample, features.view, signs)
    findings: list[CampaignFinding] = []
    member_of: dict[int, Membership] = {}
    for i, group in enumerate(features.view.acct):
        if group not in members_of:
            continue
        members, rows, ties = members_of[group], rows_of[group], placement.ties[group]
        risk = _risk_of(members["risk"].to_numpy())
        campaign_id = campaign_name(group)
        harvest = harvest_of(told[i])
        uses = rows.sort("event_key").group_by("acct").agg(pl.len(), pl.col("event_id").head(MOST).alias("ids"))
        placed_uses = uses.join(members, on="acct").select("acct", "len", "ids", "risk", "score")
        for acct, count, ids, own, score in placed_uses.iter_rows():
            why = f"{count} of its requests are work that {len(members)} accounts share. {ties[0].text}"
            at = times.get(acct)
            flagged_at = None if at is None else when(at)
            member_of[acct] = Membership(campaign_id, own, score, why, harvest, flagged_at, count, ids)
        accts = uses.sort("acct")["acct"].to_list()
        finding = campaign_finding(
            campaign_id,
            risk,
            accts,
            names,
            rows,
            summaries[group],
            ties,
            told[i],
            scorer,
            member_of,
            requests_of[group],
        )
        known = [t for a in accts if (t := member_of[a].flagged_at)]
        if finding.verdict == "flag" and known:
            finding.flagged_at = min(known)
        findings.append(finding)
    findings.sort(key=lambda f: (-f.risk, f.campaign_id))
    return Campaigns(findings, member_of)


def _risk_of(members: np.ndarray) -> float:
    """A campaign's risk: that of its MIN_MEMBERS-th most suspicious member, so that it is flagged when a group of them is."""
    return float(np.sort(members)[::-1][min(MIN_MEMBERS, len(members)) - 1])
