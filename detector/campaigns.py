"""Campaigns: groups of accounts that look like one worker.

Seeds are rare shared objects: sentences of a template, system prompts, conversation states (content), payment methods and
addresses (identity). Seeds with nearly the same members are one family. A family's members are assessed on the *slice* of
their requests that carries the family, merged into one profile: cover traffic is left outside. Beside the slice's own
signals stand the ties, each with the chance that unrelated accounts would share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import binom

from detector.assessment import Tie
from detector.features import EMBEDDING_SCALE
from detector.profiles import KIND as _KIND
from detector.profiles import Profiles
from detector.view import View

MIN_MEMBERS = 3  # two accounts may be one person's; three is a group
MIN_USES = 2  # requests with the object before an account counts as a user of it
MAX_SHARE = 0.5  # of all accounts: what half of the population shares ties nobody
MAX_SEEDS = 20_000  # seeds kept, those with the most members first; bounds the family matrix
SAME_FAMILY = 0.6  # Jaccard similarity of member sets from which two seeds are one template
MAX_BITS = 40.0  # a tie's surprise is capped: beyond this more proves nothing more
EXCHANGE_ROWS = 400  # rows per group for the exchangeability test

OWNERSHIP = ("payment", "email_domain", "organization")
INFRASTRUCTURE = ("ip", "network", "tls", "user_agent")
IDENTITY_TIES = {"payment": "payment method", "email_domain": "e-mail domain", "ip": "address", "network": "network",
                 "tls": "TLS fingerprint", "user_agent": "client program", "birth": "day of registration",
                 "settings": "explicit sampling settings"}  # fmt: skip
CLASS_OF_TIE = {"payment": "ownership", "email_domain": "ownership", "ip": "infrastructure", "network": "infrastructure",
                "tls": "infrastructure", "user_agent": "infrastructure", "birth": "birth", "settings": "settings"}  # fmt: skip

FEATURES = (
    "log_odds", "log_members", "ownership", "infrastructure", "birth", "settings", "exchangeable", "co_movement",
    "equal_shares", "slice_share", "one_organization",
)  # fmt: skip
"""Inputs of the campaign model, see :func:`group_features`."""


@dataclass(frozen=True)
class Groups:
    """Candidate groups: ``members`` (group, acct, uses), ``rows`` the slice (feature rows with ``group``), ``seeds`` (group, kind, key)."""

    members: pl.DataFrame
    rows: pl.DataFrame
    seeds: pl.DataFrame

    def __len__(self) -> int:
        return self.members["group"].n_unique()


def discover(profiles: Profiles) -> Groups:
    """Candidate groups of at least MIN_MEMBERS accounts that share rare content or a rare identity."""
    content = _families(_seeds(profiles, ("piece", "system", "state"), MIN_USES), len(profiles))
    identity = _families(_seeds(profiles, ("payment", "ip", "tls"), 1), len(profiles))
    rows = pl.concat([_content_rows(profiles, content), _identity_rows(profiles, identity)])
    members = rows.group_by("group", "acct").agg(pl.len().alias("uses"))
    large = members.group_by("group").len().filter(pl.col("len") >= MIN_MEMBERS)
    keep = large.select("group")
    seeds = pl.concat([content, identity]).select("group", "kind", "key").unique()
    return Groups(*(t.join(keep, on="group", how="semi") for t in (members, rows, seeds)))


def _seeds(profiles: Profiles, kinds: tuple[str, ...], uses: int) -> pl.DataFrame:
    """Shared objects: kind, key, acct, of those used by at least MIN_MEMBERS accounts but not by most."""
    objects = profiles.kind(*kinds)
    used = objects.filter((pl.col("n") >= uses) & (pl.col("key") % 2 == 0) | pl.col("kind").is_in([_KIND["state"]]) & (pl.col("n") >= 1))
    df = used.group_by("kind", "key").len("df")
    df = df.filter(pl.col("df").is_between(MIN_MEMBERS, max(MIN_MEMBERS, MAX_SHARE * len(profiles))))
    df = df.sort("df", "key", descending=True).head(MAX_SEEDS)
    return used.join(df, on=["kind", "key"]).select("kind", "key", "acct", "df")


def _families(seeds: pl.DataFrame, accounts: int) -> pl.DataFrame:
    """Seeds with the ``group`` of their family: connected by member sets that are nearly the same."""
    if not len(seeds):
        return seeds.select("kind", "key", "acct").with_columns(pl.lit(0, pl.UInt64).alias("group"))
    keys = seeds.select("kind", "key").unique().sort("kind", "key").with_row_index("seed")
    accts = seeds.select("acct").unique().with_row_index("account")
    table = seeds.join(keys, on=["kind", "key"]).join(accts, on="acct")
    shape = (len(keys), len(accts))
    uses = csr_matrix((np.ones(len(table), np.float32), (table["seed"].to_numpy(), table["account"].to_numpy())), shape=shape)
    signature = _member_signature(uses)  # identical member sets first, so that the pairwise matrix stays small
    unique, inverse = np.unique(signature, return_inverse=True)
    first = np.zeros(len(unique), int)
    first[inverse[::-1]] = np.arange(len(signature))[::-1]
    small = uses[first]
    together = (small @ small.T).tocoo()
    size = np.asarray(small.sum(axis=1)).ravel()
    jaccard = together.data / (size[together.row] + size[together.col] - together.data)
    near = jaccard >= SAME_FAMILY
    graph = csr_matrix((np.ones(near.sum()), (together.row[near], together.col[near])), shape=(len(unique),) * 2)
    _, label = connected_components(graph, directed=False)
    root = keys.with_columns(pl.Series("family", label[inverse]))
    named = root.group_by("family").agg(pl.col("key").min().alias("group"))
    return table.join(root.select("seed", "family"), on="seed").join(named, on="family").select("kind", "key", "acct", "group")


def _member_signature(uses: csr_matrix) -> np.ndarray:
    weights = np.random.default_rng(7).integers(1, 2**62, uses.shape[1], dtype=np.uint64)
    data = csr_matrix((weights[uses.indices], uses.indices, uses.indptr), shape=uses.shape)
    return np.add.reduceat(np.append(data.data, np.uint64(0)), data.indptr[:-1])


def _content_rows(profiles: Profiles, families: pl.DataFrame) -> pl.DataFrame:
    keys = families.select("kind", "key", "group").unique()
    sample = profiles.sample.join(families.select("acct").unique(), on="acct", how="semi")
    hits = []
    for kind, column in (("piece", "pieces"), ("system", "system"), ("state", "state")):
        wanted = keys.filter(pl.col("kind") == _KIND[kind]).select("key", "group")
        found = sample.select("event_key", pl.col(column).alias("key"))
        found = found.explode("key") if kind == "piece" else found
        hits.append(found.join(wanted, on="key").select("event_key", "group"))
    return sample.join(pl.concat(hits).unique(), on="event_key")


def _identity_rows(profiles: Profiles, families: pl.DataFrame) -> pl.DataFrame:
    return profiles.sample.join(families.select("acct", "group").unique(), on="acct")


def slice_view(rows: pl.DataFrame) -> View:
    """View of the groups' slices, one row a group."""
    return View(Profiles.of_rows(rows.with_columns(pl.col("group").alias("acct")).drop("group")))


