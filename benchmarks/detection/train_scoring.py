"""Fit the shipped scorer: python -m benchmarks.detection.train_scoring TRAFFIC... [--exclude-family F] [--out FILE]

TRAFFIC are folders made by ``benchmarks.detection.training_logs`` from permissively licensed corpora. Three monotone models are
fitted by scikit-learn and written out as plain arrays: of accounts and their parts, of groups, and of members. Each later
model, and the thresholds, see the earlier ones' predictions on logs that those were not fitted on: of other corpora, where the
folders' names tell groups of corpora (``<shape>-<group>``). The thresholds are those for a population of customers that is mostly
people (see ``POPULATION``). Logs of shapes ``TEACHING`` teach the models, but set no threshold.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.detection.training_logs import TEACHING
from detector.accounts import FEATURES as ACCOUNT_FEATURES
from detector.accounts import UNKNOWN, Candidates, best_of, candidates, score_accounts
from detector.calibration import quantiles, with_populations
from detector.campaigns import Groups, discover
from detector.formats import read
from detector.grouping import CANDIDATE, place
from detector.members import FEATURES as MEMBER_FEATURES
from detector.members import SIGNS, member_features
from detector.parts import MIN_REQUESTS, WHOLE
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from detector.scoring import DEFAULT, MAX_FALSE_FLAGS, Scorer, Weights, segments_of
from detector.signals import SIGNALS
from detector.simulate import benchmark
from detector.ties import GROUP, GroupFeatures, group_features
from detector.trees import TreeModel, Trees
from detector.view import View

SIGNAL_SIGNS = [1 if s.direction == "for" else -1 for s in SIGNALS]
PURE, MIXED = 0.8, 0.1  # share of harvest from which a part is an example of it, and up to which it is none
HARVESTER = 0.5  # share of harvest from which a whole account is an example
OURS, THEIRS = 0.7, 0.3  # share of attackers from which a group is a campaign, and up to which it is none
PART_OF_IT = 0.3  # share of harvest in a member's part from which an attacker is one of the campaign
ROUNDS = 1000  # of the accounts' model
GROUP_ROUNDS = 300  # of the groups' and members' models, which have fewer examples
LEAVES = 16  # fewer catch less on logs of corpora that were left out
OPERATOR = benchmark(0, ordinary=3000, each=4)  # what an operator's log may be composed of: mostly people
POPULATION = {kind: n * OPERATOR.members.get(kind, 1) for kind, n in OPERATOR.tenants.items()}  # accounts by kind
FOLDS = 4  # of the logs, at most: later models see what earlier ones say of logs that those were not fitted on


@dataclass
class Traffic:
    """One labelled log, profiled, with all that does not depend on a model."""

    name: str  # what follows its last dash is the group of corpora that its texts are from
    profiles: Profiles
    accounts: pl.DataFrame  # acct, label (bool), kind, campaign_id
    harvest: pl.DataFrame  # event_id of harvesting requests
    candidates: Candidates
    about: pl.DataFrame  # candidates.about with label, kind, campaign_id, harvest (share)
    groups: Groups


def load(folder: Path, detector: Detector) -> Traffic:
    """Profile a labelled log; the profile is kept beside it as profile.bin: remove that when the features change."""
    cache = folder / "profile.bin"
    if cache.exists():
        profiles = Profiles.from_bytes(cache.read_bytes())
    else:
        merged = merge_all(detector.profile(detector.features(b.events)) for b in read([folder / "events.jsonl"]))
        assert merged is not None
        profiles = merged
        cache.write_bytes(profiles.to_bytes())
    labels = pl.read_parquet(folder / "labels.parquet")
    accounts = profiles.accounts.join(
        labels.select(
            "account_id", "campaign_id", (pl.col("label") == "attack").alias("label"), pl.col("family").alias("kind")
        ),
        on="account_id",
    ).select("acct", "label", "kind", "campaign_id")
    events = pl.read_parquet(folder / "labels_events.parquet").filter(pl.col("harvest")).select("event_id")
    found = candidates(profiles, View(profiles))
    return Traffic(
        folder.name,
        profiles,
        accounts,
        events,
        found,
        _about(found, profiles, accounts, events),
        discover(profiles).groups(),
    )


def _harvest_of(rows: pl.DataFrame, events: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    marked = rows.join(events.with_columns(pl.lit(True).alias("harvest")), on="event_id", how="left")
    return marked.group_by(by).agg(pl.col("harvest").fill_null(False).mean())


def _about(found: Candidates, profiles: Profiles, accounts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    from detector.parts import parts

    of_parts = _harvest_of(parts(profiles, View(profiles)).select("event_id", "group"), events, ["group"])
    whole = _harvest_of(profiles.sample.select("event_id", "acct"), events, ["acct"])
    table = found.about.join(accounts, on="acct", how="left", maintain_order="left")
    table = table.join(of_parts, on="group", how="left", maintain_order="left")
    table = table.join(whole.rename({"harvest": "all"}), on="acct", how="left", maintain_order="left")
    return table.with_columns(pl.coalesce("harvest", "all").fill_null(0.0).alias("harvest"))


def balance(label: np.ndarray, kind: np.ndarray, weight: np.ndarray | float = 1.0) -> np.ndarray:
    """Weights that give each kind within a class the square root of its size, and both classes the same total."""
    names = np.array([f"{a}|{b}" for a, b in zip(label, kind, strict=True)])
    _, inverse, counts = np.unique(names, return_inverse=True, return_counts=True)
    weights = weight / np.sqrt(counts[inverse])
    for side in (True, False):
        weights[label == side] /= weights[label == side].sum()
    return weights * len(label) / 2


def fit_trees(x: np.ndarray, label: np.ndarray, weight: np.ndarray, signs: list[int], rounds: int) -> Trees:
    """Monotone gradient boosting by scikit-learn, written out as plain arrays."""
    model = HistGradientBoostingClassifier(
        monotonic_cst=signs,
        max_iter=rounds,
        learning_rate=0.06,
        max_leaf_nodes=LEAVES,
        l2_regularization=5.0,
        min_samples_leaf=15,
        early_stopping=False,
        random_state=7,
    ).fit(x, label, sample_weight=weight)
    out = Trees(base=float(model._baseline_prediction.ravel()[0]))
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        start = len(out.feature)
        out.roots.append(start)
        out.feature += [-1 if n["is_leaf"] else int(n["feature_idx"]) for n in nodes]
        out.threshold += [float(f"{n['num_threshold']:.7g}") if not n["is_leaf"] else 0.0 for n in nodes]
        out.left += [start + int(n["left"]) for n in nodes]
        out.right += [start + int(n["right"]) for n in nodes]
        out.value += [round(v, 5) for v in _expected(nodes)]
    return out


def _expected(nodes: np.ndarray) -> list[float]:
    """Value of each node: a leaf's own, an inner node's mean over the training samples below it."""
    value = [float(n["value"]) for n in nodes]

    def visit(i: int) -> float:
        node = nodes[i]
        if not node["is_leaf"]:
            left, right = int(node["left"]), int(node["right"])
            counts = float(nodes[left]["count"]), float(nodes[right]["count"])
            value[i] = (visit(left) * counts[0] + visit(right) * counts[1]) / sum(counts)
        return value[i]

    visit(0)
    return value


# ---- examples of the three models, one log at a time


@dataclass
class Examples:
    """Rows with label, kind of account and weight."""

    x: np.ndarray
    label: np.ndarray
    kind: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(
        cls, x: np.ndarray, about: pl.DataFrame, keep: pl.Expr, unit: list[str], excluded: Sequence[str]
    ) -> Examples:
        """Rows where ``keep`` holds; rows of the same ``unit`` share the square root of their number. ``about`` has ``y``."""
        mask = about.select(keep & ~pl.col("kind").is_in(list(excluded))).to_series().fill_null(False)
        about = about.filter(mask)
        weight = 1 / np.sqrt(about.select(pl.len().over(unit)).to_series().to_numpy())
        return cls(x[mask.to_numpy()], about["y"].to_numpy(), about["kind"].to_numpy(), weight)

    @classmethod
    def fit(cls, parts: Sequence[Examples], signs: list[int], rounds: int) -> Trees:
        """One model of all."""
        x, label, kind, weight = (
            np.concatenate([getattr(p, f) for p in parts]) for f in ("x", "label", "kind", "weight")
        )
        return fit_trees(x, label, balance(label, kind, weight), signs, rounds)


def account_examples(log: Traffic, excluded: Sequence[str]) -> Examples:
    """Parts that are harvest or are not, and whole accounts."""
    about = log.about.with_columns(
        pl.when(pl.col("label"))
        .then(pl.coalesce("campaign_id", pl.col("acct").cast(pl.String)))
        .otherwise(pl.col("acct").cast(pl.String))
        .alias("unit"),
        (pl.col("harvest") > HARVESTER).alias("y"),
    )
    whole = (pl.col("attribute") == WHOLE) & (pl.col("harvest") > HARVESTER)
    keep = (pl.col("requests") >= MIN_REQUESTS) & ((pl.col("harvest") > PURE) | (pl.col("harvest") < MIXED) | whole)
    return Examples.of(log.candidates.x, about, keep, ["unit"], excluded)


def account_log_odds(log: Traffic, model: TreeModel) -> pl.DataFrame:
    """acct, log_odds of each account's best candidate."""
    odds = model.predict(log.candidates.x)
    odds[log.candidates.about["requests"].to_numpy() < MIN_REQUESTS] = UNKNOWN
    best = best_of(log.candidates, odds)
    return log.candidates.about[best].select("acct", pl.Series("log_odds", odds[best]))


