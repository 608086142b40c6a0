"""Assessment: from profiles to findings on accounts and campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from scipy.special import expit

from detector.assessment import AccountFinding, Assessment, CampaignFinding, Evidence, Related, Template, Tie, Verdict
from detector.campaigns import CLASS_OF_TIE, FEATURES, MIN_MEMBERS, Groups, discover, group_features, slice_view
from detector.profiles import KIND, KINDS, Profiles
from detector.scoring import Scorer
from detector.signals import SIGNALS, evaluate
from detector.view import View

MIN_REQUESTS = 8  # an account or slice below this is never flagged on its own: nothing can be known of it
SLICE_SHARE = (0.1, 0.8)  # a frame in this share of an account's requests is looked at by itself, without the cover traffic
SLICES_PER_ACCOUNT = 2
SLICE_PENALTY = 1.0  # log-odds paid for having looked at more than one slice of the account
MIN_TIE_CLASSES = 2  # kinds of link that a campaign needs beside one another
MEMBER_LOG_ODDS = -1.5  # of a member's own part of the shared work: below this it speaks against harvesting, see docs/decisions
CHECKPOINTS = 16  # prefixes, in equal steps of log requests, at which the flag time is looked for
EXAMPLES = 6
HARVESTS = {
    "reasoning_elicitation": "reasoning elicitation", "grading": "grading and preference data",
    "instruction_synthesis": "instruction synthesis", "trace_cleaning": "cleaning of captured answers",
    "repeated_sampling": "repeated sampling (rollouts)", "agentic_restarts": "agent trajectories", "logprobs": "log-probabilities",
    "session_replay": "session replay", "template_slots": "templated question sweep", "corpus_coverage": "instruction/answer pairs",
    "dataset_phrasing": "instruction/answer pairs",
}  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """Signal values, contributions and log-odds of the rows of a view."""

    view: View
    values: np.ndarray
    contributions: np.ndarray
    log_odds: np.ndarray


def score(view: View, scorer: Scorer) -> Scored:
    """Evaluate and score all signals on a view."""
    values = evaluate(view)
    contributions = scorer.contributions(values)
    return Scored(view, values, contributions, scorer.model.base + contributions.sum(axis=1))


def campaign_log_odds(features: pl.DataFrame, scorer: Scorer) -> np.ndarray:
    """Log-odds that a group is a campaign, from :data:`~detector.campaigns.FEATURES`."""
    weights = np.array([scorer.weights.campaign_weights.get(f, 0.0) for f in FEATURES])
    return scorer.weights.campaign_intercept + features.select(FEATURES).to_numpy() @ weights


def assess(profiles: Profiles, scorer: Scorer) -> Assessment:
    """Findings on every account and campaign. Evidence is attached where the verdict is not ``clear``."""
    weights = scorer.weights
    if not len(profiles):
        return Assessment(accounts=[], campaigns=[], threshold=weights.flag_at, watch_threshold=weights.watch_at)
    own = score(View(profiles), scorer)
    log_odds = own.log_odds.copy()
    log_odds = np.maximum(log_odds, _slice_log_odds(profiles, own, scorer) - SLICE_PENALTY)
    log_odds[own.view.n < MIN_REQUESTS] = np.minimum(log_odds[own.view.n < MIN_REQUESTS], _logit(weights.watch_at) - 1e-6)
    campaigns, member_of = _campaigns(profiles, scorer)
    risk = expit(log_odds)
    by_acct = {int(a): i for i, a in enumerate(own.view.acct)}
    for acct, place in member_of.items():
        risk[by_acct[acct]] = max(risk[by_acct[acct]], place.risk)
    verdicts = np.where(risk >= weights.flag_at, 2, np.where(risk >= weights.watch_at, 1, 0))
    flagged_at = _flag_times(profiles, own, verdicts == 2, scorer)
    accounts = _account_findings(profiles, own, risk, verdicts, member_of, flagged_at, scorer)
    flagged = verdicts == 2
    return Assessment(
        accounts=accounts,
        campaigns=campaigns,
        expected_false_flags=float((1 - risk[flagged]).sum()),
        threshold=weights.flag_at,
        watch_threshold=weights.watch_at,
    )


def _logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def _slices(profiles: Profiles, view: View) -> pl.DataFrame:
    """Slices of single accounts by a frame: feature rows with ``group`` (slice) and ``acct``."""
    totals = pl.DataFrame({"acct": view.acct, "all": view.n})
    pieces = view.kind("piece").join(totals, on="acct").filter(
        (pl.col("key") % 2 == 0) & (pl.col("n") >= MIN_REQUESTS) & (pl.col("n") / pl.col("all")).is_between(*SLICE_SHARE)
    )
    pieces = pieces.sort("n", "key", descending=True).group_by("acct", maintain_order=True).head(SLICES_PER_ACCOUNT)
    pieces = pieces.select("acct", "key", pl.struct("acct", "key").hash(1).alias("group"))
    rows = profiles.sample.join(pieces.select("acct").unique(), on="acct", how="semi")
    hits = rows.select("event_key", "acct", pl.col("pieces").alias("key")).explode("key").join(pieces, on=["acct", "key"])
    return rows.join(hits.select("event_key", "group"), on="event_key")


def _slice_log_odds(profiles: Profiles, own: Scored, scorer: Scorer) -> np.ndarray:
    """Best log-odds among an account's slices, aligned to the accounts; -inf where there is none."""
    rows = _slices(profiles, own.view)
    if not len(rows):
        return np.full(len(own.view), -np.inf)
    view = slice_view(rows)
    scored = score(view, scorer)
    best = (
        pl.DataFrame({"group": view.acct, "log_odds": scored.log_odds, "n": view.n}).filter(pl.col("n") >= MIN_REQUESTS)
        .join(rows.select("group", "acct").unique(), on="group").group_by("acct").agg(pl.col("log_odds").max())
    )  # fmt: skip
    return own.view.aligned(best, "log_odds", -np.inf)


