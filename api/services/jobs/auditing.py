"""An audit as a job: of a file, or of the stored events of a period."""

from __future__ import annotations

import time

from api.schemas.jobs import AuditIn, AuditSummary, Source, TopAccount
from api.services import masking
from api.services.jobs import files
from api.services.jobs.work import Work, profile_stored
from api.storage import events
from detector.assessment import top_reason
from detector.audit import AuditRun, conclude
from detector.audit import audit as audit_files
from detector.report import write_report

MASKED = "report.masked"  # the report for who has no leave to read prompts
TOP = 50  # flagged accounts named in the summary; the report has all


def audit(work: Work, asked: AuditIn) -> AuditSummary:
    """Run it and write its report, and beside it one whose prompts are masked. Raises ValueError, FormatError, files.BadFile."""
    run = _stored(work, asked.source) if asked.source.is_stored else _file(work, asked.source)
    write_report(work.out, run.run, *masking.masked_report(run.assessment, run.examples), stem=MASKED)
    found = run.assessment
    flagged = found.flagged()
    top = [
        TopAccount(
            account_id=a.account_id,
            risk=a.risk,
            requests=a.requests,
            harvest=a.harvest,
            campaign_id=a.campaign_id,
            top_reason=top_reason(a),
        )
        for a in flagged[:TOP]
    ]
    return AuditSummary(
        events=run.run.events,
        accounts=run.run.accounts,
        rejected=run.run.rejected,
        flagged=len(flagged),
        watched=sum(a.verdict == "watch" for a in found.accounts),
        campaigns=len(found.campaigns),
        expected_false=found.expected_false_flags,
        seconds=run.run.seconds,
        top=top,
        shadow=run.run.shadow,
    )


def _file(work: Work, source: Source) -> AuditRun:
    path = files.find(work.settings, source)
    names = work.settings.attribute_names
    return audit_files(
        [path], work.out, detector=work.detector, format=source.format, account_attributes=names, progress=work.progress
    )


def _stored(work: Work, source: Source) -> AuditRun:
    start = time.perf_counter()
    work.progress.stage("reading the stored events")
    part = profile_stored(work, source.since, source.until)
    until = f" until {source.until:%Y-%m-%d %H:%M}" if source.until else ""
    since = f" since {source.since:%Y-%m-%d %H:%M}" if source.since else ""
    return conclude(
        part,
        work.out,
        [f"stored events{since}{until}"],
        "stored",
        work.detector,
        lambda assessment: events.by_id(work.database, assessment.event_ids()),
        work.progress,
        time.perf_counter,
        start,
        part.timings,
    )
