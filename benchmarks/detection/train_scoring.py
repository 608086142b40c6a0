"""Fit the shipped scorer: python -m benchmarks.detection.train_scoring TRAFFIC... [--exclude-family F] [--out FILE]

TRAFFIC are folders made by ``benchmarks.detection.traffic`` from permissively licensed corpora. Two models are fitted: the
model of single accounts and slices (monotone gradient boosting, written out as plain arrays), and the
campaign model over slice score and ties (logistic regression with non-negative weights).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from scipy.optimize import minimize
from scipy.special import expit, log_expit
from sklearn.ensemble import HistGradientBoostingClassifier

from detector.assess import slices
from detector.calibration import quantiles, threshold
from detector.campaigns import discover, slice_view
from detector.flagtime import MIN_REQUESTS
from detector.formats import read
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from detector.scoring import DEFAULT, Scorer, Weights
from detector.signals import SIGNALS, evaluate
from detector.ties import FEATURES, group_features
from detector.trees import Trees
from detector.view import View

TARGET_FALSE_FLAGS = 0.001  # of ordinary accounts
WATCH_SHARE = 0.01  # of ordinary accounts may be watched
NEGATIVE_TIES = ("one_organization",)


@dataclass
class Examples:
    """Signal values of accounts, slices and groups with label (1: harvest), weight group and kind."""

    values: np.ndarray
    label: np.ndarray
    kind: np.ndarray
    weight: np.ndarray
    benign_accounts: np.ndarray  # mask of rows that are whole benign accounts


@dataclass
class Traffic:
    """One labelled log, profiled."""

    profiles: Profiles
    accounts: pl.DataFrame  # acct, label (bool), kind
    harvest: pl.DataFrame  # event_id of harvesting requests


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
    kind = pl.coalesce([c for c in ("family", "kind") if c in labels.columns]).alias("kind")
    accounts = profiles.accounts.join(
        labels.select("account_id", "campaign_id", (pl.col("label") == "attack").alias("label"), kind), on="account_id"
    ).select("acct", "label", "kind", "campaign_id")
    events = pl.read_parquet(folder / "labels_events.parquet").filter(pl.col("harvest")).select("event_id")
    return Traffic(profiles, accounts, events)


def examples(traffic: Traffic) -> Examples:
    """Accounts (those with at least half of harvest count as positive), slices of accounts, and group slices."""
    sample = traffic.profiles.sample.join(
        traffic.harvest.with_columns(pl.lit(True).alias("harvest")), on="event_id", how="left"
    ).with_columns(pl.col("harvest").fill_null(False))
    view = View(traffic.profiles)
    share = sample.group_by("acct").agg(pl.col("harvest").mean())
    table = (
        pl.DataFrame({"acct": view.acct, "n": view.n})
        .join(traffic.accounts, on="acct", how="left", maintain_order="left")
        .join(share, on="acct", how="left", maintain_order="left")
    )
    keep = ((table["n"] >= MIN_REQUESTS) & (~table["label"] | (table["harvest"] >= 0.5))).to_numpy()
    values, labels, kinds = [evaluate(view)[keep]], [table["label"].to_numpy()[keep]], [table["kind"].to_numpy()[keep]]
    benign = [~labels[0]]
    size = table.with_columns(pl.len().over(pl.coalesce("campaign_id", pl.col("acct").cast(pl.String))).alias("size"))[
        "size"
    ].to_numpy()
    weights = [1 / np.sqrt(size[keep])]
    groups = discover(traffic.profiles)
    for rows in (slices(traffic.profiles, view), groups.rows):
        if not len(rows):
            continue
        rows_view = slice_view(rows)
        about = (
            rows.join(sample.select("event_key", "harvest"), on="event_key")
            .join(traffic.accounts.select("acct", "kind"), on="acct")
            .group_by("group")
            .agg(pl.col("harvest").mean(), pl.len(), pl.col("kind").mode().sort().first())
        )
        about = pl.DataFrame({"group": rows_view.acct}).join(about, on="group", how="left", maintain_order="left")
        clear = ((about["len"] >= MIN_REQUESTS) & ((about["harvest"] > 0.8) | (about["harvest"] < 0.1))).to_numpy()
        values.append(evaluate(rows_view)[clear])
        labels.append((about["harvest"] > 0.5).to_numpy()[clear])
        kinds.append(about["kind"].to_numpy()[clear])
        benign.append(np.zeros(int(clear.sum()), bool))
        weights.append(np.full(int(clear.sum()), 0.5))
    label, kind = np.concatenate(labels).astype(bool), np.concatenate(kinds)
    return Examples(np.vstack(values), label, kind, np.concatenate(weights), np.concatenate(benign))


def balance(label: np.ndarray, kind: np.ndarray, weight: np.ndarray | float = 1.0) -> np.ndarray:
    """Weights that give each kind within a class the square root of its size, and both classes the same total."""
    names = np.array([f"{a}|{b}" for a, b in zip(label, kind, strict=True)])
    _, inverse, counts = np.unique(names, return_inverse=True, return_counts=True)
    weights = weight / np.sqrt(counts[inverse])
    for side in (True, False):
        weights[label == side] /= weights[label == side].sum()
    return weights * len(label) / 2


def fit_trees(data: Examples, rounds: int = 300) -> Trees:
    """Monotone gradient boosting by scikit-learn, written out as plain arrays."""
    signs = [1 if s.direction == "for" else -1 for s in SIGNALS]
    model = HistGradientBoostingClassifier(
        monotonic_cst=signs,
        max_iter=rounds,
        learning_rate=0.06,
        max_leaf_nodes=8,
        l2_regularization=5.0,
        min_samples_leaf=15,
        early_stopping=False,
        random_state=7,
    ).fit(data.values, data.label, sample_weight=data.weight)
    out = Trees(base=float(model._baseline_prediction.ravel()[0]))
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        start = len(out.feature)
        value = _expected(nodes)
        out.roots.append(start)
        out.feature += [-1 if n["is_leaf"] else int(n["feature_idx"]) for n in nodes]
        out.threshold += [round(float(n["num_threshold"]), 6) if not n["is_leaf"] else 0.0 for n in nodes]
        out.left += [start + int(n["left"]) for n in nodes]
        out.right += [start + int(n["right"]) for n in nodes]
        out.value += [round(v, 6) for v in value]
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


def fit_ties(x: np.ndarray, label: np.ndarray, weight: np.ndarray, ridge: float = 0.02) -> tuple[np.ndarray, float]:
    """Logistic regression with weights of known sign (see NEGATIVE_TIES): (weights, intercept)."""
    scale = x.std(axis=0) + 1e-6
    z = x / scale

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        margin = z @ theta[1:] + theta[0]
        value = (
            -(weight * np.where(label, log_expit(margin), log_expit(-margin))).sum()
            + ridge * weight.sum() * (theta[1:] ** 2).sum() / 2
        )
        slope = weight * (expit(margin) - label)
        return value, np.concatenate([[slope.sum()], z.T @ slope + ridge * weight.sum() * theta[1:]])

    bounds = [(None, None), *[(None, 0) if f in NEGATIVE_TIES else (0, None) for f in FEATURES]]
    theta = minimize(loss, np.zeros(len(FEATURES) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    return theta[1:] / scale, float(theta[0])


def main() -> None:
    """Fit both models and write the asset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traffic", nargs="+", type=Path)
    parser.add_argument("--exclude-family", action="append", default=[])
    parser.add_argument("--out", type=Path, default=DEFAULT)
    options = parser.parse_args()
    detector = _untrained()
    logs = [load(f, detector) for f in options.traffic]
    sets = [examples(t) for t in logs]
    data = Examples(
        *(
            np.concatenate([getattr(s, f) for s in sets])
            for f in ("values", "label", "kind", "weight", "benign_accounts")
        )
    )
    wanted = ~np.isin(data.kind, options.exclude_family)
    data = Examples(
        data.values[wanted],
        data.label[wanted],
        data.kind[wanted],
        balance(data.label, data.kind, data.weight)[wanted],
        data.benign_accounts[wanted],
    )
    weights = Weights(
        version="default-1",
        signals=[s.name for s in SIGNALS],
        trees=fit_trees(data),
        population=quantiles(data.values[data.benign_accounts]),
        flag_at=0.5,
        watch_at=0.2,
    )
    scorer = Scorer(weights)
    print(f"{len(data.label)} examples, {int(data.label.sum())} harvesting")
    x, label, weight = _campaign_examples(logs, scorer, options.exclude_family)
    tie_weights, tie_intercept = fit_ties(x, label, weight)
    risk = expit(tie_intercept + x @ tie_weights)
    weights.campaign_weights = {f: round(float(w), 5) for f, w in zip(FEATURES, tie_weights, strict=True)}
    weights.campaign_intercept = round(tie_intercept, 5)
    weights.campaign_flag_at = float(np.clip(threshold(risk[~label], 0.005), 0.5, 0.995))
    own = scorer.risk(data.values[data.benign_accounts])
    weights.flag_at = float(np.clip(threshold(own, TARGET_FALSE_FLAGS), 0.5, 0.9999))
    weights.watch_at = float(min(threshold(own, WATCH_SHARE), weights.flag_at / 2))
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(weights)))
    print(f"accounts: flag_at {weights.flag_at:.4f}, watch_at {weights.watch_at:.4f}")
    print(f"campaigns: {int(label.sum())} of {len(label)} groups, flag_at {weights.campaign_flag_at:.4f}")
    print(weights.campaign_weights, "->", options.out)


