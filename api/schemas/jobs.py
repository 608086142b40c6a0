"""Long work: audits, rehearsals, backtests and the overlap of signals, and what came of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from api.schemas.approvals import UnmaskingOut
from api.schemas.base import CaseState, Schema
from api.schemas.signals import SignalState

JobKind = Literal["audit", "rehearsal", "backtest", "signals"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Identity = Literal["unshared", "partly", "shared"]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
SHARES = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01)


class Source(Schema):
    """What is worked on: an uploaded file, a file of the server, or what is stored of a period."""

    upload_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    file: Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="One of GET /v1/files"
    )
    since: AwareDatetime | None = Field(None, description="Of the stored events; absent: from the first on")
    until: AwareDatetime | None = Field(None, description="Exclusive; absent: up to the last")
    format: Annotated[str, StringConstraints(max_length=40)] = "auto"

    @model_validator(mode="after")
    def _one(self) -> Source:
        if self.upload_id and self.file:
            raise ValueError("name an upload or a file, not both")
        if (self.upload_id or self.file) and (self.since or self.until):
            raise ValueError("a period is of the stored events; a file is read as a whole")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("the period ends before it begins")
        return self

    @property
    def is_stored(self) -> bool:
        """Whether it is the stored events."""
        return not (self.upload_id or self.file)


class AuditIn(Schema):
    """The detector over a log, with a report."""

    kind: Literal["audit"]
    title: Title
    source: Source = Source()


class RehearsalIn(Schema):
    """Which simulated campaigns would be caught among these events."""

    kind: Literal["rehearsal"]
    title: Title
    source: Source = Source()
    families: list[Annotated[str, StringConstraints(max_length=40)]] = Field(
        [], max_length=30, description="Empty: all"
    )
    accounts: list[Annotated[int, Field(ge=1, le=1000)]] = Field([1, 5, 25], min_length=1, max_length=6)
    covers: list[Annotated[float, Field(ge=0, lt=1)]] = Field([0.0, 0.5], min_length=1, max_length=5)
    identity: Identity = "unshared"
    repeats: Annotated[int, Field(ge=1, le=20)] = 1
    budget: Annotated[int, Field(ge=1, le=500_000)] = Field(100_000, description="Requests planted in all")


class BacktestIn(Schema):
    """What other thresholds would have flagged, of what is in the profiles."""

    kind: Literal["backtest"]
    title: Title
    since: AwareDatetime | None = Field(None, description="Of the profiles, whole days; absent: the whole window")
    until: AwareDatetime | None = None
    shares: list[Annotated[float, Field(gt=0, le=0.1)]] = Field(
        list(SHARES), min_length=1, max_length=12, description="Shares of honest accounts that may be flagged"
    )


class SignalsIn(Schema):
    """What each signal adds to the others, of what is in the profiles."""

    kind: Literal["signals"]
    title: Title
    since: AwareDatetime | None = Field(None, description="Of the profiles, whole days; absent: the whole window")
    until: AwareDatetime | None = None


JobIn = Annotated[AuditIn | RehearsalIn | BacktestIn | SignalsIn, Field(discriminator="kind")]


class AuditSummary(Schema):
    events: int
    accounts: int
    rejected: int
    flagged: int
    watched: int
    campaigns: int
    expected_false: float
    seconds: float
    top: list[TopAccount] = Field(description="The riskiest flagged accounts")
    shadow: list[str] = Field(default=[], description="Titles of the signals in shadow, which did not count")


class TopAccount(Schema):
    account_id: str
    risk: float
    requests: int
    harvest: str | None
    campaign_id: str | None
    top_reason: str


class ShapeOut(Schema):
    """A kind of campaign, and how it fared."""

    family: str
    accounts: int
    requests: int = Field(description="Of each account")
    cover: float
    caught: int
    planted: int
    exposure: float = Field(description="Share of the harvest answered before the flag, mean")
    first_flag: float | None = Field(description="Requests until the first flag, median")
    blind: bool


class RehearsalSummary(Schema):
    events: int
    accounts: int
    planted: int = Field(description="Campaigns")
    caught: int
    blind: int = Field(description="Shapes that are more likely missed than caught")
    changed: int = Field(description="Accounts of the log whose verdict changed while campaigns were planted")
    seconds: float
    shapes: list[ShapeOut]
    skipped: int = Field(description="Shapes too large for the log")


class BacktestAccount(Schema):
    account_id: str
    requests: int
    state: CaseState
    harvest: str | None
    top_reason: str
    needs: float = Field(description="Smallest of the shares at which it is flagged")


class BacktestPoint(Schema):
    """One threshold: what it flags, by what people found of it."""

    share: float = Field(description="Of honest accounts that may be flagged")
    current: bool = Field(description="The one that holds now")
    flagged: int
    confirmed: int
    dismissed: int
    unlabelled: int
    missed: int = Field(description="Confirmed accounts that it does not flag")
    expected_false: float
    expected_false_interval: tuple[float, float]


class BacktestSummary(Schema):
    accounts: int
    since: datetime | None
    until: datetime | None
    seconds: float
    points: list[BacktestPoint]
    confirmed: list[BacktestAccount] = Field(description="Samples of what the loosest flags, the strictest first")
    dismissed: list[BacktestAccount]
    unlabelled: list[BacktestAccount]


class OverlapAccount(Schema):
    account_id: str
    requests: int
    state: CaseState


class SignalOverlap(Schema):
    """A signal that speaks for harvesting, beside the live ones."""

    signal: str
    title: str
    state: SignalState = Field(description="When the job ran")
    strong: int = Field(description="Accounts where it is strong")
    anyway: int = Field(description="of which are flagged with this signal left out as well")
    only: int = Field(
        description="Accounts flagged only where it counts: lost in shadow for a live one, added for one in shadow"
    )
    confirmed: int = Field(description="of which people confirmed")
    dismissed: int
    unlabelled: int
    samples: list[OverlapAccount] = Field(description="Some accounts that are flagged only where it counts")


class SignalsSummary(Schema):
    accounts: int
    flagged: int = Field(description="As things are")
    since: datetime | None
    until: datetime | None
    seconds: float
    strong_from: float = Field(
        description="Share of ordinary accounts of the same size that have less where it is strong"
    )
    signals: list[SignalOverlap]
    shared: list[list[float]] = Field(
        description="Of each two signals, in their order: accounts where both are strong, of those where either is"
    )


class JobOut(Schema):
    job_id: str
    kind: JobKind
    title: str
    state: JobState
    stage: str = Field(description="What is being done")
    progress: float = Field(description="Of the stage, 0..1")
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: str | None
    files: list[str] = Field([], description="Of the result, each at /v1/jobs/{job_id}/files/{name}")


class JobDetail(JobOut):
    request: JobIn
    unmasking: UnmaskingOut | None = Field(None, description="The caller's leave to read its full reports, if any")
    audit: AuditSummary | None = None
    rehearsal: RehearsalSummary | None = None
    backtest: BacktestSummary | None = None
    signals: SignalsSummary | None = None


class JobPage(Schema):
    items: list[JobOut]
    total: int


class Upload(Schema):
    upload_id: str
    name: str
    bytes: int


class ServerFile(Schema):
    file: str
    bytes: int
    changed_at: datetime


AuditSummary.model_rebuild()