def group_examples(log: Traffic, features: GroupFeatures, excluded: Sequence[str]) -> Examples:
    """Groups that are campaigns or are not."""
    return Examples.of(
        features.x,
        _about_groups(log, features.view.acct).with_columns((pl.col("harvest") > HARVESTER).alias("y")),
        ((pl.col("harvest") > PURE - 0.05) & (pl.col("attackers") > OURS))
        | ((pl.col("harvest") < MIXED) & (pl.col("attackers") < THEIRS)),
        ["unit"],
        excluded,
    )


def _about_groups(log: Traffic, groups: pl.Series) -> pl.DataFrame:
    rows = log.groups.rows.select("event_id", "acct", "group")
    harvest = _harvest_of(rows, log.harvest, ["group"])
    kind = rows.join(log.accounts, on="acct").group_by("group").agg(pl.col("kind").mode().sort().first())
    attackers = (
        log.groups.members.join(log.accounts, on="acct")
        .group_by("group")
        .agg(pl.col("label").mean().alias("attackers"), pl.col("campaign_id").drop_nulls().mode().sort().first())
    )
    table = pl.DataFrame({"group": groups})
    for part in (harvest, kind, attackers):
        table = table.join(part, on="group", how="left", maintain_order="left")
    return table.with_columns(pl.coalesce("campaign_id", pl.col("group").cast(pl.String)).alias("unit"))