def group_features(groups: Groups, profiles: Profiles, scorer_log_odds: np.ndarray, view: View) -> tuple[pl.DataFrame, dict[int, list[Tie]]]:
    """Features of the campaign model (``group`` and FEATURES), and the ties of each group in words.

    ``view`` is :func:`slice_view` of the groups, ``scorer_log_odds`` the scorer's log-odds of its rows.
    """
    order = view.acct
    population = {kind: _document_frequency(profiles, kind) for kind in (*IDENTITY_TIES, "organization")}
    total = max(len(profiles), 1)
    hours = _hourly(profiles.sample)
    base_movement = _co_movement(hours)
    all_uses = profiles.totals.select("acct", "n")
    rows_by_group = {int(k[0]): t for k, t in groups.rows.partition_by("group", as_dict=True).items()}
    members_by_group = {int(k[0]): t for k, t in groups.members.partition_by("group", as_dict=True).items()}
    out, ties = [], {}
    for group, log_odds in zip(order, scorer_log_odds, strict=True):
        rows, members = rows_by_group[group], members_by_group[group]
        m = len(members)
        found: list[Tie] = []
        bits = {"ownership": 0.0, "infrastructure": 0.0, "birth": 0.0, "settings": 0.0}
        for kind, words in IDENTITY_TIES.items():
            shared, surprise = _shared(members["acct"], population[kind], total)
            if surprise > 3:
                found.append(Tie(kind=kind, weight=surprise, members=shared,
                    text=f"{shared} of {m} accounts share one {words}; unrelated accounts would by a chance of 1 in 2^{surprise:.0f}."))  # fmt: skip
                cls = CLASS_OF_TIE[kind]
                bits[cls] = max(bits[cls], surprise)
        organization, _ = _shared(members["acct"], population["organization"], total)
        icc = _intraclass(rows)
        exchangeable = float(np.clip(1 - icc / TYPICAL_ICC, 0, 1))
        if exchangeable > 0.5:
            found.append(Tie(kind="split_queue", weight=round(10 * exchangeable, 1), members=m,
                text=f"What the {m} accounts ask could be swapped between them unnoticed (intraclass correlation {max(icc, 0):.3f}; independent users: about {TYPICAL_ICC}): parts of one work queue."))  # fmt: skip
        movement = float(np.clip((_co_movement(_hourly(rows)) - base_movement) / max(1 - base_movement, 1e-6), 0, 1))
        if movement > 0.3:
            found.append(Tie(kind="timing", weight=round(10 * movement, 1), members=m,
                text=f"The accounts are active in the same hours (similarity {movement:.2f} above that of unrelated accounts)."))  # fmt: skip
        uses = members["uses"].to_numpy().astype(float)
        equal = float(1 / (1 + uses.std() / max(uses.mean(), 1e-9)))
        covered = members.join(all_uses, on="acct")
        out.append((group, log_odds, np.log2(m), *(bits[k] for k in ("ownership", "infrastructure", "birth", "settings")),
                    exchangeable, movement, equal, float(covered["uses"].sum() / max(covered["n"].sum(), 1)), organization / m))  # fmt: skip
        ties[group] = sorted(found, key=lambda t: -t.weight)
    schema = {"group": pl.UInt64, **dict.fromkeys(FEATURES, pl.Float64)}
    return pl.DataFrame(out, schema=schema, orient="row"), ties


