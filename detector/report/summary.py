"""What was audited, and the figures at the top of every report."""

from __future__ import annotations

from datetime import datetime
from importlib import metadata

import msgspec

from detector.assessment import Assessment


def own_version() -> str:
    """Version of the product that is installed."""
    try:
        return metadata.version("distillwatch")
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return "unknown"


class TimeBin(msgspec.Struct, frozen=True):
    """Requests of an hour or a day: those of flagged accounts, and all others."""

    start: datetime
    flagged: int
    other: int


class RunSummary(msgspec.Struct, kw_only=True):
    """One run over log files."""

    files: list[str]
    format: str
    events: int
    accounts: int
    rejected: int
    bytes: int
    seconds: float
    first_event: datetime | None = None
    last_event: datetime | None = None
    timings: dict[str, float] = {}  # seconds by stage
    peak_memory_mb: float | None = None
    timeline: list[TimeBin] = []
    shadow: list[str] = []  # titles of the signals that did not count
    version: str = msgspec.field(default_factory=own_version)

    @property
    def events_per_second(self) -> float:
        """Speed of the whole run."""
        return self.events / self.seconds if self.seconds > 0 else 0.0


class Totals(msgspec.Struct, kw_only=True):
    """Figures of an assessment."""

    events: int
    accounts: int
    flagged: int
    watched: int
    campaigns: int
    campaign_accounts: int
    expected_false_flags: float
    expected_false_flags_interval: tuple[float, float]  # that hold with a probability of 95 %
    max_false_flags: float  # share of honest accounts that may be flagged
    flagged_requests: int
    flagged_input_tokens: int
    flagged_output_tokens: int
    rejected: int


def totals(run: RunSummary, assessment: Assessment) -> Totals:
    """Count what the findings come to."""
    flagged = assessment.flagged()
    return Totals(
        events=run.events,
        accounts=run.accounts,
        flagged=len(flagged),
        watched=sum(a.verdict == "watch" for a in assessment.accounts),
        campaigns=len(assessment.campaigns),
        campaign_accounts=len({name for c in assessment.campaigns for name in c.accounts}),
        expected_false_flags=assessment.expected_false_flags,
        expected_false_flags_interval=assessment.expected_false_flags_interval,
        max_false_flags=assessment.max_false_flags,
        flagged_requests=sum(a.requests for a in flagged),
        flagged_input_tokens=sum(a.input_tokens for a in flagged),
        flagged_output_tokens=sum(a.output_tokens for a in flagged),
        rejected=run.rejected,
    )