@dataclass(frozen=True)
class Membership:
    """An account's place in a campaign."""

    campaign_id: str
    risk: float  # on the accounts' scale
    why: str
    flagged_at: datetime | None


def _campaigns(profiles: Profiles, scorer: Scorer) -> tuple[list[CampaignFinding], dict[int, Membership]]:
    """Campaigns at least worth watching, and each member account's place in its campaign."""
    weights = scorer.weights
    candidates = _risky(discover(profiles), profiles, scorer, min(weights.campaign_flag_at, weights.watch_at))
    if not len(candidates):
        return [], {}
    groups = _purify(candidates, scorer)
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
    times = _campaign_times(groups.rows, features, scorer)
    for i in np.argsort(-risk, kind="stable"):
        campaign_risk = _account_risk(float(risk[i]), scorer)
        if campaign_risk < weights.watch_at:
            break
        group = int(view.acct[int(i)])
        rows = rows_by_group[group]
        uses = rows.group_by("acct").agg(pl.len(), pl.col("ts").min()).filter(~pl.col("acct").is_in(list(member_of)))
        if len(uses) < MIN_MEMBERS:
            continue
        kinds = seeds[group]["kind"].unique().to_list()
        own_ties = _with_seed_tie(ties[group], kinds, rows, len(uses), profiles)
        if _tie_classes(own_ties) < MIN_TIE_CLASSES:
            continue
        campaign_id = f"c{group:016x}"
        accts = uses.sort("acct")["acct"].to_list()
        flagged = campaign_risk >= weights.flag_at
        for acct, count, first in uses.iter_rows():
            why = f"{count} of its requests are part of the shared work. {own_ties[0].text}"
            member_of[acct] = Membership(campaign_id, campaign_risk, why, _when(max(first, times[group])) if flagged else None)
        finding = _campaign_finding(campaign_id, campaign_risk, accts, names, rows, own_ties, scored, int(i), scorer, member_of)
        finding.flagged_at = _when(times[group]) if flagged else None
        findings.append(finding)
    return findings, member_of


def _risky(groups: Groups, profiles: Profiles, scorer: Scorer, at_least: float) -> Groups:
    """The candidate groups that would at least be watched."""
    if not len(groups):
        return groups
    view = slice_view(groups.rows)
    features, _ = group_features(groups, profiles, score(view, scorer).log_odds, view)
    return groups.keep(features.filter(pl.Series(expit(campaign_log_odds(features, scorer)) >= at_least)).select("group"))


def _purify(groups: Groups, scorer: Scorer) -> Groups:
    """Leave out members whose own part of the shared work speaks against harvesting: no guilt by association.

    Groups that shrink below MIN_MEMBERS fall.
    """
    keyed = groups.rows.with_columns(pl.struct("group", "acct").hash(3).alias("part"))
    view = slice_view(keyed.drop("group").rename({"part": "group"}))
    odds = pl.DataFrame({"part": view.acct, "odds": score(view, scorer).log_odds})
    parts = keyed.select("part", "group", "acct").unique().join(odds, on="part").filter(pl.col("odds") >= MEMBER_LOG_ODDS).select("group", "acct")
    members = groups.members.join(parts, on=["group", "acct"], how="semi")
    large = members.group_by("group").len().filter(pl.col("len") >= MIN_MEMBERS).select("group")
    kept = Groups(members, groups.rows.join(parts, on=["group", "acct"], how="semi"), groups.seeds)
    return kept.keep(large)


