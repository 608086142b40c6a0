"""Bulk decisions: what they would do, asking for them, and carrying them out beside the worker."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog

from api.schemas.bulk import BulkIn, BulkItem, BulkOut, BulkPreview
from api.schemas.decisions import DecisionIn
from api.services import acting, approving
from api.settings import Settings
from api.storage import bulk, cases, decisions, queue
from api.storage.approvals import NotPossible
from api.storage.engine import Database
from api.storage.keys import Key

MOST = 10_000  # accounts in one
SAMPLE = 20  # accounts that a preview names
STEP = 50  # accounts carried out between two looks at other things

log = structlog.get_logger()


class NotAsked(ValueError):
    """The bulk decision cannot be asked for like this."""


def query_of(body: BulkIn, key: Key) -> queue.Query:
    """The queue's query that a bulk decision is on."""
    now = datetime.now(UTC)
    given = body.query
    return queue.Query(
        state=given.state,
        verdict=given.verdict,
        min_risk=given.min_risk,
        text=given.q,
        due_before=now if given.due else None,
        claim=given.claim,
        pattern=given.pattern,
        actor=key.actor,
        now=now,
    )


def preview(database: Database, settings: Settings, key: Key, body: BulkIn) -> tuple[BulkPreview, list[str]]:
    """What a bulk decision would do, and on whom. Raises NotAsked."""
    try:
        issue = acting.issued(body.decision, "account", settings)
        acting.details(body.decision)
    except acting.BadAction as error:
        raise NotAsked(str(error)) from error
    found = queue.matching_ids(database, query_of(body, key), MOST + 1)
    if not found:
        raise NotAsked("no case matches")
    if len(found) > MOST:
        raise NotAsked(f"more than {MOST:,} cases match: narrow the query")
    rows = cases.rows_of(database, found).values()
    told = BulkPreview(
        total=len(found),
        open=sum(r.state == "open" for r in rows),
        decided=sum(r.state != "open" for r in rows),
        claimed=sum(cases.is_claimed(r, key.actor, datetime.now(UTC)) for r in rows),
        actions=len(issue) * len(found),
        sample=found[:SAMPLE],
        needs_approval=settings.four_eyes,
    )
    return told, found


def ask(database: Database, settings: Settings, key: Key, body: BulkIn) -> BulkOut:
    """Ask for a bulk decision. Raises NotAsked where the number that was previewed is no longer the one that matches."""
    told, found = preview(database, settings, key, body)
    if body.expected != told.total:
        raise NotAsked(f"the query matches {told.total:,} cases now: look at the preview again")
    given = body.query.model_dump(exclude_none=True, exclude_defaults=True)
    words = ", ".join(f"{name} {value}" for name, value in given.items()) or "all that is flagged or watched"
    what = f"{body.decision.decision.replace('_', ' ')} {told.total:,} cases"
    args = (words[:256], what, body.decision.reason, body.decision.model_dump_json(), told.needs_approval)
    record = bulk.add(database, found, *args, key.actor, datetime.now(UTC))
    return bulk_out(record, bulk.Progress(0, 0))


def bulk_out(record: Any, progress: bulk.Progress) -> BulkOut:
    """A bulk decision as it is shown."""
    names = ("bulk_id", "what", "reason", "total", "issued_by", "issued_at", "approved_by", "finished_at")
    return BulkOut(
        query=record.subject_id,
        state="finished" if record.finished_at else approving.state_of(record),
        done=progress.done,
        failed=progress.failed,
        **{name: getattr(record, name) for name in names},
    )


def item_out(record: Any) -> BulkItem:
    """An account's result."""
    return BulkItem(**{name: getattr(record, name) for name in BulkItem.model_fields})


def step(database: Database, settings: Settings) -> bool:
    """Carry out some of the oldest bulk decision that may be; True if there may be more at once."""
    job = bulk.unfinished(database, datetime.now(UTC))
    if job is None:
        return False
    waiting = bulk.waiting(database, job.bulk_id, STEP)
    body = DecisionIn.model_validate_json(job.decision)
    for account_id in waiting:
        _decide(database, settings, job, body, account_id)
    if len(waiting) < STEP and not bulk.waiting(database, job.bulk_id, 1):
        bulk.finish(database, job.bulk_id, datetime.now(UTC))
        log.info("bulk decision carried out", bulk_id=job.bulk_id, accounts=job.total)
    return True


def _decide(database: Database, settings: Settings, job: Any, body: DecisionIn, account_id: str) -> None:
    """One account, with its result in the same transaction, so that it is decided on once however often this is killed."""
    now = datetime.now(UTC)
    try:
        # what is asked for as a whole was approved as a whole
        issue = [a._replace(needs_approval=False) for a in acting.issued(body, "account", settings)]
        reason = f"{body.reason} (bulk {job.bulk_id})"
        with database.write("audit") as connection:
            if not bulk.take(connection, job.bulk_id, account_id, now):
                return
            given = (body.decision, reason, job.issued_by, issue, acting.details(body))
            made = decisions.record(connection, "account", account_id, *given)
            missing = None if made else "there is no finding on it any more"
            number = made.decision_id if made else None
            bulk.note(connection, job.bulk_id, account_id, "failed" if missing else "done", missing, number)
    except (NotPossible, acting.BadAction) as error:
        with database.write("audit") as connection:
            if bulk.take(connection, job.bulk_id, account_id, now):
                bulk.note(connection, job.bulk_id, account_id, "failed", str(error), None)
