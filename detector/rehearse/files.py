"""A rehearsal in log files: read and profiled once, then rehearsed in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from detector.pipeline import Detector
from detector.profiling import profile_files
from detector.progress import Progress
from detector.rehearse.plan import Plan
from detector.rehearse.run import rehearse
from detector.report.rehearsal import RehearsalRun, write_rehearsal
from detector.report.text import quantity
from detector.simulate import Surroundings


def rehearse_files(
    paths: Sequence[Path],
    out: Path,
    *,
    detector: Detector,
    plan: Plan,
    format: str = "auto",
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> RehearsalRun:
    """Rehearse in log files and write ``rehearsal.html``, ``rehearsal.json`` and ``rehearsal.parquet`` into ``out``.

    Raises ValueError for a plan that makes no sense (before anything is read) and for a log that is empty or too small,
    FormatError when a file cannot be read at all.
    """
    plan.check()
    progress = progress or Progress()
    start = clock()
    progress.stage("reading")
    surroundings = Surroundings()
    part = profile_files(paths, detector, format, None, progress, clock, look=surroundings.see)
    if not part.events:
        raise ValueError(
            f"the log holds no events that can be read ({quantity(len(part.rejected), 'row')} rejected): "
            f"`distillwatch audit {paths[0]} --out DIR` lists them with their reasons"
        )
    found = rehearse(part.profiles, surroundings, detector, plan, progress)
    progress.stage("writing the report")
    run = RehearsalRun(
        files=[str(p) for p in paths],
        format=format,
        rejected=len(part.rejected),
        bytes=part.bytes,
        seconds=clock() - start,
        rehearsal=found,
    )
    write_rehearsal(out, run)
    return run