def member_examples(log: Traffic, memberships: pl.DataFrame, x: np.ndarray, excluded: Sequence[str]) -> Examples:
    """Attackers within their campaign, and honest accounts that share something with it."""
    own = _harvest_of(log.groups.rows.select("event_id", "acct", "group"), log.harvest, ["group", "acct"])
    about = memberships.join(log.accounts, on="acct", how="left", maintain_order="left")
    about = about.join(own, on=["group", "acct"], how="left", maintain_order="left")
    about = about.with_columns((pl.col("label") & (pl.col("harvest") > PART_OF_IT)).alias("y"))
    return Examples.of(x, about, pl.col("y") | ~pl.col("label"), ["acct"], excluded)


def fit(logs: Sequence[Traffic], excluded: Sequence[str] = (), say: Callable[[str], None] = lambda _: None) -> Weights:
    """All models of the logs, without the families ``excluded``. Raises ValueError for fewer than two logs."""
    groups = sorted({log.name.rpartition("-")[2] for log in logs})
    if len(groups) < 2:
        raise ValueError("the models are fitted across logs of different corpora: give at least two")
    folds = min(FOLDS, len(groups))
    fold_of = [groups.index(log.name.rpartition("-")[2]) % folds for log in logs]

    def crossed(examples: Sequence[Examples], signs: list[int], rounds: int) -> tuple[Trees, list[Trees]]:
        """The model of all logs, and for each log that of the folds it is not in."""
        without = [
            Examples.fit([e for e, f in zip(examples, fold_of, strict=True) if f != fold], signs, rounds)
            for fold in range(folds)
        ]
        return Examples.fit(examples, signs, rounds), [without[fold] for fold in fold_of]

    account_signs = [*SIGNAL_SIGNS, *[0] * (len(ACCOUNT_FEATURES) - 2 * len(SIGNALS) - 1), 1, *SIGNAL_SIGNS]
    accounts, account_models = crossed([account_examples(log, excluded) for log in logs], account_signs, ROUNDS)
    own = [account_log_odds(log, TreeModel(model)) for log, model in zip(logs, account_models, strict=True)]
    say("accounts fitted")
    features = [group_features(log.groups, log.profiles, odds) for log, odds in zip(logs, own, strict=True)]
    campaigns, campaign_models = crossed(
        [group_examples(log, f, excluded) for log, f in zip(logs, features, strict=True)],
        [*SIGNAL_SIGNS, *GROUP.values()],
        GROUP_ROUNDS,
    )
    say("campaigns fitted")
    memberships, xs = [], []
    for log, f, model, odds in zip(logs, features, campaign_models, own, strict=True):
        scored = f.table.select("group", pl.Series("campaign_log_odds", TreeModel(model).predict(f.x)))
        near = scored.filter(pl.col("campaign_log_odds") > CANDIDATE)
        table, x = member_features(log.groups.keep(near.select("group")), f, near, log.profiles.totals, odds)
        memberships.append(table)
        xs.append(x)
    members, member_models = crossed(
        [member_examples(log, t, x, excluded) for log, t, x in zip(logs, memberships, xs, strict=True)],
        [SIGNS[f] for f in MEMBER_FEATURES],
        GROUP_ROUNDS,
    )
    say("members fitted")
    typical = [not log.name.startswith(TEACHING) for log in logs]  # of operators' logs: what thresholds may be set by
    ordinary, sizes = (
        np.concatenate(c)
        for c in zip(*(_ordinary(log) for log, t in zip(logs, typical, strict=True) if t), strict=True)
    )
    weights = Weights(
        version="default-5",
        signals=[s.name for s in SIGNALS],
        accounts=accounts,
        campaigns=campaigns,
        members=members,
        population=quantiles(ordinary),
        segments=[],
    )
    honest = []
    for log, kept, *models in zip(logs, typical, account_models, campaign_models, member_models, strict=True):
        if not kept:
            continue
        parts = dict(zip(("accounts", "campaigns", "members"), models, strict=True))
        honest.append(_honest(log, Scorer(msgspec.structs.replace(weights, **parts))))
        say(f"{log.name} judged")
    alone, placed, requests, kinds = (np.concatenate(column) for column in zip(*honest, strict=True))
    # both ways to be flagged spend half of what is allowed
    ends = [
        float(np.quantile(scores[as_in_population(scores, kinds)], 1 - MAX_FALSE_FLAGS / 2))
        for scores in (alone, placed)
    ]
    weights.member_shift = round(ends[0] - ends[1], 4)
    scores = np.maximum(alone, placed + weights.member_shift)
    kept = as_in_population(scores, kinds)
    weights.segments = segments_of(scores[kept], requests[kept])
    weights.segments = with_populations(weights.segments, ordinary, sizes)
    return weights


