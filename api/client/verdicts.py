"""A copy of the verdicts, kept up by the feed: asking it costs no network, and without the service everything is allowed."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import httpx

SEVERITY = {name: rank for rank, name in enumerate(("allow", "observe", "throttle", "step_up", "reduce", "block"))}
LIFETIME_SECONDS = 300.0  # a copy that could not be renewed for longer is not gone by any more: everything is allowed
PAGE = 500  # verdicts asked for at once; larger pages would make others wait

log = logging.getLogger("distillwatch.client")


@dataclass(frozen=True)
class Verdict:
    """What to do about a request. ``until`` is the end of the action, if it has one."""

    account_id: str
    action: str = "allow"
    until: datetime | None = None


@dataclass(frozen=True)
class Part:
    """An action, and the part of an account's requests that it holds for."""

    action: str
    until: datetime | None = None
    api_key_id: str | None = None
    model: str | None = None
    capability: str | None = None

    def holds(self, now: datetime, api_key_id: str | None, model: str | None, capabilities: Collection[str]) -> bool:
        """Whether it holds for a request now."""
        if self.until is not None and self.until <= now:
            return False
        if self.capability is not None and self.capability not in capabilities:
            return False
        if self.api_key_id is not None and self.api_key_id != api_key_id:
            return False
        return self.model is None or (model is not None and _matches(self.model, model))

    @property
    def by_content(self) -> bool:
        """Whether one must look into a request to tell if it holds."""
        return self.model is not None or self.capability is not None


class Verdicts:
    """Follows the feed from a thread of its own. ``of`` answers from memory and never raises.

    Until the first answer of the service, and when it has not answered for five minutes, every account is allowed.
    """

    def __init__(
        self, url: str, key: str, *, every: float = 2.0, timeout: float = 10.0, http: httpx.Client | None = None
    ) -> None:
        self._url = url.rstrip("/") + "/v1/verdicts"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._http = http or httpx.Client(timeout=timeout)
        self._timeout = None if http else timeout
        self._every = every
        self._known: dict[str, tuple[Part, ...]] = {}
        self._since = ""
        self._renewed_at = float("-inf")
        self._failing = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Verdicts:
        """Begin to follow; returns itself at once. Processes forked later go on following, each for itself."""
        if self._thread is None:
            self._follow()
            again = weakref.WeakMethod(self._forked)
            os.register_at_fork(after_in_child=lambda: (method := again()) and method())
        return self

    def close(self) -> None:
        """Stop following."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._http.close()

    def __enter__(self) -> Verdicts:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def fresh(self) -> bool:
        """Whether the copy is gone by."""
        return time.monotonic() - self._renewed_at < LIFETIME_SECONDS

    def parts(self, account_id: str) -> tuple[Part, ...]:
        """All that may hold for an account's requests; mostly nothing."""
        return self._known.get(account_id, ()) if self._known and self.fresh else ()

    def of(
        self,
        account_id: str,
        api_key_id: str | None = None,
        model: str | None = None,
        capabilities: Collection[str] = (),
    ) -> Verdict:
        """The most severe that holds for a request of an account."""
        parts = self.parts(account_id)
        if not parts:
            return Verdict(account_id)
        now = datetime.now(UTC)
        found = [p for p in parts if p.holds(now, api_key_id, model, capabilities)]
        if not found:
            return Verdict(account_id)
        worst = max(found, key=lambda p: SEVERITY[p.action])
        return Verdict(account_id, worst.action, worst.until)

    def refresh(self) -> None:
        """Read what changed. Raises httpx.HTTPError, and ValueError for an answer that cannot be read."""
        more = True
        while more:
            parameters: dict[str, str | int] = {"since": self._since, "limit": PAGE}
            page = self._http.get(self._url, params=parameters, headers=self._headers).raise_for_status().json()
            known = dict(self._known)
            for item in page["items"]:
                if parts := _parts(item):
                    known[item["account_id"]] = parts
                else:
                    known.pop(item["account_id"], None)
            self._known, self._since, more = known, page["next"], page["more"]
        self._renewed_at = time.monotonic()

    def _follow(self) -> None:
        self._thread = threading.Thread(target=self._run, name="distillwatch-verdicts", daemon=True)
        self._thread.start()

    def _forked(self) -> None:
        """The thread and the connections are the parent's: begin anew."""
        if self._stopping.is_set():
            return
        self._stopping = threading.Event()
        if self._timeout is not None:
            self._http = httpx.Client(timeout=self._timeout)
        self._follow()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
                if self._failing:
                    log.warning("verdicts are followed again")
                self._failing = False
            except Exception as error:  # whatever it is, requests must go through
                if not self._failing:
                    log.warning("verdicts are not up to date: %s: %s", type(error).__name__, error)
                self._failing = True
            self._stopping.wait(self._every * random.uniform(0.8, 1.2))  # gateways started together drift apart


def _parts(item: dict[str, Any]) -> tuple[Part, ...]:
    """What holds for an account; nothing where it is simply allowed. An action of a later version is taken for observe."""
    found = [Part(_known(item["action"]), _time(item["until"]))] if item["action"] != "allow" else []
    if found and found[0].until is not None:
        found.append(Part("observe"))  # what is beneath is told when the action ends
    for one in item["narrower"]:
        scope = (one["api_key_id"], one["model"], one["capability"])
        found.append(Part(_known(one["action"]), _time(one["until"]), *scope))
    return tuple(found)


def _known(action: str) -> str:
    return action if action in SEVERITY else "observe"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _matches(pattern: str, model: str) -> bool:
    return model.startswith(pattern[:-1]) if pattern.endswith("*") else model == pattern