def _campaign_examples(
    logs: list[Traffic], scorer: Scorer, excluded: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    xs, labels, kinds = [], [], []
    for traffic in logs:
        groups = discover(traffic.profiles)
        view = slice_view(groups.rows)
        features, _ = group_features(groups, traffic.profiles, scorer.log_odds(evaluate(view)), view)
        about = (
            groups.members.join(traffic.accounts, on="acct")
            .group_by("group")
            .agg(pl.col("label").mean().alias("attackers"), pl.col("kind").mode().sort().first())
        )
        table = features.join(about, on="group").filter(
            ~pl.col("kind").is_in(excluded) & ((pl.col("attackers") > 0.6) | (pl.col("attackers") < 0.2))
        )
        xs.append(table.select(FEATURES).to_numpy())
        labels.append((table["attackers"] > 0.5).to_numpy())
        kinds.append(table["kind"].to_numpy())
    label = np.concatenate(labels)
    return np.vstack(xs), label, balance(label, np.concatenate(kinds))


def _untrained() -> Detector:
    from detector.codebook import Codebook
    from detector.encoders import load_encoder
    from detector.intent import IntentModel

    return Detector(
        load_encoder(), Codebook.load(), IntentModel.load(), Scorer(Weights("none", [], Trees(), {}, 0.5, 0.2))
    )


if __name__ == "__main__":
    main()
