"""The tables. Times are integers, microseconds since 1970 in UTC: exact, sortable and alike in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
ID = 256  # characters of an id of a client
Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key


def to_micros(when: datetime) -> int:
    """Microseconds since 1970."""
    return (when - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Inverse of :func:`to_micros`."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """A time in UTC as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else from_micros(value)


metadata = MetaData()

events = Table(
    "events", metadata,
    Column("seq", Big, primary_key=True, autoincrement=True),  # the order in which workers read
    Column("event_id", String(ID), nullable=False, unique=True),
    Column("account_id", String(ID), nullable=False),
    Column("timestamp", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the event as JSON
    sqlite_autoincrement=True,  # a number is never given twice, even after deletions
)  # fmt: skip

api_keys = Table(
    "api_keys", metadata,
    Column("key_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)  # fmt: skip

profile_segments = Table(
    "profile_segments", metadata,
    Column("segment_id", Big, primary_key=True, autoincrement=True),
    Column("level", Integer, nullable=False),  # 0: a batch; n + 1: merged from level n
    Column("last_seq", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("profile", LargeBinary, nullable=False),
)  # fmt: skip

worker_state = Table(
    "worker_state", metadata,
    Column("name", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),  # last seq that is in a segment
    Column("events", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),  # events that the detector could not read
    Column("last_event_at", Instant),
    Column("seen_at", Instant),  # heartbeat
    Column("assessed_at", Instant),
    Column("assessed_position", BigInteger, nullable=False),
    Column("assess_seconds", Float),
    Column("threshold", Float, nullable=False),
    Column("clusters", LargeBinary),  # JSON: cluster, x, y, requests of all accounts
)  # fmt: skip


def _finding_columns() -> list[Column[Any]]:
    """What accounts and campaigns have in common: columns to sort and filter by, and the whole finding as JSON."""
    return [
        Column("risk", Float, nullable=False),
        Column("verdict", String(8), nullable=False),
        Column("requests", BigInteger, nullable=False),
        Column("input_tokens", BigInteger, nullable=False),
        Column("output_tokens", BigInteger, nullable=False),
        Column("harvest", Text),
        Column("first_seen", Instant, nullable=False),
        Column("last_seen", Instant, nullable=False),
        Column("flagged_at", Instant),  # the earliest ever found
        Column("finding", LargeBinary, nullable=False),
        Column("state", String(12), nullable=False),  # what people decided; assessments leave it alone
        Column("changed_at", Instant, nullable=False),  # of verdict or state
    ]


account_findings = Table(
    "account_findings", metadata,
    Column("account_id", String(ID), primary_key=True),
    Column("campaign_id", String(64)),
    Column("top_reason", Text, nullable=False),
    *_finding_columns(),
    Index("ix_account_findings_queue", "verdict", "risk", "account_id"),
    Index("ix_account_findings_changed", "changed_at", "account_id"),
)  # fmt: skip

campaign_findings = Table(
    "campaign_findings", metadata,
    Column("campaign_id", String(64), primary_key=True),
    Column("accounts", Integer, nullable=False),
    *_finding_columns(),
)  # fmt: skip

decisions = Table(
    "decisions", metadata,
    Column("decision_id", Big, primary_key=True, autoincrement=True),
    Column("subject", String(16), nullable=False),  # account, campaign
    Column("subject_id", String(ID), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", String(240), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_decisions_subject", "subject", "subject_id"),
)  # fmt: skip

audit_log = Table(
    "audit_log", metadata,
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3, ... without a gap
    Column("at", Instant, nullable=False),
    Column("actor", String(240), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Column("previous", String(64), nullable=False),  # hash of the entry before
    Column("hash", String(64), nullable=False),  # SHA-256 of all of the above
)  # fmt: skip