TYPICAL_ICC = 0.08  # intraclass correlation of the prompts of unrelated accounts that share a client; see benchmarks


def _document_frequency(profiles: Profiles, kind: str) -> pl.DataFrame:
    objects = profiles.kind(kind).select("acct", "key").unique()
    return objects.join(objects.group_by("key").len("df"), on="key")


def _shared(members: pl.Series, population: pl.DataFrame, total: int) -> tuple[int, float]:
    """How many members share the most surprising object of a kind, and the surprise in bits."""
    mine = population.filter(pl.col("acct").is_in(members.implode())).group_by("key").agg(pl.len().alias("shared"), pl.col("df").first())
    mine = mine.filter(pl.col("shared") >= 2)
    if not len(mine):
        return 0, 0.0
    shared, df = mine["shared"].to_numpy(), mine["df"].to_numpy()
    outside = np.maximum(df - shared, 0) + 1
    chance = binom.logsf(shared - 1, len(members), np.clip(outside / total, 1e-6, 1 - 1e-9)) / -np.log(2)
    surprise = chance - np.log2(max(population["key"].n_unique(), 1))  # any of the objects might have been the one
    best = int(np.argmax(surprise))
    covers = shared[best] / len(members)
    return int(shared[best]), float(np.clip(surprise[best], 0, MAX_BITS) * (covers >= 0.2))


def _intraclass(rows: pl.DataFrame) -> float:
    """Intraclass correlation of the slice's embeddings over its accounts (one-way random effects, Shrout & Fleiss 1979)."""
    rows = rows.filter(pl.col("cluster") >= 0).unique(["acct", "prompt"], keep="any").sort("event_key").head(EXCHANGE_ROWS)
    codes, counts = np.unique(rows["acct"].to_numpy(), return_inverse=True)[1], None
    k, n = (codes.max() + 1 if len(codes) else 0), len(codes)
    if k < MIN_MEMBERS or n < 2 * k:
        return TYPICAL_ICC
    vectors = rows["embedding"].to_numpy().astype(np.float32) / EMBEDDING_SCALE
    counts = np.bincount(codes, minlength=k).astype(float)
    sums = np.zeros((k, vectors.shape[1]))
    np.add.at(sums, codes, vectors)
    means, grand = sums / counts[:, None], vectors.mean(axis=0)
    between = (counts[:, None] * (means - grand) ** 2).sum() / (k - 1)
    within = ((vectors - means[codes]) ** 2).sum() / max(n - k, 1)
    n0 = (n - (counts**2).sum() / n) / (k - 1)
    return float((between - within) / (between + (n0 - 1) * within + 1e-12))


def _hourly(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("acct", (pl.col("ts") // 3_600_000_000).alias("hour")).agg(pl.len().cast(pl.Float64).sqrt().alias("w"))


def _co_movement(hours: pl.DataFrame) -> float:
    """Mean cosine of the hourly activity of two different accounts."""
    m = hours["acct"].n_unique()
    if m < 2:
        return 0.0
    unit = hours.with_columns(pl.col("w") / (pl.col("w") ** 2).sum().over("acct").sqrt())
    total = unit.group_by("hour").agg(pl.col("w").sum())["w"]
    return float(((total**2).sum() - m) / (m * (m - 1)))

