"""What a gateway should do about an account: from what is known of it to one answer.

A record holds everything that may apply, each with its end, so that an answer is worked out in memory and an action ends on
time even if nothing else of the service runs. Of all that applies, the most severe wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec

from api.schemas.actions import Action, Capability, Measure
from api.schemas.base import Verdict
from api.schemas.verdicts import EnforcementMode

LIFETIME = timedelta(minutes=5)  # how long a gateway may go by an answer
SEVERITY: dict[str, int] = {name: rank for rank, name in enumerate(get_args(Action))}
Source = Literal["finding", "decision", "automatic"]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that may apply to an account, or to a part of its requests."""

    action: Measure
    source: Source
    until: datetime | None = None
    api_key_id: str | None = None
    model: str | None = None
    capability: Capability | None = None

    @property
    def narrow(self) -> bool:
        """Whether it is limited to a part of the requests."""
        return bool(self.api_key_id or self.model or self.capability)


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is published on an account or a campaign."""

    verdict: Verdict = "clear"
    state: str = "open"
    campaign_id: str | None = None
    entries: tuple[Entry, ...] = ()  # the most severe first
    said: tuple[str, ...] = ()  # what people, or the operator's settings, said
    signals: tuple[str, ...] = ()  # what speaks for it
    codes: tuple[str, ...] = ()
    risk: float | None = None
    changed_at: datetime | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was said, then what was found."""
        return self.said + self.signals

    @property
    def key(self) -> tuple[object, ...]:
        """What must differ for a new record to be published: not the risk, which each assessment changes a little."""
        return self.verdict, self.state, self.campaign_id, self.entries, self.said


NOTHING = Record()


class Request(msgspec.Struct, frozen=True):
    """What the gateway says of a request; what it leaves out matches no limited action."""

    api_key_id: str | None = None
    model: str | None = None
    capabilities: tuple[str, ...] = ()


ANY = Request()


class ScopeAnswer(msgspec.Struct, frozen=True):
    """api.schemas.actions.Scope, encoded fast."""

    api_key_id: str | None = None
    model: str | None = None
    capability: str | None = None


class NarrowAnswer(msgspec.Struct, frozen=True):
    """api.schemas.verdicts.ScopedAction, encoded fast."""

    api_key_id: str | None
    model: str | None
    capability: str | None
    action: str
    until: datetime | None


class Answer(msgspec.Struct, frozen=True):
    """api.schemas.verdicts.VerdictOut, encoded fast."""

    account_id: str
    action: Action
    codes: tuple[str, ...]
    reasons: tuple[str, ...]
    scope: ScopeAnswer
    until: datetime | None
    narrower: list[NarrowAnswer]
    verdict: Verdict
    risk: float | None
    changed_at: datetime | None
    expires_at: datetime


def answer(account_id: str, record: Record, mode: EnforcementMode, now: datetime, request: Request = ANY) -> Answer:
    """The answer on an account for a request."""
    holding = [e for e in record.entries if holds(e, mode, now)]
    best = next((e for e in holding if _applies(e, request)), None)
    ends = [e.until for e in holding if e.until is not None]
    return Answer(
        account_id=account_id,
        action=best.action if best else "allow",
        codes=record.codes,
        reasons=record.reasons,
        scope=ScopeAnswer(best.api_key_id, best.model, best.capability) if best else ScopeAnswer(),
        until=best.until if best else None,
        narrower=[NarrowAnswer(e.api_key_id, e.model, e.capability, e.action, e.until) for e in holding if e.narrow],
        verdict=record.verdict,
        risk=record.risk,
        changed_at=record.changed_at,
        expires_at=min([now + LIFETIME, *ends]),
    )


def order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries as a record holds them: the most severe first, of those the one that lasts longest."""
    return tuple(sorted(set(entries), key=_rank))


def strongest(record: Record) -> Action:
    """The most severe action on the account as a whole."""
    return next((e.action for e in record.entries if not e.narrow), "allow")


def tag(content: object) -> str:
    """An ETag. Weak: what it is made from leaves out when answers expire, which is different each time."""
    return f'W/"{hashlib.sha256(_ENCODER.encode(content)).hexdigest()[:32]}"'


def lasting(one: Answer) -> Answer:
    """An answer without the time at which it expires."""
    return msgspec.structs.replace(one, expires_at=_EPOCH)


_ENCODER = msgspec.json.Encoder()
_EPOCH = datetime.min


def _rank(entry: Entry) -> tuple[object, ...]:
    until = float("-inf") if entry.until is None else -entry.until.timestamp()
    scope = (entry.api_key_id or "", entry.model or "", entry.capability or "")
    return -SEVERITY[entry.action], entry.narrow, until, scope, entry.source


def holds(entry: Entry, mode: EnforcementMode, now: datetime) -> bool:
    """Whether an entry still lasts, and is told under an enforcement mode."""
    if entry.until is not None and entry.until <= now:
        return False
    if entry.action == "observe" or mode == "all":
        return True
    return mode == "decisions" and entry.source != "automatic"


def _applies(entry: Entry, request: Request) -> bool:
    return (
        (entry.api_key_id is None or entry.api_key_id == request.api_key_id)
        and (entry.capability is None or entry.capability in request.capabilities)
        and (entry.model is None or matches(entry.model, request.model))
    )


def matches(pattern: str, model: str | None) -> bool:
    """Whether a model is meant by a pattern: its name, or its beginning with a *."""
    if model is None:
        return False
    return model.startswith(pattern[:-1]) if pattern.endswith("*") else model == pattern
