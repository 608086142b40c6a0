"""Batch audit: the driver that reads log files, runs the detector over them and writes the findings."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import polars as pl

from detector.assessment import Assessment
from detector.event import Event
from detector.formats import FormatError, Rejected, read
from detector.pipeline import Detector
from detector.profiling import Part, profile_files, profile_in_processes
from detector.progress import Progress
from detector.report import RunSummary, timeline, write_report
from detector.signals import SIGNALS
from detector.templates import fill_in

EXAMPLES_AT_ONCE = 64  # read before it is looked whether any are still missing
REJECTED = "rejected.jsonl"
PROFILES = "profiles.bin"  # in the audit's folder, where it was asked for


@dataclass
class AuditRun:
    """An audit's outcome."""

    run: RunSummary
    assessment: Assessment
    out: Path
    examples: dict[str, Event]  # that the findings point to
    timings: dict[str, float] = field(default_factory=dict)


def audit(
    paths: Sequence[Path],
    out: Path,
    *,
    detector: Detector,
    format: str = "auto",
    account: str | None = None,
    account_attributes: Sequence[str] = (),
    engine: str = "local",
    calibration: Path | None = None,
    keep_profiles: bool = False,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> AuditRun:
    """Audit log files and write ``accounts.parquet``, ``campaigns.parquet``, ``report.json``, ``report.html``, ``rejected.jsonl``.

    With ``keep_profiles`` the profiles are kept beside them (``profiles.bin``: hashes and counts, no text), for explanations.
    With the engine ``processes`` each file is profiled in a process of its own, by a detector loaded from ``calibration``.
    ``account_attributes`` name the account where operators choose the names, as for OpenTelemetry.
    Raises FormatError when a file, or not one row of all, can be read; bad rows beside good ones are listed and stop nothing.
    """
    progress = progress or Progress()
    timings: dict[str, float] = dict.fromkeys(("parse", "features", "profiles", "assess", "report"), 0.0)
    out.mkdir(parents=True, exist_ok=True)
    (out / PROFILES).unlink(missing_ok=True)  # of an earlier audit: `explain` must not take them for this one's
    start = clock()
    progress.stage("reading")
    if engine == "local":
        part = profile_files(paths, detector, format, account, progress, clock, account_attributes=account_attributes)
    else:
        part = profile_in_processes(paths, engine, format, account, calibration, progress, account_attributes)
    timings.update(part.timings)
    if part.rejected and not part.events:  # a log of another format must not pass for a clean one
        _write_rejected(out / REJECTED, part.rejected)
        raise FormatError(
            f"not one row could be read ({len(part.rejected):,} refused), so nothing was audited. {REJECTED} says why of each, "
            f"the first: {part.rejected[0].reason}. If the format was not recognised, name it (--format)"
        )

    def examples(assessment: Assessment) -> dict[str, Event]:
        return read_examples(paths, format, account, assessment, account_attributes)

    done = conclude(part, out, [str(p) for p in paths], format, detector, examples, progress, clock, start, timings)
    if keep_profiles:
        (out / PROFILES).write_bytes(part.profiles.to_bytes())
    return done


def conclude(
    part: Part,
    out: Path,
    sources: list[str],
    format: str,
    detector: Detector,
    examples_of: Callable[[Assessment], dict[str, Event]],
    progress: Progress,
    clock: Callable[[], float],
    start: float,
    timings: dict[str, float],
) -> AuditRun:
    """Assess what was read and write the files of an audit that began at ``start``.

    ``examples_of`` gives the events that an assessment points to.
    """
    progress.stage("assessing")
    mark = clock()
    assessment = detector.assess(part.profiles)
    timings["assess"] = clock() - mark
    progress.stage("writing the report")
    mark = clock()
    examples = examples_of(assessment)
    fill_in(assessment, examples)
    write_tables(out, assessment)
    run = RunSummary(
        files=sources,
        format=format,
        events=part.events,
        accounts=len(assessment.accounts),
        rejected=len(part.rejected),
        bytes=part.bytes,
        seconds=clock() - start,
        timings=timings,
        first_event=min((a.first_seen for a in assessment.accounts), default=None),
        last_event=max((a.last_seen for a in assessment.accounts), default=None),
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        timeline=timeline(part.profiles, {a.account_id for a in assessment.flagged()}),
        shadow=[s.title for s in SIGNALS if s.name in detector.scorer.shadow],
    )
    _write_rejected(out / REJECTED, part.rejected)
    write_report(out, run, assessment, examples)
    timings["report"] = clock() - mark
    return AuditRun(run, assessment, out, examples, timings)


def read_examples(
    paths: Sequence[Path],
    format: str,
    account: str | None,
    assessment: Assessment,
    account_attributes: Sequence[str] = (),
) -> dict[str, Event]:
    """The events that the findings point to, read in a second pass; text is held for these alone."""
    wanted = assessment.event_ids()
    found: dict[str, Event] = {}
    if not wanted:
        return found
    stream = read(paths, format, account, EXAMPLES_AT_ONCE, account_attributes=account_attributes, only=wanted)
    for batch in stream:
        found.update((e.event_id, e) for e in batch.events if e.event_id in wanted)
        if len(found) == len(wanted):
            break
    return found


def write_tables(out: Path, assessment: Assessment) -> None:
    """Write ``accounts.parquet`` (every account) and ``campaigns.parquet``."""
    pl.DataFrame(
        [
            (
                a.account_id,
                a.risk,
                a.verdict,
                a.flagged_at,
                a.campaign_id,
                a.requests,
                [e.text for e in a.evidence if e.direction == "for"],
            )
            for a in assessment.accounts
        ],
        schema={
            "account_id": pl.String,
            "risk": pl.Float64,
            "verdict": pl.String,
            "flagged_at": pl.Datetime("us", "UTC"),
            "campaign_id": pl.String,
            "requests": pl.Int64,
            "reasons": pl.List(pl.String),
        },
        orient="row",
    ).write_parquet(out / "accounts.parquet")
    pl.DataFrame(
        [
            (
                c.campaign_id,
                c.risk,
                c.verdict,
                c.flagged_at,
                c.accounts,
                c.requests,
                c.harvest,
                c.output_tokens,
                [t.text for t in c.ties],
            )
            for c in assessment.campaigns
        ],
        schema={
            "campaign_id": pl.String,
            "risk": pl.Float64,
            "verdict": pl.String,
            "flagged_at": pl.Datetime("us", "UTC"),
            "accounts": pl.List(pl.String),
            "requests": pl.Int64,
            "harvest": pl.String,
            "output_tokens": pl.Int64,
            "ties": pl.List(pl.String),
        },
        orient="row",
    ).write_parquet(out / "campaigns.parquet")


def _write_rejected(path: Path, rejected: Sequence[Rejected]) -> None:
    encoder = msgspec.json.Encoder()
    path.write_bytes(b"".join(encoder.encode(r) + b"\n" for r in rejected))