def _campaign_times(rows: pl.DataFrame, features: pl.DataFrame, scorer: Scorer) -> dict[int, int]:
    """Time (microseconds) at which the growing slice of each group first made it a campaign, replayed at CHECKPOINTS prefixes."""
    ranked = rows.sort("group", "ts", "event_key").with_columns((pl.int_range(pl.len()).over("group") + 1).alias("rank"), pl.len().over("group").alias("size"))
    times = {int(g): int(t) for g, t in rows.group_by("group").agg(pl.col("ts").max()).iter_rows()}
    for cut in _cuts(int(ranked["size"].max()))[::-1]:  # type: ignore[arg-type]
        prefix = ranked.filter((pl.col("rank") <= cut) & (pl.col("size") >= cut))
        about = prefix.group_by("group").agg(pl.col("acct").n_unique().alias("members"), pl.col("ts").max().alias("end"))
        about = about.filter(pl.col("members") >= MIN_MEMBERS)
        if not len(about):
            continue
        view = slice_view(prefix.join(about.select("group"), on="group", how="semi").drop("rank", "size"))
        then = pl.DataFrame({"group": view.acct, "log_odds": score(view, scorer).log_odds}).join(about, on="group")
        then = then.join(features.drop("log_odds"), on="group").with_columns(pl.col("members").log(2).alias("log_members"))
        risk = expit(campaign_log_odds(then, scorer))
        passed = then.filter(pl.Series(risk >= scorer.weights.campaign_flag_at))
        times.update({int(g): int(t) for g, t in passed.select("group", "end").iter_rows()})
    return times


def _cuts(size: int) -> np.ndarray:
    """Prefix lengths in equal steps of the logarithm, from MIN_REQUESTS on."""
    steps = np.linspace(0, np.log(max(size / MIN_REQUESTS, 1.01)), CHECKPOINTS)
    return np.unique(np.round(MIN_REQUESTS * np.exp(steps)).astype(int))


def _account_risk(campaign_risk: float, scorer: Scorer) -> float:
    """A campaign's risk on the accounts' scale: its own flag threshold is mapped onto theirs, monotonically."""
    shift = _logit(scorer.weights.flag_at) - _logit(scorer.weights.campaign_flag_at)
    return float(expit(_logit(min(max(campaign_risk, 1e-9), 1 - 1e-9)) + shift))


def _with_seed_tie(ties: list[Tie], kinds: list[int], rows: pl.DataFrame, members: int, profiles: Profiles) -> list[Tie]:
    content = [k for k in ("piece", "system", "state") if KIND[k] in kinds]
    if not content:
        return ties
    weight = float(np.log2(max(len(profiles) / members, 1.0)) * min(members - 1, 5))
    words = {"piece": "the same rare sentence", "system": "the same rare system prompt", "state": "the very same tasks"}
    text = f"{members} of {len(profiles)} accounts send {' and '.join(words[k] for k in content)}, in {len(rows)} requests."
    kind = "template" if content != ["state"] else "prompt"
    return [Tie(kind=kind, weight=round(weight, 1), members=members, text=text), *ties]


def _tie_classes(ties: list[Tie]) -> int:
    """Number of independent kinds of link."""
    classes = {CLASS_OF_TIE.get(t.kind, {"template": "content", "prompt": "content"}.get(t.kind, t.kind)) for t in ties}
    return len(classes)


def _when(us: int | float) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)


def _evidence(scored: Scored, i: int, scorer: Scorer, event_ids: list[str]) -> list[Evidence]:
    """Reasons of one row, the weightiest first; contributions of less than a tenth in log-odds are left out."""
    percentiles = scorer.percentiles(scored.values[i : i + 1])[0]
    n = int(scored.view.n[i])
    out = []
    for j in np.argsort(-np.abs(scored.contributions[i]), kind="stable"):
        contribution = float(scored.contributions[i, j])
        if abs(contribution) < 0.1:
            break
        signal = SIGNALS[j]
        value = float(scored.values[i, j])
        weaker = (contribution < 0) == (signal.direction == "for")
        text = signal.text(value, n)
        out.append(Evidence(
            signal=signal.name, title=signal.title, direction="against" if contribution < 0 else "for", value=value, unit=signal.unit,
            percentile=float(percentiles[j]), contribution=contribution, version=signal.version, event_ids=event_ids[:EXAMPLES],
            text=f"Less than usual. {text}" if weaker else text))  # fmt: skip
    return out


