"""From a verdict to what happens to a request: let through, let through with less, or answered in the service's stead.

Whoever is refused is not told why: that would teach a harvester what to change.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.client.verdicts import Verdict, Verdicts

THROTTLED_PER_MINUTE = 6.0  # requests of a throttled account; a person hardly notices, a harvest is useless
REDUCED_MAX_TOKENS = 512  # of an answer under ``reduce``
MAX_ACCOUNTS = 100_000  # whose throttle is remembered
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_tokens_to_sample")
_EXTRAS = ("logprobs", "top_logprobs", "logit_bias", "reasoning", "reasoning_effort", "thinking", "best_of", "include")


@dataclass(frozen=True)
class Refusal:
    """An answer in the service's stead, in the shape that OpenAI's clients know."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": {"message": self.message, "type": "access_restricted", "code": self.code}}


@dataclass(frozen=True)
class Outcome:
    """What happens to a request: ``refusal``, or it goes on, with ``body`` in the place of its own if that is given."""

    verdict: Verdict
    refusal: Refusal | None = None
    body: dict[str, Any] | None = None


class Enforcer:
    """Applies verdicts. ``reduce`` turns a request's body into one that gets less; ``dry_run`` only tells the verdict."""

    def __init__(
        self, verdicts: Verdicts, *, throttled_per_minute: float = THROTTLED_PER_MINUTE,
        reduce: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None,
        step_up_message: str = "Verify your organisation to go on.", dry_run: bool = False,
    ) -> None:  # fmt: skip
        self.verdicts = verdicts
        self._throttle = Throttle(throttled_per_minute)
        self._reduce = reduce or reduced
        self._step_up_message = step_up_message
        self._dry_run = dry_run

    def check(self, account_id: str, api_key_id: str | None = None, body: Mapping[str, Any] | None = None) -> Outcome:
        """What happens to a request of an account. Without ``body``, nothing that depends on it applies."""
        model = body.get("model") if body else None
        asked = capabilities(body) if body else ()
        verdict = self.verdicts.of(account_id, api_key_id, model if isinstance(model, str) else None, asked)
        if self._dry_run or verdict.action in ("allow", "observe"):
            return Outcome(verdict)
        if verdict.action == "throttle":
            wait = self._throttle.wait(account_id)
            if wait <= 0:
                return Outcome(verdict)
            headers = {"Retry-After": str(int(wait) + 1)}
            return Outcome(verdict, Refusal(429, "rate_limit_exceeded", "Too many requests; try again later.", headers))
        if verdict.action == "step_up":
            return Outcome(verdict, Refusal(403, "verification_required", self._step_up_message))
        if verdict.action == "reduce":
            return Outcome(verdict, body=self._reduce(body) if body is not None else None)
        return Outcome(verdict, Refusal(403, "access_denied", "Access is suspended; contact support."))


def capabilities(body: Mapping[str, Any]) -> tuple[str, ...]:
    """What a request asks for beside an answer, in the words of OpenAI's and Anthropic's APIs."""
    found = {
        "logprobs": bool(body.get("logprobs") or body.get("top_logprobs")),
        "reasoning": bool(body.get("reasoning") or body.get("reasoning_effort") or body.get("thinking")),
        "tools": bool(body.get("tools") or body.get("functions")),
        "choices": any(isinstance(n := body.get(name), int) and n > 1 for name in ("n", "best_of")),
    }
    return tuple(name for name, asked in found.items() if asked)


def reduced(body: Mapping[str, Any]) -> dict[str, Any]:
    """The request with a shorter answer, one choice, no log-probabilities and no reasoning: useful still, worth less as data."""
    left = {name: value for name, value in body.items() if name not in _EXTRAS}
    if "n" in left:
        left["n"] = 1
    given = [name for name in _LIMITS if name in left]
    if not given:
        given = ["max_output_tokens" if "input" in left and "messages" not in left else "max_tokens"]
    for name in given:
        value = left.get(name)
        left[name] = min(value, REDUCED_MAX_TOKENS) if isinstance(value, int) and value > 0 else REDUCED_MAX_TOKENS
    return left


class Throttle:
    """A token bucket for each account: so many requests a minute, as many at once."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60.0
        self._burst = max(1.0, per_minute)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted

    def wait(self, account_id: str) -> float:
        """Zero if the request may go now, else the seconds until the next may."""
        now = self._clock()
        with self._lock:
            tokens, then = self._buckets.pop(account_id, (self._burst, now))
            tokens = min(self._burst, tokens + (now - then) * self._per_second)
            allowed = tokens >= 1.0
            self._buckets[account_id] = (tokens - 1.0 if allowed else tokens, now)
            while len(self._buckets) > MAX_ACCOUNTS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - tokens) / self._per_second
