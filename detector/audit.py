"""Batch audit: the driver that reads log files, runs the detector over them and writes the findings."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from detector.assessment import Assessment
from detector.event import Event
from detector.formats import Rejected, read
from detector.pipeline import Detector
from detector.profiles import Profiles, merge_all
from detector.progress import Progress
from detector.report import RunSummary, write_report
from detector.templates import fill_in

MERGE_EVERY = 16  # batches profiled before their profiles are merged; bounds memory


@dataclass
class AuditRun:
    """An audit's outcome."""

    run: RunSummary
    assessment: Assessment
    out: Path
    timings: dict[str, float] = field(default_factory=dict)


def audit(
    paths: Sequence[Path], out: Path, *, detector: Detector, format: str = "auto", account: str | None = None,
    progress: Progress | None = None, clock: Callable[[], float] = time.perf_counter,
) -> AuditRun:  # fmt: skip
    """Audit log files and write ``accounts.parquet``, ``campaigns.parquet``, ``report.json``, ``report.html``, ``rejected.jsonl``.

    Raises FormatError when a file cannot be read at all; bad rows are listed and stop nothing.
    """
    progress = progress or Progress()
    timings: dict[str, float] = dict.fromkeys(("parse", "features", "profiles", "assess", "report"), 0.0)
    out.mkdir(parents=True, exist_ok=True)
    start = clock()
    profiles, rejected, events, total_bytes = _profile(paths, detector, format, account, progress, timings, clock)
    progress.stage("assessing")
    mark = clock()
    assessment = detector.assess(profiles)
    timings["assess"] = clock() - mark
    progress.stage("writing the report")
    mark = clock()
    examples = _examples(paths, format, account, assessment)
    fill_in(assessment, examples)
    write_tables(out, assessment)
    run = RunSummary(
        files=[str(p) for p in paths], format=format, events=events, accounts=len(assessment.accounts), rejected=rejected_count(rejected),
        bytes=total_bytes, seconds=clock() - start, timings=timings,
        first_event=min((a.first_seen for a in assessment.accounts), default=None),
        last_event=max((a.last_seen for a in assessment.accounts), default=None),
    )  # fmt: skip
    _write_rejected(out / "rejected.jsonl", rejected)
    write_report(out, run, assessment, examples)
    timings["report"] = clock() - mark
    return AuditRun(run, assessment, out, timings)


def _profile(
    paths: Sequence[Path], detector: Detector, format: str, account: str | None, progress: Progress,
    timings: dict[str, float], clock: Callable[[], float],
) -> tuple[Profiles, list[Rejected], int, int]:  # fmt: skip
    progress.stage("reading")
    parts: list[Profiles] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    events = total = 0
    mark = clock()
    for batch in read(paths, format=format, account=account):
        timings["parse"] += clock() - mark
        fresh = [e for e in batch.events if e.event_id not in seen]
        seen.update(e.event_id for e in fresh)
        mark = clock()
        frame = detector.features(fresh)
        timings["features"] += clock() - mark
        mark = clock()
        parts.append(detector.profile(frame))
        if len(parts) >= MERGE_EVERY:
            parts = [Profiles.merge(parts)]
        timings["profiles"] += clock() - mark
        rejected.extend(batch.rejected)
        events += len(fresh)
        total = batch.total_bytes
        progress.advance(batch.bytes_read, batch.total_bytes, events)
        mark = clock()
    mark = clock()
    profiles = merge_all(parts) or detector.profile(detector.features([]))
    timings["profiles"] += clock() - mark
    return profiles, rejected, events, total


def rejected_count(rejected: Sequence[Rejected]) -> int:
    """Number of rejected rows."""
    return len(rejected)


def _examples(paths: Sequence[Path], format: str, account: str | None, assessment: Assessment) -> dict[str, Event]:
    """The events that the findings point to, read in a second pass; text is held for these alone."""
    findings = [*assessment.accounts, *assessment.campaigns]
    wanted = {i for f in findings for i in f.example_event_ids}
    wanted.update(i for f in findings for t in f.templates for i in t.event_ids)
    found: dict[str, Event] = {}
    if not wanted:
        return found
    for batch in read(paths, format=format, account=account):
        found.update((e.event_id, e) for e in batch.events if e.event_id in wanted)
        if len(found) == len(wanted):
            break
    return found


def write_tables(out: Path, assessment: Assessment) -> None:
    """Write ``accounts.parquet`` (every account) and ``campaigns.parquet``."""
    pl.DataFrame(
        [
            (a.account_id, a.risk, a.verdict, a.flagged_at, a.campaign_id, a.requests, [e.text for e in a.evidence if e.direction == "for"])
            for a in assessment.accounts
        ],
        schema={"account_id": pl.String, "risk": pl.Float64, "verdict": pl.String, "flagged_at": pl.Datetime("us", "UTC"),
                "campaign_id": pl.String, "requests": pl.Int64, "reasons": pl.List(pl.String)},
        orient="row",
    ).write_parquet(out / "accounts.parquet")  # fmt: skip
    pl.DataFrame(
        [
            (c.campaign_id, c.risk, c.verdict, c.flagged_at, c.accounts, c.requests, c.harvest, c.output_tokens, [t.text for t in c.ties])
            for c in assessment.campaigns
        ],
        schema={"campaign_id": pl.String, "risk": pl.Float64, "verdict": pl.String, "flagged_at": pl.Datetime("us", "UTC"), "accounts": pl.List(pl.String),
                "requests": pl.Int64, "harvest": pl.String, "output_tokens": pl.Int64, "ties": pl.List(pl.String)},
        orient="row",
    ).write_parquet(out / "campaigns.parquet")  # fmt: skip


def _write_rejected(path: Path, rejected: Sequence[Rejected]) -> None:
    encoder = msgspec.json.Encoder()
    path.write_bytes(b"".join(encoder.encode(r) + b"\n" for r in rejected))
