"""Findings: reasons, templates, related accounts, and what the report and the dashboard show of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl

from detector.accounts import AccountScores
from detector.assessment import AccountFinding, CampaignFinding, Evidence, Related, Tie, Verdict, counted_in
from detector.behind import Behind, behind
from detector.campaigns import slice_profiles
from detector.digest import MIN_TEMPLATE, Digest, digests
from detector.features import DAY_US
from detector.parts import WHOLE, parts
from detector.profiles import KIND, KINDS, Profiles
from detector.reasons import evidence, harvest_of, part_of
from detector.scoring import FLAG_AT, WATCH_AT, Scorer, logit
from detector.signals import SIGNALS
from detector.told import Told
from detector.view import View

RELATED = 10  # other accounts shown
RARE = (2, 200)  # accounts that an object may have for sharing it to relate two of them


@dataclass(frozen=True)
class Membership:
    """An account's place in a campaign."""

    campaign_id: str
    risk: float
    score: float  # on the accounts' scale
    why: str
    harvest: str | None
    flagged_at: datetime | None
    uses: int  # of its requests are the shared work
    event_ids: list[str]  # some of these


def when(us: int | float) -> datetime:
    """A time from microseconds since 1970."""
    return datetime.fromtimestamp(us / 1e6, UTC)


