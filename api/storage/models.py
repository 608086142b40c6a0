"""The tables. Times are integers, microseconds since 1970 in UTC: exact, sortable and alike in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    text,
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

DECIDED = text("state <> 'open'")  # as written here it must stand in a query that is to use a partial index

events = Table(
    "events", metadata,
    Column("seq", Big, primary_key=True, autoincrement=True),  # the order in which workers read
    Column("event_id", String(ID), nullable=False, unique=True),
    Column("account_id", String(ID), nullable=False),
    Column("timestamp", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the event as JSON
    Index("ix_events_received", "received_at", postgresql_using="brin"),  # rows come in the order of this time
    sqlite_autoincrement=True,  # a number is never given twice, even after deletions
)  # fmt: skip

event_features = Table(  # of events whose text is not kept, or not as it was: computed before they were stored
    "event_features", metadata,
    Column("event_id", String(ID), primary_key=True),
    Column("features", LargeBinary, nullable=False),
)  # fmt: skip

retention = Table(  # how long events are kept: the last row holds
    "retention", metadata,
    Column("retention_id", Big, primary_key=True, autoincrement=True),
    Column("days", Integer),  # null: for ever
    Column("reason", Text, nullable=False),
    Column("actor", String(240), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

content_modes = Table(  # what is kept of the texts of an account, where it is not the default
    "content_modes", metadata,
    Column("account_id", String(ID), primary_key=True),
    Column("mode", String(16), nullable=False),  # full, redacted, none
    Column("reason", Text, nullable=False),
    Column("actor", String(240), nullable=False),
    Column("at", Instant, nullable=False),
    Column("swept_at", Instant),  # when what had been stored before followed the mode too
)  # fmt: skip

open_parts = Table(  # what single records tell of calls that others may tell more of, until they are joined
    "open_parts", metadata,
    Column("part_id", String(32), primary_key=True),  # a hash: a record that is sent again is the same
    Column("family", String(16), nullable=False),  # of formats that are joined with one another
    Column("group_id", String(32), nullable=False),  # of the parts that belong together
    Column("patient", Boolean, nullable=False),  # makes no event by itself
    Column("due_at", Instant, nullable=False),  # when its group is to be joined, whatever has come until then
    Column("account_id", String(ID)),  # of the group, where its records name nobody
    Column("sender", String(ID)),
    Column("received_at", Instant, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("ix_open_parts_due", "due_at"),
    Index("ix_open_parts_group", "group_id"),
)  # fmt: skip

api_keys = Table(
    "api_keys", metadata,
    Column("key_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("account_id", String(ID)),  # owns what the key's holder sends and what names nobody
    Column("role", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("expires_at", Instant),  # of a session; null: until revoked
    Column("person", String(200)),  # whose session it is; null: a key by itself
    Index("ix_api_keys_person", "person"),
)  # fmt: skip

people = Table(  # who may sign in through the identity provider, and as what
    "people", metadata,
    Column("person", String(200), primary_key=True),  # as the provider names them, in lower case
    Column("role", String(16), nullable=False),
    Column("created_by", String(240), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant),  # last sign-in
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
    Column("position", BigInteger, nullable=False),  # last seq that is in a segment or an open range
    Column("events", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),  # events that the detector could not read
    Column("last_event_at", Instant),
    Column("seen_at", Instant),  # heartbeat
    Column("assessed_at", Instant),
    Column("assessed_position", BigInteger, nullable=False),
    Column("assess_seconds", Float),
    Column("threshold", Float, nullable=False),
    Column("clusters", LargeBinary),  # JSON: cluster, x, y, requests of all accounts
    Column("error_rates", LargeBinary),  # JSON: what is expected to be false of the last assessment's flags
    Column("assessor", String(32)),  # of several workers, the one that assesses
    Column("texts_gone", BigInteger, nullable=False, server_default="0"),  # times that text of requests was deleted ...
    Column("texts_gone_assessed", BigInteger, nullable=False, server_default="0"),  # ... as of the last assessment
)  # fmt: skip

open_ranges = Table(  # of the event log: cut off for a worker, and not yet in a segment
    "open_ranges", metadata,
    Column("after_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("events", Integer, nullable=False),
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
        Column("verdict_id", Integer),  # OCSF's, of the decision that made the state; null: nobody decided
        Column("review_at", Instant),  # when people want to look again
        Column("changed_at", Instant, nullable=False),  # of verdict or state
    ]


account_findings = Table(
    "account_findings", metadata,
    Column("account_id", String(ID), primary_key=True),
    Column("campaign_id", String(64)),
    Column("top_reason", Text, nullable=False),
    *_finding_columns(),
    Column("false_discovery", Float, nullable=False),  # expected share of false ones among those as suspicious
    Column("pattern", String(200), nullable=False),  # what it looks like and the strongest signals: alike cases share it
    Column("due_at", Instant),  # when somebody should have looked: set when it is flagged, and by decisions
    Column("claimed_by", String(240)),
    Column("claimed_until", Instant),
    Column("priority", Float, nullable=False),  # risk times what its tokens are worth, by the settings' prices
    Index("ix_account_findings_queue", "verdict", "risk", "account_id"),
    Index("ix_account_findings_alike", "pattern", "state"),
    Index(  # all that the queue filters, sorts and sums by, so that it need not read findings for that
        "ix_account_findings_scan", "verdict", "state", "risk", "input_tokens", "output_tokens", "requests",
        "flagged_at", "last_seen", "due_at", "false_discovery", "pattern", "claimed_by", "claimed_until", "campaign_id",
        "account_id",
    ),
    Index(  # the queue's own order, in which its filters are read without sorting
        "ix_account_findings_priority", "priority", "account_id", "verdict", "state", "risk", "input_tokens",
        "output_tokens", "due_at", "claimed_by", "claimed_until", "pattern", "campaign_id",
    ),
    Index("ix_account_findings_campaign", "campaign_id"),
    Index(  # of the few that people decided on; of all, SQLite would prefer it to the one above
        "ix_account_findings_decided", "state", "changed_at", sqlite_where=DECIDED, postgresql_where=DECIDED,
    ),
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
    Column("verdict_id", Integer, nullable=False),  # OCSF's
    Column("confidence", String(8), nullable=False),
    Column("review_at", Instant),
    Column("appeal_note", Text),  # what the account's owner said, or may be told
    Column("finding", LargeBinary),  # the evidence as it was, JSON; null: decided before it was kept
    Column("before", Text, nullable=False),  # JSON: what of the subject's row it changed, for undo
    Column("undone_by", String(240)),
    Column("undone_at", Instant),
    Column("undo_reason", Text),
    Index("ix_decisions_subject", "subject", "subject_id"),
)  # fmt: skip


def _four_eyes_columns() -> list[Column[Any]]:
    """Of what one person asks for and a second one may have to approve, until it ends."""
    return [
        Column("issued_by", String(240), nullable=False),
        Column("issued_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("needs_approval", Boolean, nullable=False),  # of a second person; until then it does not hold
        Column("approved_by", String(240)),
        Column("approved_at", Instant),
        Column("ended_by", String(240)),
        Column("ended_at", Instant),  # before its time: lifted, refused, or replaced by a later decision
        Column("end_reason", Text),
        Column("touched_at", Instant, nullable=False),  # of the last change
    ]


actions = Table(  # what gateways are to do, by a person's decision or automatically
    "actions", metadata,
    Column("action_id", Big, primary_key=True, autoincrement=True),
    Column("subject", String(16), nullable=False),  # account, campaign: then it holds for each member
    Column("subject_id", String(ID), nullable=False),
    Column("api_key_id", String(ID)),  # null: all keys of the account
    Column("model", String(ID)),  # null: all models; a trailing * stands for any ending
    Column("capability", String(32)),  # null: all requests
    Column("action", String(16), nullable=False),
    Column("source", String(16), nullable=False),  # decision, automatic
    Column("decision_id", Big),  # null: automatic
    Column("replaced_by", Big),  # the decision that ended it: its undoing makes it hold again
    *_four_eyes_columns(),
    Index("ix_actions_subject", "subject", "subject_id"),
    Index("ix_actions_open", "ended_at", "expires_at"),
    Index("ix_actions_decision", "decision_id"),
)  # fmt: skip

exceptions = Table(  # a signal that does not count in an account's risk
    "exceptions", metadata,
    Column("exception_id", Big, primary_key=True, autoincrement=True),
    Column("subject", String(16), nullable=False),  # account
    Column("subject_id", String(ID), nullable=False),
    Column("signal", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    *_four_eyes_columns(),
    Index("ix_exceptions_subject", "subject_id"),
    Index("ix_exceptions_open", "ended_at", "expires_at"),
)  # fmt: skip

groupings = Table(  # people's word on a campaign: what belongs together, what does not
    "groupings", metadata,
    Column("grouping_id", Big, primary_key=True, autoincrement=True),  # of two on the same accounts, the later holds
    Column("subject", String(16), nullable=False),  # campaign
    Column("subject_id", String(ID), nullable=False),
    Column("what", String(64), nullable=False),  # merge, split
    Column("sides", Text, nullable=False),  # JSON: lists of accounts
    Column("reason", Text, nullable=False),
    *_four_eyes_columns(),
    Index("ix_groupings_open", "ended_at", "expires_at"),
)  # fmt: skip

unmaskings = Table(  # a person may read the prompts of an account or campaign, for a while
    "unmaskings", metadata,
    Column("unmasking_id", Big, primary_key=True, autoincrement=True),
    Column("subject", String(16), nullable=False),
    Column("subject_id", String(ID), nullable=False),
    Column("reason", Text, nullable=False),
    Column("minutes", Integer, nullable=False),  # from approval on
    *_four_eyes_columns(),  # issued_by is the reader
    Index("ix_unmaskings_subject", "subject", "subject_id"),
    Index("ix_unmaskings_open", "ended_at", "expires_at"),
)  # fmt: skip

bulk_jobs = Table(  # one decision on many accounts
    "bulk_jobs", metadata,
    Column("bulk_id", Big, primary_key=True, autoincrement=True),
    Column("subject", String(16), nullable=False),  # bulk
    Column("subject_id", String(ID), nullable=False),  # the query in words
    Column("what", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decision", Text, nullable=False),  # JSON of api.schemas.decisions.DecisionIn
    Column("total", Integer, nullable=False),
    Column("finished_at", Instant),
    *_four_eyes_columns(),
    Index("ix_bulk_jobs_open", "finished_at", "ended_at"),
)  # fmt: skip

bulk_items = Table(
    "bulk_items", metadata,
    Column("bulk_id", Big, primary_key=True, autoincrement=False),
    Column("account_id", String(ID), primary_key=True),
    Column("result", String(8)),  # done, failed; null: not yet
    Column("detail", Text),  # why it failed
    Column("decision_id", Big),
    Index("ix_bulk_items_open", "bulk_id", "result"),
)  # fmt: skip

enforcement = Table(  # the switch: the last row holds
    "enforcement", metadata,
    Column("enforcement_id", Big, primary_key=True, autoincrement=True),
    Column("mode", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", String(240), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

signal_switches = Table(  # of each signal the last row holds
    "signal_switches", metadata,
    Column("switch_id", Big, primary_key=True, autoincrement=True),
    Column("signal", String(64), nullable=False),
    Column("state", String(8), nullable=False),  # live, shadow
    Column("reason", Text, nullable=False),
    Column("actor", String(240), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

published = Table(  # what gateways are told, worked out once for all API processes
    "published", metadata,
    Column("subject", String(16), primary_key=True),
    Column("subject_id", String(ID), primary_key=True),
    Column("seq", BigInteger, nullable=False, unique=True),  # grows with every change; the feed's cursor
    Column("changed_at", Instant, nullable=False),
    Column("record", LargeBinary, nullable=False),  # JSON
)  # fmt: skip

webhooks = Table(
    "webhooks", metadata,
    Column("webhook_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("shape", String(32), nullable=False),
    Column("kinds", Text, nullable=False),  # JSON list
    Column("secret", Text, nullable=False),  # encrypted: it is needed to sign, so it cannot be a hash; never listed
    Column("previous_secret", Text),
    Column("previous_until", Instant),  # until then both sign
    Column("created_by", String(240), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("disabled_reason", Text),
)  # fmt: skip

webhook_deliveries = Table(
    "webhook_deliveries", metadata,
    Column("delivery_id", Big, primary_key=True, autoincrement=True),
    Column("webhook_id", String(32), nullable=False),
    Column("message_id", String(64), nullable=False),  # the same at each attempt: the receiver's idempotency key
    Column("kind", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the message in our own shape, JSON
    Column("state", String(12), nullable=False),  # pending, delivered, failed
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),  # of the next attempt
    Column("ended_at", Instant),
    Index("ix_webhook_deliveries_due", "state", "due_at"),
    Index("ix_webhook_deliveries_webhook", "webhook_id", "delivery_id"),
)  # fmt: skip

webhook_attempts = Table(
    "webhook_attempts", metadata,
    Column("attempt_id", Big, primary_key=True, autoincrement=True),
    Column("delivery_id", Big, nullable=False),
    Column("at", Instant, nullable=False),
    Column("status", Integer),  # null: no answer
    Column("error", Text),
    Column("milliseconds", Integer, nullable=False),
    Index("ix_webhook_attempts_delivery", "delivery_id"),
)  # fmt: skip

jobs = Table(  # long work that people ask for: audits, rehearsals, backtests
    "jobs", metadata,
    Column("job_id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("title", String(200), nullable=False),
    Column("parameters", Text, nullable=False),  # JSON
    Column("state", String(12), nullable=False),  # queued, running, done, failed, cancelled
    Column("stage", String(200), nullable=False),
    Column("progress", Float, nullable=False),  # of the stage, 0..1
    Column("created_by", String(240), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("seen_at", Instant),  # sign of life of who runs it
    Column("attempts", Integer, nullable=False),
    Column("cancel", Boolean, nullable=False),  # asked to stop
    Column("error", Text),
    Column("summary", Text),  # JSON: the result in figures
    Index("ix_jobs_state", "state", "created_at"),
)  # fmt: skip

saved_queries = Table(
    "saved_queries", metadata,
    Column("query_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("text", Text),
    Column("account_id", String(ID)),  # or this one as an example
    Column("shared", Boolean, nullable=False),
    Column("owner", String(240), nullable=False),
    Column("created_at", Instant, nullable=False),
)  # fmt: skip

review_samples = Table(  # accounts drawn at random while they were not flagged
    "review_samples", metadata,
    Column("sample_id", Big, primary_key=True, autoincrement=True),
    Column("account_id", String(ID), nullable=False),
    Column("drawn_by", String(240), nullable=False),
    Column("drawn_at", Instant, nullable=False),
    Column("population", BigInteger, nullable=False),  # unflagged accounts at that time
    Index("ix_review_samples_account", "account_id"),
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
