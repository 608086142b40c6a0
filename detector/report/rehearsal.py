"""The report of a rehearsal: ``rehearsal.json`` for programs, ``rehearsal.parquet`` with every planted campaign, and a
self-contained ``rehearsal.html`` for people."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import polars as pl
from markupsafe import Markup

from detector.assessment import tie_title
from detector.rehearse.plan import MAX_SHARE, typical_requests
from detector.rehearse.results import ALL, BLIND, Reason, Rehearsal, ShapeResult
from detector.rehearse.words import blind_spots, family, headline
from detector.report import power
from detector.report.document import pretty
from detector.report.page import environment
from detector.report.summary import own_version

SCHEMA = "distillwatch.rehearsal/1"
NOTE = (
    "The planted campaigns are simulated, in wordings of ours. A real harvester words things otherwise, so read what is caught "
    "as the best case, and what is missed as missed."
)
MAX_CHANGED = 20  # of the log's own accounts named whose verdict changed

Column = tuple[int, int, int, float]  # accounts, requests, paraphrases, cover


class RehearsalRun(msgspec.Struct, kw_only=True):
    """A rehearsal, and the files that it was made in."""

    files: list[str]
    format: str
    rejected: int  # rows that could not be read
    bytes: int
    seconds: float
    rehearsal: Rehearsal
    version: str = msgspec.field(default_factory=own_version)


def write_rehearsal(out: Path, run: RehearsalRun) -> None:
    """Write the three files into the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "rehearsal.json").write_bytes(document(run))
    table(run.rehearsal).write_parquet(out / "rehearsal.parquet")
    (out / "rehearsal.html").write_text(render(run), encoding="utf-8")


def document(run: RehearsalRun) -> bytes:
    """The rehearsal as JSON: all but the single campaigns, which are in the Parquet file."""
    found = run.rehearsal
    content = {
        "schema": SCHEMA,
        "note": NOTE,
        "run": {name: getattr(run, name) for name in run.__struct_fields__ if name != "rehearsal"},
        "log": {
            "events": found.events,
            "accounts": found.accounts,
            "first_event": found.first_event,
            "last_event": found.last_event,
        },
        "plan": found.plan,
        "repeats": found.repeats,
        "planted_requests": found.planted,
        "headline": headline(found),
        "blind_spots": blind_spots(found),
        "shapes": [
            {**msgspec.structs.asdict(r.shape), **{k: getattr(r, k) for k in r.__struct_fields__ if k != "shape"}, "blind": r.blind}
            for r in found.shapes()
        ],
        "curves": found.curves(),
        "variants": [{"family": f, "variant": v, "caught": rate} for (f, v), rate in found.variants().items()],
        "too_large_for_the_log": found.skipped,
        "own_accounts": found.disturbance,
    }  # fmt: skip
    return pretty(content)


def table(rehearsal: Rehearsal) -> pl.DataFrame:
    """One row for every planted campaign."""
    rows = [
        {
            **msgspec.structs.asdict(o.shape),
            **{name: getattr(o, name) for name in o.__struct_fields__ if name not in ("shape", "signals", "ties")},
            "signals": sorted(o.signals, key=lambda name: -o.signals[name]),
            "ties": sorted(o.ties, key=lambda name: -o.ties[name]),
        }
        for o in rehearsal.outcomes
    ]
    lists: dict[str, pl.DataType | type[pl.DataType]] = {
        "signals": pl.List(pl.String),
        "ties": pl.List(pl.String),
        "first_flag": pl.Int64,
    }
    return pl.DataFrame(rows, schema_overrides=lists, infer_schema_length=None)


def columns(rehearsal: Rehearsal) -> list[Column]:
    """The columns of the grid, in order."""
    return sorted({(s.accounts, s.requests, s.paraphrases, s.cover) for s in (r.shape for r in rehearsal.shapes())})


def _column_groups(found: list[Column]) -> list[tuple[int, int, int, int]]:
    """Columns of the same accounts, requests and paraphrases, and how many covers each has."""
    counts = Counter((accounts, requests, paraphrases) for accounts, requests, paraphrases, _ in found)
    return [(*group, n) for group, n in counts.items()]


def _skipped(rehearsal: Rehearsal) -> str:
    sizes = sorted({(s.accounts, s.requests) for s in rehearsal.skipped})
    return ", ".join(f"{accounts:,} × {requests:,} requests" for accounts, requests in sizes)


def grid(rehearsal: Rehearsal) -> dict[str, dict[Column, ShapeResult]]:
    """Results by family and column."""
    out: dict[str, dict[Column, ShapeResult]] = {}
    for r in rehearsal.shapes():
        out.setdefault(r.shape.family, {})[r.shape.accounts, r.shape.requests, r.shape.paraphrases, r.shape.cover] = r
    return out


def standing(result: ShapeResult) -> str:
    """How a shape fares, as the name of a style: always, mostly, seldom, never."""
    rate = result.caught.rate
    return "always" if rate == 1 else "mostly" if rate >= BLIND else "seldom" if rate else "never"


def reason(r: Reason) -> str:
    """What caught a shape, in words."""
    return tie_title(r.name).lower() if r.kind == "tie" else r.name.lower()


def render(run: RehearsalRun) -> str:
    """The rehearsal as one HTML document."""
    found = run.rehearsal
    env = environment()
    extra = env.loader.get_source(env, "rehearsal.css")[0]  # type: ignore[union-attr]
    points = found.curves()
    covers = sorted({p.cover for p in points})
    overall = [p for p in points if p.family == ALL]
    results = found.shapes()
    return env.get_template("rehearsal.html").render(
        run=run, found=found, note=NOTE, extra=Markup(extra), headline=headline(found), blind=blind_spots(found),
        results=results, blind_shapes=sum(r.blind for r in results), caught=sum(o.caught for o in found.outcomes),
        columns=columns(found), grid=grid(found), standing=standing, reason=reason, family=family, symbols=power.SYMBOLS,
        several_wordings=len(found.plan.paraphrases) > 1, groups=_column_groups(columns(found)),
        sizes={a: f"{typical_requests(a)} of {'one' if a == 1 else f'each of {a}'}" for a in found.plan.accounts},
        skipped_words=_skipped(found), covers=covers, max_share=MAX_SHARE, max_changed=MAX_CHANGED,
        keys=[power.key(i) for i in range(len(covers))], variants=found.variants(),
        pictures=[
            ("Campaigns caught, all kinds of harvest", power.caught(overall, covers)),
            ("Harvest answered before the accounts were flagged, all kinds", power.exposure(overall, covers)),
        ],
        curves=[
            (family(name), power.caught([p for p in points if p.family == name], covers, small=True)) for name in grid(found)
        ],
    )  # fmt: skip
