"""What is measured, for /metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

EVENTS = Counter("distillwatch_events", "Events by what became of them", ["format", "outcome"])
BODIES = Counter("distillwatch_bodies_refused", "Request bodies refused as a whole", ["reason"])
COMMIT_SECONDS = Histogram("distillwatch_commit_seconds", "Time of one commit of events", buckets=_FAST)
SPOOLED = Counter("distillwatch_spooled_bytes", "Bytes kept in files because the database took nothing")
UNSPOOLED = Counter("distillwatch_unspooled_events", "Events that came into the database from files")
REQUEST_SECONDS = Histogram(
    "distillwatch_request_seconds", "Time until the answer", ["method", "route", "status"], buckets=_FAST
)
STATE = Gauge(
    "distillwatch_state", "1 for the state that a part of the service is in, 0 for its others", ["part", "state"]
)
DISK_FREE = Gauge("distillwatch_disk_free_bytes", "Free space where the data lies")
SPOOL_BYTES = Gauge("distillwatch_spool_bytes", "Kept in files until the database takes it")
PENDING_BYTES = Gauge("distillwatch_pending_bytes", "In memory until the database takes it")
PARTS_WAITING = Gauge("distillwatch_parts_waiting", "Spans and log records that wait for others of their calls")
LAG_EVENTS = Gauge("distillwatch_worker_lag_events", "Events stored and not yet profiled")
LAG_SECONDS = Gauge("distillwatch_worker_lag_seconds", "Age of the oldest event not yet profiled")
UNASSESSED = Gauge("distillwatch_unassessed_events", "Events stored that the findings do not reflect yet")
FLAGGED = Gauge("distillwatch_flagged_accounts", "Accounts whose verdict is flag")
WORKER_EVENTS = Gauge("distillwatch_worker_events", "Events profiled so far")
WORKER_SKIPPED = Gauge("distillwatch_worker_skipped_events", "Events that the detector could not read")
ASSESS_SECONDS = Gauge("distillwatch_assess_seconds", "Duration of the last assessment")
VERDICTS = Counter("distillwatch_verdicts", "Verdicts asked for one by one, by their action", ["action"])
VERDICTS_KNOWN = Gauge("distillwatch_verdicts_known", "Accounts in memory that are not simply allowed")
ENFORCEMENT = Gauge("distillwatch_enforcement", "What gateways are told: 2 all actions, 1 people's alone, 0 none")
ACTIONS_LIVE = Gauge("distillwatch_actions_live", "Actions that hold now", ["action", "source"])
ACTIONS_PENDING = Gauge("distillwatch_actions_pending", "Actions that wait for a second person")
WEBHOOKS_PENDING = Gauge("distillwatch_webhook_deliveries_pending", "Webhook deliveries that wait")
WEBHOOKS_DAY = Gauge(
    "distillwatch_webhook_deliveries_day", "Webhook deliveries of the last 24 hours by outcome", ["outcome"]
)
