"""Delivers what waits, with growing pauses between attempts, each webhook by itself: a slow receiver holds up no other."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import structlog

from api.services.webhooks import shapes, signing
from api.services.webhooks.sending import GONE, MAX_SECONDS, Outcome, send
from api.services.webhooks.shapes.base import Context
from api.services.webhooks.vault import Locked, Vault
from api.settings import Settings
from api.storage import webhooks
from api.storage.engine import Database

FIRST_PAUSE = timedelta(seconds=5)
GROWTH = 4.0  # 5 s, 20 s, 80 s, 5 min, 21 min, 85 min, 6 h, 12 h, 12 h: about a day and a half
LONGEST_PAUSE = timedelta(hours=12)
MAX_ATTEMPTS = 10
JITTER = 0.2  # of a pause, so that what failed together does not come again together
LEASE = timedelta(
    seconds=MAX_SECONDS * 20
)  # a claimed batch to one webhook, each attempt at its longest, is over by then
BATCH = 16  # claimed at once
THREADS = 4
KEEP = timedelta(days=30)  # the log of what ended

log = structlog.get_logger()
USER_AGENT = f"distillwatch/{version('distillwatch')}"


class Courier:
    """Sends over one database; several may do so at once."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._vault = Vault(settings)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhooks")
        self._closing = threading.Event()
        self._busy: dict[str, Future[None]] = {}  # by webhook: in order, and one connection at a time

    def step(self) -> int:
        """Start to deliver what is due; returns how many deliveries that were."""
        self._busy = {k: v for k, v in self._busy.items() if not v.done()}
        if len(self._busy) >= THREADS:
            return 0
        now = datetime.now(UTC)
        claimed = webhooks.claim(self._database, now, LEASE, BATCH, self._busy.keys())
        for webhook_id, jobs in _by_webhook(claimed):
            self._busy[webhook_id] = self._pool.submit(self._deliver_all, jobs)
        return len(claimed)

    def wait(self) -> None:
        """Return when nothing is under way."""
        for job in list(self._busy.values()):
            job.result()

    def prune(self) -> int:
        """Forget what ended long ago; returns how many deliveries that were."""
        return webhooks.prune(self._database, datetime.now(UTC) - KEEP)

    def close(self) -> None:
        """Stop; what was not begun is due again."""
        self._closing.set()
        self._pool.shutdown()

    def _deliver_all(self, jobs: Sequence[tuple[Any, Any]]) -> None:
        for number, (delivery, webhook) in enumerate(jobs):
            if self._closing.is_set():
                webhooks.release(self._database, [d.delivery_id for d, _ in jobs[number:]], datetime.now(UTC))
                return
            try:
                self._deliver(delivery, webhook)
            except Exception:
                log.exception("delivery failed", webhook_id=webhook.webhook_id, delivery_id=delivery.delivery_id)

    def _deliver(self, delivery: Any, webhook: Any) -> None:
        at = datetime.now(UTC)
        if webhook.disabled_at is not None:
            webhooks.finish(self._database, delivery, at, None, "the webhook is disabled", 0, None)
            return
        outcome = self._attempt(delivery, webhook, at)
        last = delivery.attempts + 1 >= MAX_ATTEMPTS or outcome.status == GONE
        next_at = None if last else datetime.now(UTC) + pause(delivery.attempts, outcome.retry_after)
        webhooks.finish(self._database, delivery, at, outcome.status, outcome.error, outcome.milliseconds, next_at)
        log.info(
            "webhook sent" if outcome.error is None else "webhook not delivered",
            webhook_id=webhook.webhook_id, kind=delivery.kind, attempt=delivery.attempts + 1, status=outcome.status,
            error=outcome.error, milliseconds=outcome.milliseconds,
        )  # fmt: skip
        if outcome.status == GONE:
            reason = "the receiver answered 410: it wants nothing more"
            webhooks.disable(self._database, webhook.webhook_id, reason, "webhooks", datetime.now(UTC))

    def _attempt(self, delivery: Any, webhook: Any, at: datetime) -> Outcome:
        context = Context(delivery.message_id, webhook.name, self._settings.public_url, version("distillwatch"), at)
        body = shapes.body(webhook.shape, bytes(delivery.payload), context)
        both = webhook.previous_secret and webhook.previous_until > at
        sealed = [webhook.secret, *([webhook.previous_secret] if both else [])]
        try:
            live = [self._vault.open(one) for one in sealed]
        except Locked as error:
            return Outcome(None, str(error), 0)
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        headers |= signing.headers(live, delivery.message_id, at, body)
        return send(webhook.url, body, headers, self._settings.webhook_networks)


def pause(attempts: int, asked: float | None = None) -> timedelta:
    """Time until the next attempt after so many; at least what the receiver asked for, but never longer than the longest."""
    grown = FIRST_PAUSE * min(GROWTH**attempts, LONGEST_PAUSE / FIRST_PAUSE)
    grown *= 1 + random.uniform(-JITTER, JITTER)
    return min(max(grown, timedelta(seconds=asked or 0)), LONGEST_PAUSE * (1 + JITTER))


def _by_webhook(claimed: Sequence[tuple[Any, Any]]) -> Iterator[tuple[str, list[tuple[Any, Any]]]]:
    groups: dict[str, list[tuple[Any, Any]]] = {}
    for delivery, webhook in claimed:
        groups.setdefault(webhook.webhook_id, []).append((delivery, webhook))
    yield from groups.items()
