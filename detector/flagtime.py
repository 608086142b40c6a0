"""When the stream would have flagged: the assessment replayed on growing prefixes of the sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from detector.accounts import UNKNOWN, AccountScores, score_accounts
from detector.campaigns import MIN_MEMBERS, MIN_USES, OF_OWNERS, WIDE, Groups
from detector.members import member_features
from detector.parts import MIN_REQUESTS
from detector.profiles import KIND, Profiles
from detector.scoring import FLAG_AT, Scorer
from detector.ties import group_features

GROWTH = 1.1  # of an account's prefix from one checkpoint to the next: its flag is timed to a tenth of its requests
CAMPAIGN_GROWTH = 2.0  # the same of a campaign, whose replay costs more; who joins later is timed use by use
AT_ONCE = 4  # of these, as accounts of their own: fewer and larger steps, and little is scored in vain
FOREVER = 2**62  # microseconds: later than any request
JOINED_AT_ONCE = 100_000  # requests of campaigns that those who join are looked at beside: bounds memory
JOINING = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # uses after which who joins a known campaign is looked at


def account_flag_times(
    profiles: Profiles,
    accounts: AccountScores,
    flagged: np.ndarray,
    scorer: Scorer,
    known: Mapping[int, int] | None = None,
) -> dict[int, int]:
    """For each flagged account the time (microseconds) at which its own growing profile first passed the threshold, where it did.

    ``known`` are times at which some were flagged anyhow: what they sent from then on is not looked at.
    """
    accts = accounts.view.acct.filter(pl.Series(flagged))
    if not len(accts):
        return {}
    rows = profiles.sample.filter(pl.col("acct").is_in(accts.implode()))
    if known:
        table = pl.DataFrame(
            {"acct": list(known), "until": list(known.values())}, schema={"acct": pl.UInt64, "until": pl.Int64}
        )
        rows = rows.join(table, on="acct", how="left").filter(pl.col("ts") < pl.col("until").fill_null(FOREVER))
        rows = rows.drop("until")
        if not len(rows):
            return {}
    rows = rows.sort("acct", "ts", "event_key")
    rows = rows.with_columns(
        (pl.int_range(pl.len()).over("acct") + 1).alias("rank"), pl.len().over("acct").alias("size")
    )
    times: dict[int, int] = {}
    cuts = _cuts(int(rows["size"].max()), GROWTH)  # type: ignore[arg-type]
    for start in range(0, len(cuts), AT_ONCE):
        prefixes = pl.concat(
            rows.filter((pl.col("rank") <= cut) & (pl.col("size") >= cut)).with_columns(pl.lit(cut).alias("cut"))
            for cut in cuts[start : start + AT_ONCE].tolist()
        ).with_columns(pl.struct("acct", "cut").hash(1).alias("prefix"))
        if not len(prefixes):
            break
        grown = Profiles.of_rows(prefixes.drop("rank", "size", "cut", "acct").rename({"prefix": "acct"}))
        then = score_accounts(grown, scorer)
        passed = pl.DataFrame({"prefix": then.view.acct}).filter(pl.Series(scorer.risk(then.log_odds) > FLAG_AT))
        ends = prefixes.join(passed, on="prefix", how="semi").group_by("acct", "cut").agg(pl.col("ts").max())
        first = ends.sort("acct", "cut").unique("acct", keep="first", maintain_order=True)
        times.update({int(a): int(t) for a, t in first.select("acct", "ts").iter_rows()})
        rows = rows.join(first, on="acct", how="anti")  # what follows would not change when it passed first
    return times


def campaign_flag_times(
    work: Groups,
    flagged: pl.DataFrame,
    profiles: Profiles,
    accounts: AccountScores,
    scorer: Scorer,
) -> dict[int, int]:
    """For each flagged member the time (microseconds) at which the stream would have flagged it with its campaign.

    ``work`` are the campaigns as groups, ``flagged`` (acct, campaign) the members, ``accounts`` everyone's own scores.
    At each checkpoint all that the campaign's accounts had sent is assessed anew. Of a campaign that is known by then, an account
    is also flagged at the first of its uses that suffices, and at its last if nothing sufficed before. Known from the start are
    what accounts have in common elsewhere (addresses, payment, settings, registration) and, to those who join later, how the
    others look by themselves.
    """
    if not len(flagged):
        return {}
    groups = flagged.select(pl.col("campaign").alias("group")).unique()
    work = work.keep(groups)
    ranked = work.rows.sort("group", "ts", "event_key").with_columns(
        (pl.int_range(pl.len()).over("group") + 1).alias("rank"), pl.len().over("group").alias("size")
    )
    homes = work.members.select("acct", "group")
    sample = profiles.sample.join(homes, on="acct")
    last = work.rows.group_by("acct").agg(pl.col("ts").max())
    times = dict(last.join(flagged.select("acct"), on="acct", how="semi").iter_rows())
    members = wanted = flagged.select("acct", pl.col("campaign").alias("group"))
    known: dict[int, int] = {}  # campaign -> time of the earliest checkpoint at which it was flagged
    cuts = _cuts(int(ranked["size"].max()), CAMPAIGN_GROWTH)  # type: ignore[arg-type]
    for cut in cuts:
        ends = ranked.filter(pl.col("rank") == cut).select("group", pl.col("ts").alias("end"))
        ends = ends.join(wanted, on="group", how="semi")
        if not len(ends):
            continue
        rows = work.rows.join(ends, on="group").filter(pl.col("ts") <= pl.col("end")).drop("end")
        everything = sample.join(ends, on="group").filter(pl.col("ts") <= pl.col("end")).drop("end", "group")
        then = Profiles.of_rows(everything.unique("event_key", keep="any"))
        passed = _passed(
            Groups.of_rows(rows, work.seeds),
            then.totals,
            _own_log_odds(then, scorer),
            profiles,
            scorer,
        )
        passed = passed.join(wanted, on=["acct", "group"], how="semi")
        enough = (pl.col("len") >= MIN_MEMBERS) | pl.col("group").is_in(list(known))
        now_known = passed.group_by("group").len().filter(enough).join(ends, on="group").select("group", "end")
        known = {int(g): int(t) for g, t in now_known.iter_rows()} | known
        at = passed.join(now_known, on="group").select("acct", "end")
        times.update({int(a): int(t) for a, t in at.iter_rows()})
        wanted = wanted.join(at, on="acct", how="anti")
    checkpoints = ranked.filter(pl.col("rank").is_in(cuts)).select("group", pl.col("ts").alias("end"), "rank")
    times.update(_joined(work, checkpoints, members, known, times, profiles, accounts, scorer))
    return times


def _passed(
    groups: Groups, totals: pl.DataFrame, log_odds: pl.DataFrame, profiles: Profiles, scorer: Scorer
) -> pl.DataFrame:
    """Memberships (group, acct) that are flagged, by what had been sent by then: ``totals`` and ``log_odds`` of the accounts."""
    by_owner = groups.seeds.filter(pl.col("kind").is_in([KIND[k] for k in OF_OWNERS]))["group"].implode()
    enough = (pl.col("uses") >= MIN_USES) | (pl.len().over("group") >= WIDE) | pl.col("group").is_in(by_owner)
    groups = groups.keep_members(groups.members.filter(enough).select("group", "acct"))  # as groups are found
    if not len(groups):
        return groups.members.select("group", "acct")
    features = group_features(groups, profiles, log_odds, totals)
    campaign = features.table.select("group", pl.Series("campaign_log_odds", scorer.campaigns.predict(features.x)))
    table, x = member_features(groups, features, campaign, totals, log_odds)
    score = scorer.members.predict(x) + scorer.weights.member_shift
    return table.filter(pl.Series(scorer.risk(score) > FLAG_AT)).select("group", "acct")


def _own_log_odds(profiles: Profiles, scorer: Scorer) -> pl.DataFrame:
    """Each account's own score (acct, log_odds); those with too few requests to be known are not looked at."""
    accts = profiles.totals.select("acct", "n")
    enough = accts.filter(pl.col("n") >= MIN_REQUESTS)
    if not len(enough):
        return accts.select("acct", pl.lit(UNKNOWN).alias("log_odds"))
    accounts = score_accounts(Profiles.of_rows(profiles.sample.join(enough, on="acct", how="semi")), scorer)
    known = pl.DataFrame({"acct": accounts.view.acct, "log_odds": accounts.log_odds})
    found = accts.select("acct").join(known, on="acct", how="left", maintain_order="left")
    return found.with_columns(pl.col("log_odds").fill_null(UNKNOWN))