def _harvest(contributions: np.ndarray) -> str | None:
    """What the work looks like: the strongest signal *for* that names a kind of harvest."""
    best = max(((contributions[j], HARVESTS[s.name]) for j, s in enumerate(SIGNALS) if s.name in HARVESTS), default=None)
    return best[1] if best and best[0] > 0.1 else None


def _activity(rows: pl.DataFrame) -> list[int]:
    hours = np.bincount(((rows["ts"].to_numpy() // 3_600_000_000) - 96) % 168, minlength=168)
    return hours.tolist()


def _top_clusters(rows: pl.DataFrame) -> list[tuple[int, int]]:
    top = rows.filter(pl.col("cluster") >= 0).group_by("cluster").len().sort("len", "cluster", descending=[True, False]).head(40)
    return [(int(c), int(n)) for c, n in top.iter_rows()]


def _templates(rows: pl.DataFrame, usage: dict[int, int]) -> list[Template]:
    """The sentences that most of these requests share; ``usage`` maps a piece to the number of accounts that use it."""
    exploded = rows.select("event_key", "event_id", "prompt", "pieces").explode("pieces").drop_nulls("pieces")
    top = (
        exploded.filter(pl.col("pieces") % 2 == 0).group_by("pieces")
        .agg(pl.col("event_key").n_unique().alias("n"), pl.col("prompt").n_unique().alias("slots"), pl.col("event_id").sort().head(EXAMPLES))
        .filter(pl.col("n") >= max(3, 0.05 * len(rows))).sort("n", "pieces", descending=[True, False]).head(5)
    )  # fmt: skip
    return [
        Template(template_id=f"{key:016x}", requests=n, share=n / len(rows), distinct_slots=slots, accounts=usage.get(key, 1), event_ids=list(ids))
        for key, n, slots, ids in top.iter_rows()
    ]


def _examples(rows: pl.DataFrame) -> list[str]:
    return rows.unique("prompt", keep="first", maintain_order=True).sort("event_key")["event_id"].head(EXAMPLES).to_list()


def _campaign_finding(
    campaign_id: str, risk: float, accts: list[int], names: dict[int, str], rows: pl.DataFrame, ties: list[Tie],
    scored: Scored, i: int, scorer: Scorer, member_of: dict[int, Membership],
) -> CampaignFinding:  # fmt: skip
    rows = rows.filter(pl.col("acct").is_in(accts)).sort("event_key")
    examples = _examples(rows)
    verdict: Verdict = "flag" if risk >= scorer.weights.flag_at else "watch"
    pieces = rows.select("acct", "pieces").explode("pieces").drop_nulls("pieces").group_by("pieces").agg(pl.col("acct").n_unique())
    return CampaignFinding(
        campaign_id=campaign_id, risk=risk, verdict=verdict, accounts=[names[a] for a in accts], requests=len(rows),
        first_seen=_when(rows["ts"].min()), last_seen=_when(rows["ts"].max()),
        harvest=_harvest(scored.contributions[i]), input_tokens=int(rows["input_tokens"].sum()), output_tokens=int(rows["output_tokens"].sum()),
        ties=ties, evidence=_evidence(scored, i, scorer, examples), templates=_templates(rows, dict(pieces.iter_rows())),
        clusters=_top_clusters(rows), activity=_activity(rows), example_event_ids=examples,
        members={names[a]: member_of[a].why for a in accts},
    )  # fmt: skip


def _flag_times(profiles: Profiles, own: Scored, flagged: np.ndarray, scorer: Scorer) -> dict[int, datetime]:
    """For each flagged account the time at which its own growing profile first passed the threshold, where it did.

    Replayed on the account's sample at CHECKPOINTS prefixes.
    """
    accts = own.view.acct.filter(pl.Series(flagged))
    if not len(accts):
        return {}
    rows = profiles.sample.filter(pl.col("acct").is_in(accts.implode())).sort("acct", "ts", "event_key")
    rows = rows.with_columns((pl.int_range(pl.len()).over("acct") + 1).alias("rank"), pl.len().over("acct").alias("size"))
    times: dict[int, int] = {}
    for cut in _cuts(int(rows["size"].max()))[::-1]:  # type: ignore[arg-type]
        prefix = rows.filter((pl.col("rank") <= cut) & (pl.col("size") >= cut))
        if not len(prefix):
            continue
        view = View(Profiles.of_rows(prefix.drop("rank", "size")))
        passed = set(view.acct.filter(pl.Series(score(view, scorer).log_odds >= _logit(scorer.weights.flag_at))).to_list())
        ends = prefix.group_by("acct").agg(pl.col("ts").max())
        times.update({int(a): int(t) for a, t in ends.iter_rows() if a in passed})
    return {a: _when(t) for a, t in times.items()}


def _account_findings(
    profiles: Profiles, own: Scored, risk: np.ndarray, verdicts: np.ndarray, member_of: dict[int, Membership],
    flagged_at: dict[int, datetime], scorer: Scorer,
) -> list[AccountFinding]:  # fmt: skip
    names = dict(profiles.accounts.select("acct", "account_id").iter_rows())
    suspicious = own.view.acct.filter(pl.Series(verdicts > 0))
    sample = profiles.sample.filter(pl.col("acct").is_in(suspicious.implode())).sort("event_key")
    rows_of = {int(k[0]): t for k, t in sample.partition_by("acct", as_dict=True).items()}
    related = _related(profiles, suspicious, names)
    usage = _piece_usage(profiles, suspicious)
    words: tuple[Verdict, ...] = ("clear", "watch", "flag")
    totals = own.view.totals
    findings = []
    for i, row in enumerate(totals.iter_rows(named=True)):
        acct = row["acct"]
        finding = AccountFinding(
            account_id=names[acct], risk=float(risk[i]), verdict=words[verdicts[i]], requests=row["n"],
            first_seen=_when(row["first"]), last_seen=_when(row["last"]), input_tokens=row["input_tokens"], output_tokens=row["output_tokens"],
        )  # fmt: skip
        if verdicts[i]:
            rows = rows_of[acct]
            finding.example_event_ids = _examples(rows)
            finding.evidence = _evidence(own, i, scorer, finding.example_event_ids)
            finding.harvest = _harvest(own.contributions[i])
            finding.templates = _templates(rows, usage)
            finding.clusters, finding.activity = _top_clusters(rows), _activity(rows)
            finding.related = related.get(acct, [])
            if verdicts[i] == 2:
                known = [t for t in (flagged_at.get(acct), member_of[acct].flagged_at if acct in member_of else None) if t]
                finding.flagged_at = min(known, default=finding.last_seen)
            if acct in member_of:
                place = member_of[acct]
                finding.campaign_id = place.campaign_id
                finding.evidence.insert(0, Evidence(
                    signal="campaign", title="Member of a campaign", direction="for", value=place.risk, unit="risk of the campaign", percentile=1.0,
                    contribution=_logit(min(max(place.risk, 1e-6), 1 - 1e-6)), text=f"Campaign {place.campaign_id}: {place.why}", event_ids=finding.example_event_ids))  # fmt: skip
        findings.append(finding)
    return findings


def _piece_usage(profiles: Profiles, accts: pl.Series) -> dict[int, int]:
    pieces = profiles.kind("piece")
    mine = pieces.filter(pl.col("acct").is_in(accts.implode()) & (pl.col("n") >= 3)).select("key").unique()
    return dict(pieces.join(mine, on="key", how="semi").group_by("key").agg(pl.col("acct").n_unique()).iter_rows())


def _related(profiles: Profiles, accts: pl.Series, names: dict[int, str]) -> dict[int, list[Related]]:
    """For each account up to ten others that share rare objects with it, with the objects named."""
    words = {"piece": "a rare sentence", "state": "the same task", "payment": "the payment method", "ip": "the address", "tls": "the TLS fingerprint"}
    shared = profiles.kind(*words).with_columns(pl.len().over("kind", "key").alias("df")).filter(pl.col("df").is_between(2, 200))
    mine = shared.filter(pl.col("acct").is_in(accts.implode())).select("kind", "key", "acct", "df")
    pairs = mine.join(shared.select("kind", "key", pl.col("acct").alias("other")), on=["kind", "key"]).filter(pl.col("acct") != pl.col("other"))
    bits = (len(profiles) / pl.col("df")).log(2)
    best = (
        pairs.group_by("acct", "other", "kind").agg(bits.max().alias("bits"))
        .group_by("acct", "other").agg(pl.col("bits").sum(), pl.col("kind").sort())
        .sort("bits", "other", descending=True).group_by("acct", maintain_order=True).head(10)
    )  # fmt: skip
    out: dict[int, list[Related]] = {}
    for acct, other, weight, kinds in best.iter_rows():
        text = "Shares " + ", ".join(words[KINDS[k]] for k in kinds)
        out.setdefault(acct, []).append(Related(account_id=names[other], weight=round(weight, 1), text=text))
    return out
