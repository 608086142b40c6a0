"""Measuring scores of accounts against labels, each method at the threshold that flags the same share of honest accounts.

An operator could not know that threshold beforehand, so this favours the methods compared.
"""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from detector.evaluate import Rate, measure

ALLOWED = 0.01  # share of honest accounts that a method may flag
STRICT = 0.001  # the share that distillwatch is held to
CURVES = ("cover", "accounts", "paraphrases", "requests")  # settings of campaigns over which the curves run


class AtRate(msgspec.Struct):
    """What a method catches at one share of honest accounts flagged."""

    allowed: float  # the share that it may flag; with ties it flags fewer
    campaigns: Rate  # caught: accounts that sent at least half of the harvest flagged
    attackers: Rate  # accounts flagged
    benign: Rate  # honest accounts flagged
    lookalikes: Rate  # of them, look-alikes
    settings: dict[str, dict[str, Rate]] = {}  # campaigns caught by how they hid


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
    if labels["label"].n_unique() < 2:
        raise ValueError("the labels must hold both attackers and honest accounts")
    table = labels.select("account_id", "label").join(scores, on="account_id", how="left", maintain_order="left")
    honest = (table["label"] != "attack").to_numpy()
    out = {}
    for name in scores.columns:
        if name == "account_id":
            continue
        values = table[name].fill_null(scores[name].min()).to_numpy().astype(np.float64)
        found = table.select("account_id", pl.Series("risk", values), pl.lit(None).alias("flagged_at"))
        at = {}
        for allowed in (ALLOWED, STRICT):
            verdict = np.where(flags(values, honest, allowed), "flag", "clear")
            metrics = measure(found.with_columns(pl.Series("verdict", verdict)), labels, harvest, campaigns)
            settings = {s: rates for s, rates in metrics.settings.items() if s in CURVES}
            at[str(allowed)] = AtRate(
                allowed, metrics.campaigns, metrics.attackers, metrics.benign, metrics.lookalikes, settings
            )
        out[name] = Comparison(metrics.auc, metrics.average_precision, at)
    return out


def print_comparison(console: Console, methods: dict[str, Comparison]) -> None:
    """Show the figures of all methods as a table."""
    table = Table(title="What one would take instead, at equal shares of honest accounts flagged", title_justify="left")
    table.add_column("method")
    for share in (ALLOWED, STRICT):
        for column in (f"campaigns at {share:.1%}", "accounts", "look-alikes"):
            table.add_column(column, justify="right")
    table.add_column("ROC AUC", justify="right")
    table.add_column("average precision", justify="right")
    for name, figures in methods.items():
        cells = [
            f"{rate.rate:.1%}"
            for at in (figures.at[str(ALLOWED)], figures.at[str(STRICT)])
            for rate in (at.campaigns, at.attackers, at.lookalikes)
        ]
        table.add_row(name, *cells, f"{figures.auc:.3f}", f"{figures.average_precision:.3f}")
    console.print(table)
