"""A rehearsal as a job: simulated campaigns planted among the events of a file or of a period."""

from __future__ import annotations

import time

from api.schemas.jobs import RehearsalIn, RehearsalSummary, ShapeOut
from api.services.jobs import files
from api.services.jobs.work import Work, profile_stored
from detector.profiling import profile_files
from detector.rehearse.plan import Plan
from detector.rehearse.results import Rehearsal
from detector.rehearse.run import rehearse as rehearse_among
from detector.report.rehearsal import RehearsalRun, write_rehearsal
from detector.simulate import Surroundings


def rehearse(work: Work, asked: RehearsalIn) -> RehearsalSummary:
    """Run it and write its report. Raises ValueError, FormatError, files.BadFile."""
    plan = Plan(
        families=tuple(dict.fromkeys(asked.families)) or Plan().families,
        accounts=tuple(dict.fromkeys(asked.accounts)),
        covers=tuple(dict.fromkeys(asked.covers)),
        identity=asked.identity,
        repeats=asked.repeats,
        budget=asked.budget,
    )
    plan.check()
    start = time.perf_counter()
    surroundings = Surroundings()
    work.progress.stage("reading")
    if asked.source.is_stored:
        part = profile_stored(work, asked.source.since, asked.source.until, surroundings.see)
        names = ["stored events"]
    else:
        path = files.find(work.settings, asked.source)
        part = profile_files([path], work.detector, asked.source.format, None, work.progress, look=surroundings.see)
        names = [path.name]
        if not part.events:
            raise ValueError("the file holds no events that can be read")
    found = rehearse_among(part.profiles, surroundings, work.detector, plan, work.progress)
    work.progress.stage("writing the report")
    seconds = time.perf_counter() - start
    run = RehearsalRun(
        files=names,
        format=asked.source.format,
        rejected=len(part.rejected),
        bytes=part.bytes,
        seconds=seconds,
        rehearsal=found,
    )
    write_rehearsal(work.out, run)
    return _summary(found, seconds)


def _summary(found: Rehearsal, seconds: float) -> RehearsalSummary:
    shapes = [
        ShapeOut(
            family=s.shape.family,
            accounts=s.shape.accounts,
            requests=s.shape.requests,
            cover=s.shape.cover,
            caught=s.caught.k,
            planted=s.caught.n,
            exposure=s.exposure,
            first_flag=s.first_flag,
            blind=s.blind,
        )
        for s in found.shapes()
    ]
    return RehearsalSummary(
        events=found.events,
        accounts=found.accounts,
        planted=len(found.outcomes),
        caught=sum(o.caught for o in found.outcomes),
        blind=sum(s.blind for s in shapes),
        changed=len(found.disturbance.changed),
        seconds=seconds,
        shapes=shapes,
        skipped=len(found.skipped),
    )
