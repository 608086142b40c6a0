"""Measuring an audit against labels: campaigns caught, false flags, exposure, time to detection, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, roc_auc_score

FOUND_COLUMNS = ("account_id", "risk", "verdict", "flagged_at")
SETTINGS = ("accounts", "cover", "paraphrases", "network", "payment", "aged", "pace", "failover", "reseller")
YES_OR_NO = {"True": "yes", "False": "no"}
RESAMPLES = 2000  # of the bootstrap: enough for the second digit of a 95 % interval
CAUGHT = 0.5  # a campaign is caught when accounts that sent at least this share of its harvest are flagged


class Rate(msgspec.Struct):
    """k of n, with its 95 % Wilson interval."""

    k: int
    n: int
    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, k: int, n: int) -> Rate:
        """The rate of k in n; an empty one spans everything."""
        if n == 0:
            return cls(0, 0, 0.0, 0.0, 1.0)
        interval = binomtest(k, n).proportion_ci(method="wilson")
        return cls(k, n, k / n, float(interval.low), float(interval.high))


class Metrics(msgspec.Struct):
    """Figures of one audit; exposure and requests to detection are means over campaigns that were caught."""

    campaigns: Rate
    attackers: Rate
    benign: Rate  # false flags
    lookalikes: Rate  # false flags among the look-alikes
    flagged: int
    precision: Rate
    auc: float
    average_precision: float
    exposure: (
        float | None
    )  # share of a campaign's harvest answered before its accounts are flagged; missed ones count whole
    requests_to_detection: float | None  # median over the caught campaigns
    families: dict[str, Rate]  # campaigns caught
    kinds: dict[str, Rate]  # false flags
    exposure_interval: tuple[float, float] | None = None  # 95 %, by bootstrap over campaigns
    requests_interval: tuple[float, float] | None = None
    settings: dict[str, dict[str, Rate]] = {}  # campaigns caught by how they hid, e.g. settings["cover"]["0.5"]


def bootstrap(values: Sequence[float], statistic: str) -> tuple[float, float] | None:
    """95 % interval of the mean or median, by resampling; the order of the values does not matter."""
    if len(values) == 0:
        return None
    drawn = np.random.default_rng(0).choice(np.sort(np.asarray(values, dtype=float)), (RESAMPLES, len(values)))
    figures = drawn.mean(axis=1) if statistic == "mean" else np.median(drawn, axis=1)
    low, high = np.quantile(figures, (0.025, 0.975))
    return float(low), float(high)


def measure(
    accounts: pl.DataFrame,
    labels: pl.DataFrame,
    harvest: pl.DataFrame | None = None,
    campaigns: pl.DataFrame | None = None,
) -> Metrics:
    """Compare findings (account_id, risk, verdict, flagged_at) with labels (account_id, label, family, campaign_id, lookalike).

    ``harvest`` (event_id, account_id, harvest, timestamp) weighs accounts by their harvest; without it all weigh the same.
    ``campaigns`` (campaign_id and how each hid) adds the campaigns caught by each setting.
    """
    table = _labelled(accounts, labels)
    attack, benign = table.filter("attack"), table.filter(~pl.col("attack"))
    lookalike = benign.filter("lookalike")
    per_campaign = _outcomes(table, harvest)
    caught = per_campaign.filter("caught")
    both = 0 < len(attack) < len(table)
    return Metrics(
        campaigns=Rate.of(len(caught), len(per_campaign)),
        attackers=Rate.of(int(attack["flag"].sum()), len(attack)),
        benign=Rate.of(int(benign["flag"].sum()), len(benign)),
        lookalikes=Rate.of(int(lookalike["flag"].sum()), len(lookalike)),
        flagged=int(table["flag"].sum()),
        precision=Rate.of(int(attack["flag"].sum()), int(table["flag"].sum())),
        auc=float(roc_auc_score(table["attack"], table["risk"])) if both else float("nan"),
        average_precision=float(average_precision_score(table["attack"], table["risk"])) if both else float("nan"),
        exposure=float(per_campaign["exposure"].mean()) if len(per_campaign) else None,  # type: ignore[arg-type]
        requests_to_detection=float(caught["requests"].median()) if len(caught) else None,  # type: ignore[arg-type]
        families={
            str(f): Rate.of(int(c), int(n))
            for f, c, n in per_campaign.group_by("family")
            .agg(pl.col("caught").sum(), pl.len())
            .sort("family")
            .iter_rows()
        },
        kinds={
            str(f): Rate.of(int(c), int(n))
            for f, c, n in benign.group_by("family").agg(pl.col("flag").sum(), pl.len()).sort("family").iter_rows()
        },
        exposure_interval=bootstrap(per_campaign["exposure"].to_list(), "mean"),
        requests_interval=bootstrap(caught["requests"].to_list(), "median"),
        settings=_by_setting(per_campaign, campaigns),
    )


def outcomes(accounts: pl.DataFrame, labels: pl.DataFrame, harvest: pl.DataFrame | None = None) -> pl.DataFrame:
    """What became of each campaign (inputs as in :func:`measure`): campaign_id, family, ``covered`` (share of its harvest
    that flagged accounts sent), ``exposure`` (share answered before its accounts were flagged), ``requests`` (these, as a
    number) and ``caught``."""
    return _outcomes(_labelled(accounts, labels), harvest)


def _labelled(accounts: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    return labels.join(
        accounts.select("account_id", "risk", "verdict", "flagged_at"), on="account_id", how="left"
    ).with_columns(
        (pl.col("verdict") == "flag").fill_null(False).alias("flag"),
        pl.col("risk").fill_null(0.0),
        (pl.col("label") == "attack").alias("attack"),
    )


def _outcomes(table: pl.DataFrame, harvest: pl.DataFrame | None) -> pl.DataFrame:
    return (
        _work(table, harvest)
        .group_by("campaign_id", "family")
        .agg(
            (pl.col("sent").filter("flag").sum() / pl.col("sent").sum()).alias("covered"),
            (pl.col("before").sum() / pl.col("sent").sum()).alias("exposure"),
            pl.col("before").sum().alias("requests"),
        )
        .with_columns((pl.col("covered") >= CAUGHT).alias("caught"))
    )


def _by_setting(per_campaign: pl.DataFrame, campaigns: pl.DataFrame | None) -> dict[str, dict[str, Rate]]:
    if campaigns is None or "campaign_id" not in campaigns.columns:
        return {}
    table = per_campaign.select("campaign_id", "caught").join(campaigns, on="campaign_id")
    out: dict[str, dict[str, Rate]] = {}
    for name in SETTINGS:
        if name in table.columns:
            counts = table.group_by(name).agg(pl.col("caught").sum(), pl.len()).sort(name)
            out[name] = {str(value): Rate.of(int(k), int(n)) for value, k, n in counts.iter_rows()}
    return out


def _work(table: pl.DataFrame, harvest: pl.DataFrame | None) -> pl.DataFrame:
    """Attackers with ``sent`` harvest requests and ``before``, those answered before the flag (all of them where there is none)."""
    attack = table.filter("attack").select("account_id", "campaign_id", "family", "flag", "flagged_at")
    if harvest is None or "timestamp" not in harvest.columns:
        return attack.with_columns(pl.lit(1).alias("sent"), pl.when("flag").then(0).otherwise(1).alias("before"))
    sent = harvest.filter("harvest").join(attack, on="account_id")
    early = (~pl.col("flag")) | pl.col("flagged_at").is_null() | (pl.col("timestamp") <= pl.col("flagged_at"))
    return sent.group_by("account_id", "campaign_id", "family", "flag").agg(
        pl.len().alias("sent"), early.sum().alias("before")
    )


def evaluate(audit_dir: Path, labels: Path) -> Metrics:
    """Measure an audit folder against labels (a file, or the folder of ``simulate``) and write ``metrics.json`` into it.

    Raises FileNotFoundError or ValueError with what is missing.
    """
    found = audit_dir / "accounts.parquet"
    if not found.is_file():
        raise FileNotFoundError(f"{found} does not exist: run `distillwatch audit LOG --out {audit_dir}` first")
    labels_file = labels / "labels.parquet" if labels.is_dir() else labels
    if not labels_file.is_file():
        raise FileNotFoundError(
            f"{labels_file} does not exist: give labels.parquet, or the folder that `distillwatch simulate` wrote"
        )
    table = pl.read_parquet(labels_file) if labels_file.suffix == ".parquet" else pl.read_ndjson(labels_file)
    missing = {"account_id", "label"} - set(table.columns)
    if missing:
        raise ValueError(f"{labels_file} lacks the columns {', '.join(sorted(missing))}")
    for column, default in (("family", "unknown"), ("campaign_id", None), ("lookalike", False)):
        if column not in table.columns:
            table = table.with_columns(pl.lit(default).alias(column))
    table = table.with_columns(pl.col("campaign_id").fill_null(pl.col("account_id")))
    accounts = pl.read_parquet(found)
    if missing := set(FOUND_COLUMNS) - set(accounts.columns):
        raise ValueError(f"{found} lacks the columns {', '.join(sorted(missing))}: run `distillwatch audit` again")
    if not table["account_id"].is_in(accounts["account_id"].implode()).any():
        raise ValueError(f"not one account of {labels_file} is in {found}: these are labels of another log")
    beside = {name: labels_file.parent / f"{name}.parquet" for name in ("labels_events", "campaigns")}
    harvest, campaigns = (pl.read_parquet(f) if f.is_file() else None for f in beside.values())
    if harvest is not None and (missing := {"account_id", "harvest"} - set(harvest.columns)):
        raise ValueError(f"{beside['labels_events']} lacks the columns {', '.join(sorted(missing))}")
    metrics = measure(accounts, table, harvest, campaigns)
    (audit_dir / "metrics.json").write_bytes(msgspec.json.format(msgspec.json.encode(metrics)))
    return metrics


def print_metrics(console: Console, metrics: Metrics) -> None:
    """Show the figures as tables."""
    table = Table(title="Detection", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("of", justify="right")
    rows = (
        ("campaigns caught", metrics.campaigns),
        ("attacking accounts flagged", metrics.attackers),
        ("honest accounts flagged", metrics.benign),
        ("look-alikes flagged", metrics.lookalikes),
        ("precision of the flags", metrics.precision),
    )
    for name, rate in rows:
        table.add_row(name, f"{rate.rate:.2%}", f"{rate.low:.2%} – {rate.high:.2%}", f"{rate.n:,}")
    table.add_row("area under the ROC curve", f"{metrics.auc:.4f}", "", "")
    for name, value, interval, pattern in (
        ("harvest answered before the flag (mean)", metrics.exposure, metrics.exposure_interval, "{:.1%}"),
        ("requests to detection (median)", metrics.requests_to_detection, metrics.requests_interval, "{:,.0f}"),
    ):
        if value is not None:
            between = " – ".join(pattern.format(x) for x in interval) if interval else ""
            table.add_row(name, pattern.format(value), between, "")
    console.print(table)
    for title, what, found, rates in (
        ("Campaigns caught, by harvest", "harvest", "caught", metrics.families),
        *(
            (f"Campaigns caught, by {name}", name, "caught", rates)
            for name, rates in metrics.settings.items()
            if len(rates) > 1
        ),
        (
            "Honest accounts flagged, by kind (where any)",
            "kind",
            "flagged",
            {k: r for k, r in metrics.kinds.items() if r.k},
        ),
    ):
        if rates:
            detail = Table(title=title, title_justify="left", min_width=len(title) + 2)
            detail.add_column(what)
            detail.add_column(found, justify="right")
            for name, rate in rates.items():
                detail.add_row(YES_OR_NO.get(name, name).replace("_", " "), f"{rate.k} of {rate.n}")
            console.print(detail)
