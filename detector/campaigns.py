"""Campaigns: groups of accounts that look like one worker.

Seeds are rare shared objects: sentences of a template, system prompts, conversation states (content), payment methods and
addresses (identity). Seeds with nearly the same members are one family. A family's members are assessed on the *slice* of
their requests that carries the family, merged into one profile: cover traffic is left outside. Beside the slice's own
signals stand the ties, each with the chance that unrelated accounts would share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sknetwork.clustering import Louvain

from detector.neighbours import near_duplicates
from detector.profiles import KIND as _KIND
from detector.profiles import Profiles
from detector.view import View

MIN_MEMBERS = 3  # two accounts may be one person's; three is a group
MIN_USES = 2  # requests with the object before an account counts as a user of it
OF_OWNERS = ("payment", "ip")  # kinds of identity of which one use is enough
WIDE = 8  # accounts from which one use each is enough: a frame spread so thin that each account shows it once
SCRIPT_SHARE = 0.2  # of all accounts: explicit settings that more accounts use are a library's defaults
MAX_SHARE = 0.5  # of all accounts: what half of the population shares ties nobody
REQUESTS_AT_ONCE = 200_000  # of groups that are looked at together: bounds memory to some hundred MB
MAX_SEEDS = 20_000  # seeds kept, those with the most members first; bounds the family matrix
SAME_FAMILY = 0.7  # Jaccard similarity of member sets from which two seeds are one template
MAX_TASK_ACCOUNTS = 300  # a task asked by more accounts than this is a greeting or a public benchmark
MIN_TASK_WEIGHT = 3.0  # about one task that only two accounts in a thousand share, or several more common ones


@dataclass(frozen=True)
class Groups:
    """Candidate groups: ``members`` (group, acct, uses), ``rows`` the slice (feature rows with ``group``), ``seeds`` (group, kind, key)."""

    members: pl.DataFrame
    rows: pl.DataFrame
    seeds: pl.DataFrame

    def __len__(self) -> int:
        return self.members["group"].n_unique()

    @classmethod
    def of_rows(cls, rows: pl.DataFrame, seeds: pl.DataFrame) -> Groups:
        """The groups of the rows, whose members are who sent any."""
        return cls(rows.group_by("group", "acct").agg(pl.len().alias("uses")), rows, seeds)

    @classmethod
    def concat(cls, parts: Sequence[Groups]) -> Groups:
        """All groups of the parts, which have none in common."""
        first = parts[0]
        names = ("members", "rows", "seeds")
        return cls(*(pl.concat(getattr(p, n).select(getattr(first, n).columns) for p in parts) for n in names))

    def keep(self, groups: pl.DataFrame) -> Groups:
        """The part of the groups in column ``group`` of ``groups``."""
        return Groups(*(t.join(groups, on="group", how="semi") for t in (self.members, self.rows, self.seeds)))

    def keep_members(self, members: pl.DataFrame) -> Groups:
        """The part of the memberships (``group``, ``acct``); groups left with fewer than MIN_MEMBERS fall."""
        on = ["group", "acct"]
        kept = self.members.join(members, on=on, how="semi")
        large = kept.group_by("group").len().filter(pl.col("len") >= MIN_MEMBERS).select("group")
        return Groups(kept, self.rows.join(members, on=on, how="semi"), self.seeds).keep(large)


@dataclass(frozen=True)
class CandidateGroups:
    """Groups whose rows are told by their position: a request stands in several, and laid out for all of them at once the rows are
    larger than the sample itself."""

    members: pl.DataFrame  # group, acct, uses
    hits: pl.DataFrame  # row (position in ``sample``), acct, group
    seeds: pl.DataFrame  # group, kind, key
    sample: pl.DataFrame

    def __len__(self) -> int:
        return self.members["group"].n_unique()

    def keep(self, groups: pl.DataFrame) -> CandidateGroups:
        """The part of the groups in column ``group`` of ``groups``."""
        members, hits, seeds = (t.join(groups, on="group", how="semi") for t in (self.members, self.hits, self.seeds))
        return CandidateGroups(members, hits, seeds, self.sample)

    def groups(self) -> Groups:
        """The same with their rows."""
        return Groups(self.members, self.sample[self.hits["row"]].with_columns(self.hits["group"]), self.seeds)

    def in_turn(self, requests: int = REQUESTS_AT_ONCE) -> Iterator[Groups]:
        """All of them, as many at a time as have about so many requests."""
        sizes = self.hits.group_by("group").len().sort("group")
        for _, some in sizes.group_by(pl.col("len").cum_sum() // requests, maintain_order=True):
            yield self.keep(some.select("group")).groups()


def discover(profiles: Profiles, known_frames: pl.Series | None = None) -> CandidateGroups:
    """Candidate groups of at least MIN_MEMBERS accounts that share rare content or a rare identity.

    ``known_frames`` are keys of sentences and system prompts that a reviewed log showed to be public: they tie nobody.
    """
    near = near_duplicates(profiles.sample)
    framed = profiles.kind("piece", "system")
    if known_frames is not None and len(known_frames):
        framed = framed.filter(~pl.col("key").is_in(known_frames.implode()))
    frames = _families(_rare(framed, profiles, MIN_USES))
    alike = _families(_rare(_near_objects(profiles, near), profiles, MIN_USES))
    content = pl.concat([frames, alike, _task_communities(profiles)])
    identity = _families(_rare(profiles.kind(*OF_OWNERS), profiles, 1))
    scripts = _families(_rare(profiles.kind("settings"), profiles, MIN_USES, SCRIPT_SHARE))
    content = pl.concat([content, scripts])
    hits = pl.concat([_content_hits(profiles, content, near), _identity_hits(profiles, identity)])
    members = hits.group_by("group", "acct").agg(pl.len().alias("uses"))
    large = members.group_by("group").len().filter(pl.col("len") >= MIN_MEMBERS)
    seeds = pl.concat([content, identity]).select("group", "kind", "key").unique()
    return CandidateGroups(members, hits, seeds, profiles.sample).keep(large.select("group"))


def public_frames(profiles: Profiles) -> pl.Series:
    """Keys of sentences and system prompts that several accounts of a reviewed log share, each more than once."""
    used = profiles.kind("piece", "system").filter(pl.col("n") >= MIN_USES)
    return used.group_by("key").agg(pl.col("acct").n_unique()).filter(pl.col("acct") >= MIN_MEMBERS)["key"].sort()


def _near_objects(profiles: Profiles, near: pl.DataFrame) -> pl.DataFrame:
    """Groups of near-duplicate prompts as objects that accounts use, like those of :meth:`Profiles.kind`."""
    used = (
        profiles.sample.select("acct", "prompt").join(near, on="prompt").group_by("acct", pl.col("leader").alias("key"))
    )
    return used.agg(pl.len().alias("n")).select(pl.lit(_KIND["prompt"], pl.UInt8).alias("kind"), "acct", "key", "n")


def _rare(objects: pl.DataFrame, profiles: Profiles, uses: int, most: float = MAX_SHARE) -> pl.DataFrame:
    """Shared objects: kind, key, acct, of those used by at least MIN_MEMBERS accounts but not by most. Passages are left out.

    An account counts as a user from ``uses`` requests on, or from the first where the object has WIDE accounts.
    """
    objects = objects.filter((pl.col("kind") != _KIND["piece"]) | (pl.col("key") % 2 == 0))
    used = objects.filter((pl.col("n") >= uses) | (pl.len().over("kind", "key") >= WIDE))
    df = used.group_by("kind", "key").len("df")
    df = df.filter(pl.col("df").is_between(MIN_MEMBERS, max(MIN_MEMBERS, most * len(profiles))))
    df = df.sort("df", "key", descending=True).head(MAX_SEEDS)
    return used.join(df, on=["kind", "key"]).select("kind", "key", "acct", "df")


def _task_communities(profiles: Profiles) -> pl.DataFrame:
    """Accounts that share conversation states, grouped by Louvain over the number of states two accounts share, each weighted by rarity.

    A state and the parent of a later turn are one thing: a dialogue that goes on in another account ties the two.
    """
    empty = pl.DataFrame(schema={"kind": pl.UInt8, "key": pl.UInt64, "acct": pl.UInt64, "group": pl.UInt64})
    states = profiles.kind("state", "parent").select("key", "acct").unique()
    states = states.with_columns(pl.len().over("key").alias("df")).filter(pl.col("df").is_between(2, MAX_TASK_ACCOUNTS))
    if not len(states):
        return empty
    keys, accts = (
        states.select("key").unique().with_row_index("row"),
        states.select("acct").unique().sort("acct").with_row_index("column"),
    )
    table = states.join(keys, on="key").join(accts, on="acct")
    weight = np.sqrt(np.log2(max(len(profiles), 2) / table["df"].to_numpy()).clip(0.1) / table["df"].to_numpy())
    uses = csr_matrix((weight, (table["row"].to_numpy(), table["column"].to_numpy())), shape=(len(keys), len(accts)))
    together = (uses.T @ uses).tocsr()
    together.setdiag(0)
    together.data[together.data < MIN_TASK_WEIGHT] = 0
    together.eliminate_zeros()
    if not together.nnz:
        return empty
    communities = Louvain(random_state=7).fit_predict(together)
    linked = np.asarray(together.sum(axis=1)).ravel() > 0
    members = accts.with_columns(pl.Series("community", communities), pl.Series("linked", linked)).filter(
        pl.col("linked")
    )
    named = table.join(members.select("acct", "community"), on="acct")
    named = named.filter(pl.len().over("key", "community") >= 2)
    named = named.filter(pl.len().over("acct", "community") >= MIN_USES)
    named = named.with_columns((pl.col("key").min().over("community")).alias("group"))
    return named.select(pl.lit(_KIND["state"], pl.UInt8).alias("kind"), "key", "acct", "group")


def _families(seeds: pl.DataFrame) -> pl.DataFrame:
    """Seeds with the ``group`` of their family: connected by member sets that are nearly the same."""
    if not len(seeds):
        return seeds.select("kind", "key", "acct").with_columns(pl.lit(0, pl.UInt64).alias("group"))
    keys = seeds.select("kind", "key").unique().sort("kind", "key").with_row_index("seed")
    accts = seeds.select("acct").unique().with_row_index("account")
    table = seeds.join(keys, on=["kind", "key"]).join(accts, on="acct")
    shape = (len(keys), len(accts))
    uses = csr_matrix(
        (np.ones(len(table), np.float32), (table["seed"].to_numpy(), table["account"].to_numpy())), shape=shape
    )
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
    return (
        table.join(root.select("seed", "family"), on="seed")
        .join(named, on="family")
        .select("kind", "key", "acct", "group")
    )


def _member_signature(uses: csr_matrix) -> np.ndarray:
    weights = np.random.default_rng(7).integers(1, 2**62, uses.shape[1], dtype=np.uint64)
    data = csr_matrix((weights[uses.indices], uses.indices, uses.indptr), shape=uses.shape)
    return np.add.reduceat(np.append(data.data, np.uint64(0)), data.indptr[:-1])


def _content_hits(profiles: Profiles, families: pl.DataFrame, near: pl.DataFrame) -> pl.DataFrame:
    """Which rows of the sample carry a family, among those of the accounts of any: row (position), acct, group."""
    keys = families.select("kind", "key", "group").unique()
    numbered = profiles.sample.select(
        "acct", "prompt", "pieces", "system", "settings", "state", "parent"
    ).with_row_index("row")
    sample = numbered.join(families.select("acct").unique(), on="acct", how="semi")
    leaders = keys.filter(pl.col("kind") == _KIND["prompt"]).select(pl.col("key").alias("leader"), "group")
    alike = sample.select("row", "acct", "prompt").join(near, on="prompt").join(leaders, on="leader")
    hits = [alike.select("row", "acct", "group")]
    for kind, column in (
        ("piece", "pieces"),
        ("system", "system"),
        ("settings", "settings"),
        ("state", "state"),
        ("state", "parent"),
    ):
        wanted = keys.filter(pl.col("kind") == _KIND[kind]).select("key", "group")
        found = sample.select("row", "acct", pl.col(column).alias("key"))
        found = found.explode("key") if kind == "piece" else found
        hits.append(found.join(wanted, on="key").select("row", "acct", "group"))
    return pl.concat(hits).unique()


def _identity_hits(profiles: Profiles, families: pl.DataFrame) -> pl.DataFrame:
    """The same of families that are identities: all rows of their accounts."""
    mine = families.select("acct", "group").unique()
    return profiles.sample.select("acct").with_row_index("row").join(mine, on="acct").select("row", "acct", "group")


def slice_view(rows: pl.DataFrame) -> View:
    """View of the groups' slices, one row a group."""
    return View(slice_profiles(rows))


def slice_profiles(rows: pl.DataFrame) -> Profiles:
    """Profiles of feature rows with a ``group``, one a group."""
    return Profiles.of_rows(rows.with_columns(pl.col("group").alias("acct")).drop("group"))