def _joined(
    work: Groups,
    checkpoints: pl.DataFrame,
    wanted: pl.DataFrame,
    known: dict[int, int],
    times: dict[int, int],
    profiles: Profiles,
    accounts: AccountScores,
    scorer: Scorer,
) -> dict[int, int]:
    """Flag times of accounts that were not flagged when their campaign was: of the use from which each is.

    ``checkpoints`` (group, end, rank: its requests until then) of all campaigns. At each of its uses in JOINING an account is
    assessed by what it had sent until then, in the campaign as that was at the last checkpoint: both together are a group of their own.
    """
    since = pl.DataFrame(
        {"group": list(known), "since": list(known.values())}, schema={"group": pl.UInt64, "since": pl.Int64}
    )
    flagged = pl.DataFrame(
        {"acct": list(times), "at": list(times.values())}, schema={"acct": pl.UInt64, "at": pl.Int64}
    )
    late = wanted.join(since, on="group").join(flagged, on="acct").filter(pl.col("at") > pl.col("since"))
    if not len(late):
        return {}
    own = pl.DataFrame({"acct": accounts.view.acct, "log_odds": accounts.log_odds})
    sent = profiles.sample.join(late, on="acct", how="semi")
    uses = work.rows.join(late.select("acct", "group", "since"), on=["acct", "group"]).sort("acct", "ts", "event_key")
    uses = uses.with_columns((pl.int_range(pl.len()).over("acct") + 1).alias("j"))
    counts = profiles.sample.join(work.members, on="acct", how="semi").sort("ts")
    counts = counts.select("acct", "ts", (pl.int_range(pl.len()).over("acct") + 1).alias("n"))
    out: dict[int, int] = {}
    for j in JOINING:
        moments = uses.filter((pl.col("j") == j) & (pl.col("ts") > pl.col("since"))).select("acct", "group", now="ts")
        if not len(moments):
            continue
        moments = moments.sort("now").join_asof(
            checkpoints.sort("end"), left_on="now", right_on="end", by="group", check_sortedness=False
        )
        moments = moments.with_columns(pl.struct("group", "end").hash(5).alias("then"))
        for some in _in_turn(moments):
            stages = some.select("group", "end", "then").unique()
            others = work.rows.join(stages, on="group").filter(pl.col("ts") <= pl.col("end"))
            others = others.join(some.select("acct", "then"), on=["acct", "then"], how="anti")
            begun = uses.filter(pl.col("j") <= j).join(some.select("acct", "then"), on="acct")
            rows = pl.concat([t.with_columns(group="then").select(work.rows.columns) for t in (others, begun)])
            seeds = work.seeds.join(stages, on="group").with_columns(group="then").select(work.seeds.columns)
            then = Profiles.of_rows(
                sent.join(some, on="acct").filter(pl.col("ts") <= pl.col("now")).select(sent.columns)
            )
            before = others.select("acct", group="then").unique().join(stages.select("end", group="then"), on="group")
            before = before.sort("end").join_asof(
                counts, left_on="end", right_on="ts", by="acct", check_sortedness=False
            )
            now = then.totals.select("acct", "n").join(some.select("acct", group="then"), on="acct")
            now = now.join(_own_log_odds(then, scorer), on="acct")
            states = pl.concat(
                t.select("group", "acct", pl.col("n").cast(pl.Float64), "log_odds")
                for t in (before.join(own, on="acct"), now)
            )
            passed = _passed(Groups.of_rows(rows, seeds), states, states.drop("n"), profiles, scorer)
            at = passed.join(some.select("acct", "now", group="then"), on=["acct", "group"])
            out.update({int(a): int(t) for a, t in at.select("acct", "now").iter_rows()})
        uses = uses.filter(~pl.col("acct").is_in(list(out)))
    return {acct: min(at, times[acct]) for acct, at in out.items()}


def _in_turn(moments: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The moments by stage of a campaign (``then``, of ``rank`` requests), about JOINED_AT_ONCE of their requests at a time."""
    stages = moments.select("then", "rank").unique().sort("then")
    for _, some in stages.group_by(pl.col("rank").cum_sum() // JOINED_AT_ONCE, maintain_order=True):
        yield moments.join(some, on="then", how="semi")


def _cuts(size: int, growth: float) -> np.ndarray:
    """Prefix lengths from MIN_REQUESTS on, each ``growth`` times the last, up to ``size``: the same for everyone, whoever sent most."""
    steps = np.arange(np.log(max(size / MIN_REQUESTS, 1)) / np.log(growth) + 1)
    cuts = np.round(MIN_REQUESTS * growth**steps).astype(int)
    return cuts[cuts <= size]
