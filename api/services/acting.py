"""The actions that a decision carries, and what is shown of actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from api.schemas.actions import ActionOut
from api.schemas.decisions import DecisionIn
from api.schemas.verdicts import EnforcementMode, EnforcementOut
from api.services import metrics
from api.services.approving import state_of
from api.services.automatic import DAY
from api.settings import Settings
from api.storage import actions, enforcement, webhooks
from api.storage.actions import New
from api.storage.decisions import VERDICTS, Details, Subject
from api.storage.engine import Database

_SHOWN = [name for name in ActionOut.model_fields if name != "state"]


class BadAction(ValueError):
    """The decision cannot carry this action."""


def details(body: DecisionIn) -> Details:
    """What a decision says beside itself. Raises BadAction for a verdict of another decision."""
    fitting = VERDICTS[body.decision]
    if body.verdict_id is not None and body.verdict_id not in fitting:
        allowed = ", ".join(str(v) for v in fitting)
        raise BadAction(f"verdict_id: with `{body.decision}` it is one of {allowed}")
    if body.review_at is not None and body.review_at <= datetime.now(UTC):
        raise BadAction("review_at: give a time to come")
    return Details(body.verdict_id, body.confidence, body.review_at, body.appeal_note)


def issued(body: DecisionIn, subject: Subject, settings: Settings) -> list[New]:
    """What a decision is to issue. Raises BadAction."""
    if body.actions and body.decision == "dismiss":
        raise BadAction("a dismissal lets everything through: it carries no action")
    now = datetime.now(UTC)
    latest = now + timedelta(days=settings.max_action_days)
    for action in body.actions:
        if action.expires_at <= now:
            raise BadAction("expires_at: give a time to come")
        if action.expires_at > latest:
            raise BadAction(f"expires_at: at most {settings.max_action_days} days from now; decide again when it ends")
        if action.model is not None and "*" in action.model[:-1]:
            raise BadAction("model: a * may stand at the end only")
    return [
        New(**a.model_dump(), needs_approval=settings.four_eyes and _grave(a.action, subject)) for a in body.actions
    ]


def _grave(action: str, subject: Subject) -> bool:
    """Whether a second person must approve: to block, and whatever is done to all members of a group."""
    return action == "block" or (subject == "campaign" and action != "observe")


def action_out(record: Any, now: datetime | None = None) -> ActionOut:
    """An action as it is shown."""
    return ActionOut(**{name: getattr(record, name) for name in _SHOWN}, state=state_of(record, now))


def by_decision(database: Database, decision_ids: Sequence[int]) -> dict[int, list[ActionOut]]:
    """Actions of some decisions, by decision."""
    found: dict[int, list[ActionOut]] = {}
    with database.read() as connection:
        for record in actions.of_decisions(connection, decision_ids):
            found.setdefault(record.decision_id, []).append(action_out(record))
    return found


def enforcement_out(database: Database, settings: Settings) -> EnforcementOut:
    """The state of the switch and of automatic actions."""
    with database.read() as connection:
        last = enforcement.last(connection)
        count = actions.automatic_since(connection, datetime.now(UTC) - DAY)
    switch: EnforcementMode = last.mode if last else "all"
    return EnforcementOut(
        mode=enforcement.stricter(settings.enforcement, switch),
        switch=switch,
        setting=settings.enforcement,
        reason=last.reason if last else None,
        actor=last.actor if last else None,
        at=last.at if last else None,
        automatic_action=None if settings.auto_action == "off" else settings.auto_action,
        automatic_today=count,
        automatic_daily_cap=settings.auto_daily_cap,
    )


def measure(database: Database, settings: Settings) -> None:
    """Set the gauges of actions, the switch and webhooks."""
    now = datetime.now(UTC)
    with database.read() as connection:
        live = Counter((a.action, a.source) for a in actions.live(connection, now))
        pending = actions.pending(connection, now)
        mode = enforcement.stricter(settings.enforcement, enforcement.mode(connection))
        sent = webhooks.figures(connection, now - DAY)
    metrics.ACTIONS_LIVE.clear()
    for labels, count in live.items():
        metrics.ACTIONS_LIVE.labels(*labels).set(count)
    metrics.ACTIONS_PENDING.set(pending)
    metrics.ENFORCEMENT.set(len(enforcement.STRICTER) - 1 - enforcement.STRICTER.index(mode))
    metrics.WEBHOOKS_PENDING.set(sent["pending"])
    for outcome in ("delivered", "failed"):
        metrics.WEBHOOKS_DAY.labels(outcome).set(sent[outcome])