def campaign_finding(
    campaign_id: str,
    risk: float,
    accts: list[int],
    names: dict[int, str],
    rows: pl.DataFrame,
    digest: Digest,
    ties: list[Tie],
    told: Told,
    scorer: Scorer,
    member_of: dict[int, Membership],
    found: Mapping[int, Behind],
) -> CampaignFinding:
    """The finding on one campaign. ``rows`` are its shared work, ``told`` its signals, ``found`` the requests behind each."""
    verdict: Verdict = "flag" if risk > FLAG_AT else "watch"
    spans = rows.group_by("acct").agg(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last"))
    return CampaignFinding(
        campaign_id=campaign_id,
        risk=risk,
        verdict=verdict,
        accounts=[names[a] for a in accts],
        requests=len(rows),
        first_seen=when(int(rows["ts"].to_numpy().min())),
        last_seen=when(int(rows["ts"].to_numpy().max())),
        harvest=harvest_of(told),
        input_tokens=int(rows["input_tokens"].sum()),
        output_tokens=int(rows["output_tokens"].sum()),
        ties=ties,
        evidence=evidence(told, scorer, found),
        templates=digest.templates,
        clusters=digest.clusters,
        activity=digest.activity,
        example_event_ids=digest.examples,
        members={names[a]: member_of[a].why for a in accts},
        work={names[a]: (when(first), when(last)) for a, first, last in spans.sort("acct").iter_rows()},
    )


def account_findings(
    profiles: Profiles,
    own: AccountScores,
    risk: np.ndarray,
    verdicts: np.ndarray,
    member_of: dict[int, Membership],
    flagged_at: dict[int, int],
    scorer: Scorer,
) -> list[AccountFinding]:
    """Findings on all accounts; those that are not clear get their evidence, templates and related accounts."""
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    suspicious = own.view.acct.filter(pl.Series(verdicts > 0))
    sample = profiles.sample.filter(pl.col("acct").is_in(suspicious.implode()))
    summaries = digests(sample, "acct", _piece_usage(profiles, suspicious))
    related = _related(profiles, suspicious, names)
    days = _days(profiles, suspicious)
    words: tuple[Verdict, ...] = ("clear", "watch", "flag")
    totals = own.view.totals
    shown = np.flatnonzero(verdicts > 0)
    of_all = own.told(shown, scorer)
    told = {int(row): of_all[k] for k, row in enumerate(shown)}
    unheard = _in_shadow(own, scorer)
    requests_of = _requests_behind(profiles, own, told)
    findings = []
    for i, row in enumerate(totals.iter_rows(named=True)):
        acct = row["acct"]
        finding = AccountFinding(
            account_id=names[acct],
            risk=float(risk[i]),
            verdict=words[verdicts[i]],
            requests=row["n"],
            first_seen=when(row["first"]),
            last_seen=when(row["last"]),
            input_tokens=row["input_tokens"],
            output_tokens=row["output_tokens"],
            in_shadow=unheard.get(i, []),
        )
        if verdicts[i]:
            digest = summaries[acct]
            finding.example_event_ids = digest.examples
            finding.evidence = evidence(told[i], scorer, requests_of[i], part_of(own, i))
            finding.harvest = harvest_of(told[i])
            finding.templates, finding.clusters, finding.activity = digest.templates, digest.clusters, digest.activity
            finding.related = related.get(acct, [])
            finding.days = days.get(acct, [])
            if verdicts[i] == 2:
                known = [
                    t
                    for t in (
                        when(flagged_at[acct]) if acct in flagged_at else None,
                        member_of[acct].flagged_at if acct in member_of else None,
                    )
                    if t
                ]
                finding.flagged_at = min(known, default=finding.last_seen)
            if acct in member_of:
                place = member_of[acct]
                finding.campaign_id = place.campaign_id
                finding.harvest = place.harvest or finding.harvest
                finding.evidence.insert(
                    0,
                    Evidence(
                        signal="campaign",
                        title="Member of a campaign",
                        direction="for",
                        value=place.risk,
                        unit="risk of its place",
                        percentile=1.0,
                        contribution=_beyond_watching(place.risk),
                        text=f"{place.why} Campaign {place.campaign_id}.",
                        event_ids=place.event_ids,
                        requests=place.uses,
                        looked_at=row["n"],
                    ),
                )
        findings.append(finding)
    return findings


def _beyond_watching(risk: float) -> float:
    """How far the risk of a place in a campaign, which is watched at least, lies beyond that, in log-odds: never against an account."""
    return logit(min(risk, 1 - 1e-6)) - logit(WATCH_AT)


def _in_shadow(own: AccountScores, scorer: Scorer) -> dict[int, list[str]]:
    """Sentences on the signals in shadow that are strong in an account, by its position."""
    found: dict[int, list[str]] = {}
    shadow = [j for j, s in enumerate(SIGNALS) if s.name in scorer.shadow]
    if shadow:
        strong = scorer.strong(own.values, own.requests)
        for i, at in np.argwhere(strong[:, shadow]).tolist():
            signal, n = SIGNALS[shadow[at]], int(own.requests[i])
            text = signal.sentence(float(own.values[i, shadow[at]]), n)
            found.setdefault(i, []).append(f"{signal.title}. {text}{counted_in(part_of(own, i))}")
    return found


def _requests_behind(
    profiles: Profiles, own: AccountScores, told: Mapping[int, Told]
) -> dict[int, Mapping[int, Behind]]:
    """What stands behind the reasons of some accounts, given by position: in the account as a whole, or in its part that decided."""
    of_parts = {i for i in told if own.attribute[i] != WHOLE}
    of_whole = {i: t.signs * t.of_whole if i in of_parts else t.signs for i, t in told.items()}
    accts = {int(own.view.acct[i]): i for i, signs in of_whole.items() if i not in of_parts or signs.any()}
    wholes = profiles.sample.filter(pl.col("acct").is_in(pl.Series(list(accts), dtype=pl.UInt64).implode()))
    found = behind(wholes, own.view, {acct: of_whole[i] for acct, i in accts.items()})
    out: dict[int, Mapping[int, Behind]] = {i: found[acct] for acct, i in accts.items()}
    groups = {int(own.group[i]): i for i in told if i in of_parts}
    if groups:
        mine = profiles.only(own.view.acct.gather(list(groups.values())))
        rows = parts(mine, View(mine), only=pl.Series(list(groups), dtype=pl.UInt64))
        sliced = slice_profiles(rows.drop("attribute", "share"))
        found = behind(sliced.sample, View(sliced), {group: told[i].signs - of_whole[i] for group, i in groups.items()})
        out |= {i: {**out.get(i, {}), **found[group]} for group, i in groups.items()}
    return out


def _days(profiles: Profiles, accts: pl.Series) -> dict[int, list[tuple[str, int, int]]]:
    """Requests and output tokens of some accounts day by day."""
    counts = (
        profiles.counts.filter(pl.col("acct").is_in(accts.implode()))
        .group_by("acct", "day")
        .agg(pl.col("n", "output_tokens").sum())
        .sort("day")
    )
    found: dict[int, list[tuple[str, int, int]]] = {}
    for acct, day, n, tokens in counts.select("acct", "day", "n", "output_tokens").iter_rows():
        found.setdefault(acct, []).append((when(day * DAY_US).date().isoformat(), n, tokens))
    return found


def _piece_usage(profiles: Profiles, accts: pl.Series) -> pl.DataFrame:
    """``pieces`` that some accounts use often enough, and in how many ``accounts`` of all they are."""
    pieces = profiles.kind("piece")
    mine = (
        pieces.filter(pl.col("acct").is_in(accts.implode()) & (pl.col("n") >= MIN_TEMPLATE[0])).select("key").unique()
    )
    everywhere = pieces.join(mine, on="key", how="semi").group_by(pl.col("key").alias("pieces"))
    return everywhere.agg(pl.col("acct").n_unique().alias("accounts"))


def _related(profiles: Profiles, accts: pl.Series, names: dict[int, str]) -> dict[int, list[Related]]:
    """For each account up to ten others that share rare objects with it, with the objects named."""
    words = {
        "piece": "a rare sentence",
        "state": "the same task",
        "payment": "the payment method",
        "ip": "the address",
        "tls": "the TLS fingerprint",
    }
    shared = pl.concat(
        profiles.shared(kind).owners.select(pl.lit(KIND[kind], pl.UInt8).alias("kind"), "acct", "key", "df")
        for kind in words
    ).filter(pl.col("df").is_between(*RARE))
    mine = shared.filter(pl.col("acct").is_in(accts.implode())).select("kind", "key", "acct", "df")
    pairs = mine.join(shared.select("kind", "key", pl.col("acct").alias("other")), on=["kind", "key"]).filter(
        pl.col("acct") != pl.col("other")
    )
    bits = (len(profiles) / pl.col("df")).log(2)
    best = (
        pairs.group_by("acct", "other", "kind")
        .agg(bits.max().alias("bits"))
        .group_by("acct", "other")
        .agg(pl.col("bits").sort().sum(), pl.col("kind").sort())  # the same sum in every run
        .sort("bits", "other", descending=True)
        .group_by("acct", maintain_order=True)
        .head(RELATED)
    )
    out: dict[int, list[Related]] = {}
    for acct, other, weight, kinds in best.iter_rows():
        text = "Shares " + ", ".join(words[KINDS[k]] for k in kinds)
        out.setdefault(acct, []).append(Related(account_id=names[other], weight=round(weight, 1), text=text))
    return out
