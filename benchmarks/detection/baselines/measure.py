"""Measuring scores of accounts against labels, each method at the threshold that flags the same share of honest accounts.

An operator could not know that threshold beforehand, so this favours the methods compared.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score, roc_auc_score

from detector.evaluate import Rate, measure, outcomes

ALLOWED = 0.01  # share of honest accounts that a method may flag
STRICT = 0.001  # the share that distillwatch is held to
SHIPPED = "shipped"  # in place of a share: the verdicts as given
CURVES = ("cover", "accounts", "paraphrases", "requests")  # settings of campaigns over which the curves run
REQUEST_EDGES = (20, 50, 150, 500)  # upper bounds of the bins of harvest requests per account


class AtRate(msgspec.Struct):
    """What a method catches at one share of honest accounts flagged."""

    campaigns: Rate  # caught: accounts that sent at least half of the harvest flagged
    attackers: Rate  # accounts flagged
    benign: Rate  # honest accounts flagged: with ties fewer than allowed
    lookalikes: Rate  # of them, look-alikes
    settings: dict[str, dict[str, Rate]] = {}  # campaigns caught by how they hid: settings["cover"]["0.5"]


class Comparison(msgspec.Struct):
    """Figures of one method."""

    auc: float
    average_precision: float
    at: dict[str, AtRate]  # by the allowed share, "0.01" and "0.001"


def flags(scores: np.ndarray, honest: np.ndarray, allowed: float) -> np.ndarray:
    """Mask of the scores above the lowest threshold that at most ``allowed`` of the honest ones exceed."""
    ranked = np.sort(scores[honest])[::-1]
    spare = int(allowed * len(ranked))
    return scores > (ranked[spare] if spare < len(ranked) else -np.inf)


def compare(
    scores: pl.DataFrame,
    labels: pl.DataFrame,
    harvest: pl.DataFrame | None = None,
    campaigns: pl.DataFrame | None = None,
) -> dict[str, Comparison]:
    """Figures of each column of ``scores`` (account_id and a column a method; an account without a row scores lowest).

    ``labels``, ``harvest`` and ``campaigns`` as ``detector.evaluate.measure`` takes them. Raises ValueError when the labels
    do not hold both attackers and honest accounts.
    """
    attack = labels["label"] == "attack"
    if attack.all() or not attack.any():
        raise ValueError("the labels must hold both attackers and honest accounts")
    table = labels.select("account_id").join(scores, on="account_id", how="left", maintain_order="left")
    honest = ~attack.to_numpy()
    out = {}
    for name in table.columns[1:]:
        values = table[name].fill_null(scores[name].min()).to_numpy().astype(np.float64)
        found = table.select(
            "account_id", pl.Series("risk", values), pl.lit(None, pl.Datetime("us", "UTC")).alias("flagged_at")
        )
        at = {}
        for allowed in (ALLOWED, STRICT):
            verdict = pl.Series("verdict", np.where(flags(values, honest, allowed), "flag", "clear"))
            at[str(allowed)] = _at_verdicts(found.with_columns(verdict), labels, harvest, campaigns)
        auc, precision = roc_auc_score(~honest, values), average_precision_score(~honest, values)
        out[name] = Comparison(float(auc), float(precision), at)
    return out


def judge(
    found: pl.DataFrame,
    labels: pl.DataFrame,
    harvest: pl.DataFrame | None = None,
    campaigns: pl.DataFrame | None = None,
) -> Comparison:
    """Figures of findings (account_id, risk, verdict, flagged_at): by their risk as of any method, and as they were given."""
    figures = compare(found.select("account_id", "risk"), labels, harvest, campaigns)["risk"]
    figures.at[SHIPPED] = _at_verdicts(found, labels, harvest, campaigns)
    return figures


def _at_verdicts(
    found: pl.DataFrame, labels: pl.DataFrame, harvest: pl.DataFrame | None, campaigns: pl.DataFrame | None
) -> AtRate:
    metrics = measure(found, labels, harvest)
    settings = {} if campaigns is None else _curves(outcomes(found, labels, harvest), campaigns)
    return AtRate(metrics.campaigns, metrics.attackers, metrics.benign, metrics.lookalikes, settings)


def _curves(caught: pl.DataFrame, campaigns: pl.DataFrame) -> dict[str, dict[str, Rate]]:
    """Campaigns caught by each of the CURVES that ``campaigns`` tells, values in ascending order."""
    table = caught.select("campaign_id", "caught").join(campaigns, on="campaign_id")
    out = {}
    for name in CURVES:
        if name in table.columns:
            counts = table.group_by(_binned(name)).agg(pl.col("caught").sum(), pl.len()).sort(name)
            out[name] = {_label(name, value): Rate.of(int(k), int(n)) for value, k, n in counts.iter_rows()}
    return out


def _binned(name: str) -> pl.Expr:
    """The setting itself; requests by the number of edges below them."""
    if name != "requests":
        return pl.col(name)
    return pl.sum_horizontal((pl.col(name) > edge).cast(pl.Int64) for edge in REQUEST_EDGES).alias(name)


def _label(name: str, value: float) -> str:
    if name != "requests":
        return f"{value:g}"
    edges = (0, *REQUEST_EDGES)
    at = int(value)
    return f"{edges[at] + 1}–{edges[at + 1]}" if at < len(REQUEST_EDGES) else f"over {edges[at]}"


def print_comparison(console: Console, methods: dict[str, Comparison]) -> None:
    """Show the figures of all methods as a table."""
    shares = f"{100 * ALLOWED:g} % / {100 * STRICT:g} %"
    table = Table(title=f"At thresholds that flag {shares} of the honest accounts", title_justify="left")
    table.add_column("method", no_wrap=True)
    for column in ("campaigns caught", "accounts flagged", "look-alikes flagged", "ROC AUC", "average precision"):
        table.add_column(column, justify="right")
    for name, figures in methods.items():
        loose, strict = figures.at[str(ALLOWED)], figures.at[str(STRICT)]
        cells = [
            f"{getattr(loose, rate).rate:.1%} / {getattr(strict, rate).rate:.1%}"
            for rate in ("campaigns", "attackers", "lookalikes")
        ]
        table.add_row(name, *cells, f"{figures.auc:.3f}", f"{figures.average_precision:.3f}")
    console.print(table)
