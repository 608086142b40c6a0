"""Draw the detection benchmark: python -m benchmarks.detection.plots

Reads results.json beside this file and writes docs/images/detection-methods.svg (what each method catches at equal shares of
honest accounts flagged), detection-curves.svg (campaigns caught by how they hide) and detection-families.svg (by kind of
harvest and fold). Needs matplotlib: pip install -c constraints.txt -e .[bench]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.detection.baselines.measure import ALLOWED, SHIPPED, STRICT, AtRate, Comparison
from detector.evaluate import Rate

RESULTS = Path(__file__).parent / "results.json"
IMAGES = Path(__file__).parents[2] / "docs" / "images"
OURS = "distillwatch"

# Okabe and Ito's palette (2008), which people with any colour blindness can tell apart
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#8A8A8A"
AXES = {  # setting -> title, label of the axis
    "cover": ("Cover traffic", "share of an account's requests that is cover (%)"),
    "accounts": ("Accounts", "accounts of the campaign"),
    "paraphrases": ("Paraphrases", "wordings of its template"),
    "requests": ("Requests", "harvest requests per account"),
}
STYLE: dict[Any, Any] = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "figure.titlesize": 13,
    "figure.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.09,
    "grid.color": "#E4E4E4",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9.5,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: searchable, and read aloud
    "svg.hashsalt": "distillwatch",  # the same results give the same file
}


class Fold(msgspec.Struct):
    """The part of ``detector.evaluate.Metrics`` that is drawn of one seed, or of one fold that left something out."""

    families: dict[str, Rate]


class Results(msgspec.Struct):
    """What is drawn of results.json; other fields are passed over."""

    methods: dict[str, Comparison]
    all: Fold
    by_seed: dict[str, Fold] = {}
    by_fold: dict[str, Fold] = {}

    @classmethod
    def read(cls, path: Path) -> Results:
        """Raises FileNotFoundError or ValueError that says what to run."""
        again = "run `python -m benchmarks.detection.run`"
        if not path.is_file():
            raise FileNotFoundError(f"{path} does not exist: {again}")
        try:
            results = msgspec.json.decode(path.read_bytes(), type=cls)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path} is not the benchmark's: {error}; {again}") from error
        if OURS not in results.methods:
            raise ValueError(f"{path} has no figures of {OURS} among its methods; {again}")
        return results


def percent(value: float) -> str:
    """A share as people read it: two digits below 1 %, else whole percents."""
    return f"{100 * value:.2g} %" if value < 0.01 else f"{100 * value:.0f} %"


def draw_methods(methods: Mapping[str, Comparison]) -> Figure:
    """Campaigns and accounts caught by each method at 1 % and 0.1 % of honest accounts flagged, with 95 % intervals."""
    others = [name for name in methods if name != OURS]
    others.sort(
        key=lambda name: tuple(methods[name].at[str(s)].campaigns.rate for s in (ALLOWED, STRICT)), reverse=True
    )
    names = [OURS, *others]
    figure, panels = plt.subplots(1, 2, figsize=(10, 0.52 * len(names) + 1.9), sharey=True, layout="constrained")
    rows = np.arange(len(names))
    first = methods[OURS].at[str(ALLOWED)]
    for panel, field, title in (
        (panels[0], "campaigns", f"Campaigns caught (of {first.campaigns.n:,})"),
        (panels[1], "attackers", f"Attacking accounts flagged (of {first.attackers.n:,})"),
    ):
        panel.axhspan(-0.5, 0.5, color="#F1F6FA", zorder=0)
        for share, colour, offset in ((ALLOWED, BLUE, -0.2), (STRICT, ORANGE, 0.2)):
            rates = [getattr(methods[name].at[str(share)], field) for name in names]
            _bars(panel, rows + offset, rates, colour, f"{100 * share:g} % of honest accounts flagged")
        panel.set(title=title, xlim=(0, 115), xlabel="%, with 95 % interval", xticks=range(0, 101, 20))
        panel.grid(axis="y", visible=False)
        panel.tick_params(axis="y", length=0)
    panels[0].set_yticks(rows, names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    panels[0].get_yticklabels()[0].set_fontweight("bold")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    figure.suptitle(f"What each method catches when it may flag the same share of {first.benign.n:,} honest accounts")
    return figure


def _bars(panel: Axes, at: np.ndarray, rates: list[Rate], colour: str, label: str) -> None:
    values, low, high = (100 * np.array([getattr(r, f) for r in rates]) for f in ("rate", "low", "high"))
    panel.barh(at, values, height=0.36, color=colour, label=label)
    panel.errorbar(
        values, at, xerr=(values - low, high - values), fmt="none", ecolor="#333333", elinewidth=0.9, capsize=2
    )
    for y, value, end in zip(at, values, high, strict=True):
        panel.text(end + 1.5, y, percent(value / 100), va="center", fontsize=8, color="#333333")


def draw_curves(methods: Mapping[str, Comparison]) -> Figure | None:
    """Campaigns caught by how they hide: ours as shipped, and the best other method at 1 % of honest accounts flagged.

    None where the results tell nothing of the campaigns' settings.
    """
    ours = methods[OURS].at.get(SHIPPED, methods[OURS].at[str(STRICT)])
    best = max(
        (n for n in methods if n != OURS), key=lambda n: methods[n].at[str(ALLOWED)].campaigns.rate, default=None
    )
    shown = [name for name in AXES if ours.settings.get(name)]
    if not shown:
        return None
    figure, panels = plt.subplots(2, 2, figsize=(10, 7), sharey=True, layout="constrained")
    for panel in panels.flat[len(shown) :]:
        panel.set_visible(False)
    lines = [(OURS, ours, BLUE, "o", "-", -0.06)]
    if best is not None:
        lines.append((f"{best}, best of the others", methods[best].at[str(ALLOWED)], GREY, "s", "--", 0.06))
    for panel, name in zip(panels.flat, shown, strict=False):
        values = list(ours.settings[name])
        for label, figures, colour, marker, dashes, shift in lines:
            label = f"{label} ({percent(figures.benign.rate)} of honest accounts flagged)"
            _curve(panel, values, figures, name, shift, label=label, color=colour, marker=marker, linestyle=dashes)
        title, axis = AXES[name]
        ticks = [_tick(name, v, ours.settings[name][v].n) for v in values]
        panel.set_xticks(range(len(values)), ticks)
        panel.set(title=title, xlabel=axis, ylim=(-3, 103), xlim=(-0.4, len(values) - 0.6))
        panel.grid(axis="x", visible=False)
    for panel in panels[:, 0]:
        panel.set_ylabel("campaigns caught (%)")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=1)
    figure.suptitle("Campaigns caught by how they hide (bars: 95 % intervals)")
    return figure


def _curve(panel: Axes, values: list[str], figures: AtRate, name: str, shift: float, **style: str) -> None:
    rates = [(i, figures.settings[name][v]) for i, v in enumerate(values) if v in figures.settings.get(name, {})]
    x = np.array([i for i, _ in rates]) + shift
    y, low, high = (100 * np.array([getattr(r, f) for _, r in rates]) for f in ("rate", "low", "high"))
    panel.errorbar(x, y, yerr=(y - low, high - y), capsize=3, elinewidth=1, linewidth=1.8, markersize=6, **style)  # type: ignore[arg-type]


def _tick(name: str, value: str, count: int) -> str:
    return f"{100 * float(value):.0f}\nn = {count}" if name == "cover" else f"{value}\nn = {count}"


def _pooled(folds: dict[str, Fold]) -> dict[str, Fold]:
    """Folds that differ in their number alone, put together."""
    kinds: dict[str, Fold] = {}
    for name, fold in folds.items():
        pooled = kinds.setdefault(re.sub(r" \d+", "", name), Fold({})).families
        for family, rate in fold.families.items():
            before = pooled.get(family, Rate.of(0, 0))
            pooled[family] = Rate.of(before.k + rate.k, before.n + rate.n)
    return kinds


def draw_families(results: Results) -> Figure:
    """Campaigns caught by harvest (rows) in all traffic and in the folds of each kind, or by seed where there are none (columns)."""
    parts = _pooled(results.by_fold) or {f"seed {seed}": fold for seed, fold in results.by_seed.items()}
    columns = {"all": results.all, **(parts if results.by_fold or len(parts) > 1 else {})}
    families = sorted(results.all.families, key=lambda f: (-results.all.families[f].rate, f))
    rates = [[fold.families.get(family) for fold in columns.values()] for family in families]
    grid = np.array([[np.nan if r is None else 100 * r.rate for r in row] for row in rates])
    size = (2.9 + 0.85 * len(columns) + 1.2, 1.9 + 0.36 * len(families))
    figure, panel = plt.subplots(figsize=size, layout="constrained")
    colours = matplotlib.colormaps["cividis"].with_extremes(bad="#EEEEEE")
    image = panel.imshow(grid, cmap=colours, vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(grid):
        rate = rates[row][column]
        if rate is not None:
            ink = "black" if value > 55 else "white"
            panel.text(column, row, f"{rate.k}/{rate.n}", ha="center", va="center", color=ink, fontsize=8.5)
    slanted = {"rotation": 30, "ha": "right"} if max(map(len, columns)) > 9 else {}
    panel.set_xticks(range(len(columns)), [c.replace("_", " ") for c in columns], **slanted)  # type: ignore[arg-type]
    panel.set_yticks(range(len(families)), [f.replace("_", " ") for f in families])
    panel.tick_params(length=0)
    panel.grid(visible=False)
    for edge in range(1, len(families)):
        panel.axhline(edge - 0.5, color="white", linewidth=1)
    for edge in range(1, len(columns)):
        panel.axvline(edge - 0.5, color="white", linewidth=5 if edge == 1 else 1)
    panel.spines[:].set_visible(False)
    figure.colorbar(image, ax=panel, label="campaigns caught (%)", shrink=0.8)
    figure.suptitle("Campaigns caught by kind of harvest")
    return figure


def save(figure: Figure, path: Path, title: str) -> None:
    """Write a figure; the same figure gives the same SVG, byte by byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"Title": title, "Date": None} if path.suffix == ".svg" else {"Title": title}
    figure.savefig(path, dpi=150, metadata=metadata)
    plt.close(figure)


def draw(results: Results, out: Path, suffix: str = "svg") -> list[Path]:
    """Draw all pictures of the results into a folder; gives the files written."""
    written = []
    with plt.rc_context(STYLE):
        for name, title, figure in (
            ("methods", "What each method catches at equal false flags", draw_methods(results.methods)),
            ("curves", "Campaigns caught by how they hide", draw_curves(results.methods)),
            ("families", "Campaigns caught by kind of harvest", draw_families(results)),
        ):
            if figure is not None:
                written.append(out / f"detection-{name}.{suffix}")
                save(figure, written[-1], title)
    return written


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file that the benchmark wrote")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder of the pictures")
    parser.add_argument("--format", choices=("svg", "png"), default="svg")
    options = parser.parse_args()
    matplotlib.use("agg")
    try:
        results = Results.read(options.results)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    for path in draw(results, options.out, options.format):
        print(path)


if __name__ == "__main__":
    main()