def as_in_population(scores: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Positions of the honest accounts that remain where their kinds are thinned out to the proportions of POPULATION.

    The training logs hold more of every look-alike than any operator's, so that the models learn them. Of each kind those
    are kept whose scores are evenly spaced among its own: post-stratification (Holt & Smith 1979), by rank and not by chance.
    """
    found, counts = np.unique(kinds, return_counts=True)
    wanted = np.array([POPULATION[kind] for kind in found])
    kept = np.minimum(np.round(wanted * (counts / wanted).min()), counts).astype(int)
    positions = []
    for kind, n in zip(found, kept, strict=True):
        ranked = np.flatnonzero(kinds == kind)
        ranked = ranked[np.argsort(-scores[ranked], kind="stable")]
        positions.append(ranked[((np.arange(n) + 0.5) * len(ranked) / n).astype(int)])
    return np.sort(np.concatenate(positions))


def _honest(log: Traffic, scorer: Scorer) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each honest account: its own log-odds, those of its place in a campaign, its number of requests, and its kind."""
    own = score_accounts(log.profiles, scorer)
    placement = place(log.profiles, own, scorer)
    placed = np.full(len(own.view), UNKNOWN)
    if placement is not None:
        placed = own.view.aligned(placement.placed, "score", UNKNOWN)
    honest = own.view.aligned(log.accounts.select("acct", pl.col("label").cast(pl.Float64)), "label") == 0
    kinds = log.accounts.sort("acct").filter(~pl.col("label"))["kind"].to_numpy()
    return own.log_odds[honest], placed[honest], own.view.n[honest], kinds


def _ordinary(log: Traffic) -> tuple[np.ndarray, np.ndarray]:
    """Signals of the honest accounts that can be judged, and their numbers of requests."""
    whole = log.about.select(
        (pl.col("attribute") == WHOLE) & ~pl.col("label") & (pl.col("requests") >= MIN_REQUESTS)
    ).to_series()
    return log.candidates.x[whole.to_numpy(), : len(SIGNALS)], log.about.filter(whole)["requests"].to_numpy()


def main() -> None:
    """Fit the models and write the asset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traffic", nargs="+", type=Path)
    parser.add_argument("--exclude-family", action="append", default=[])
    parser.add_argument("--out", type=Path, default=DEFAULT)
    parser.add_argument(
        "--peers-only", action="store_true", help="learn only what accounts of a size are compared with"
    )
    options = parser.parse_args()
    detector = untrained()
    if options.peers_only:
        weights = Scorer.load(options.out).weights
        values, sizes = (
            np.concatenate(c) for c in zip(*(_ordinary(load(f, detector)) for f in options.traffic), strict=True)
        )
        weights.segments = with_populations(weights.segments, values, sizes)
        options.out.write_bytes(msgspec.json.encode(weights))
        return
    weights = fit([load(f, detector) for f in options.traffic], options.exclude_family, print)
    options.out.write_bytes(msgspec.json.encode(weights))
    honest = sum(s.accounts for s in weights.segments)
    print(f"{honest:,} honest accounts, flagged from {Scorer(weights).threshold(MAX_FALSE_FLAGS):.2f}")
    print("->", options.out)


def untrained() -> Detector:
    """The detector without a scorer: it profiles."""
    from detector.codebook import Codebook
    from detector.encoders import load_encoder
    from detector.intent import IntentModel

    empty = Weights("none", [s.name for s in SIGNALS], Trees(), Trees(), Trees(), {}, [])
    return Detector(load_encoder(), Codebook.load(), IntentModel.load(), Scorer(empty))


if __name__ == "__main__":
    main()
