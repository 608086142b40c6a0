"""The simulated provider: who its customers are, when they come, and the log of what they send."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from detector.event import Account, Client, Event, Message, Params, Usage
from detector.simulate.texts import Texts

START = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
HOUR = 3600.0
DAY = 24 * HOUR
MODELS = ("large-4", "large-4", "large-4", "medium-4", "small-4")
AGENTS = (
    "python-sdk/1.82",
    "python-sdk/1.79",
    "node-sdk/5.1",
    "node-sdk/4.9",
    "go-client/0.9",
    "curl/8.5",
    "langchain/0.3",
    "okhttp/4.12",
    "",
)
COUNTRIES = ("US", "US", "US", "DE", "GB", "IN", "BR", "JP", "SG", "FR", "CN", "KR", "NL", "CA", "AU")


@dataclass
class Owner:
    """One account, as the provider knows it."""

    account_id: str
    organization_id: str | None
    api_key_id: str
    ips: list[str]
    asn: int
    country: str
    user_agent: str
    tls: str
    payment: str
    email_domain: str
    created_at: datetime
    plan: str
    zone: int  # hours east of Greenwich
    model: str
    params: Params


@dataclass
class Request:
    """What is asked, before anyone asks it: user turns, and what goes with them."""

    turns: Sequence[str]
    system: str | None = None
    tools: list[str] | None = None
    tool_steps: int = 0  # tool results after the last user turn
    output: float = 300.0  # mean answer length in tokens
    params: Params | None = None
    answers: Sequence[str] = ()  # the assistant's turns, where they matter
    response: str | None = None
    end_user: str | None = None
    session: str | None = None
    model: str | None = None


@dataclass
class World:
    """Random state, texts and the growing log."""

    rng: random.Random
    texts: Texts
    days: int
    events: list[Event] = field(default_factory=list)
    harvest: dict[str, bool] = field(default_factory=dict)  # event id -> harvest, for events of attackers
    labels: list[dict[str, object]] = field(default_factory=list)

    def token(self, prefix: str = "", bits: int = 48) -> str:
        """A random id."""
        return f"{prefix}{self.rng.getrandbits(bits):0{bits // 4}x}"

    def owner(self, like: Owner | None = None, *, aged: bool | None = None) -> Owner:
        """A new customer; ``like`` lends its network, payment and habits (a colleague, or one more account of a farm)."""
        r = self.rng
        aged = r.random() < 0.8 if aged is None else aged
        age = r.uniform(20, 900) if aged else r.expovariate(1 / 6) + self.days * 0.1
        asn = r.choice([r.randint(1000, 65000), *range(7000, 7040)])
        fresh = Owner(
            account_id=self.token("acct_"),
            organization_id=self.token("org_") if r.random() < 0.4 else None,
            api_key_id=self.token("key_"),
            ips=[
                f"{r.randint(11, 223)}.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}"
                for _ in range(r.choice((1, 1, 2, 3)))
            ],
            asn=asn,
            country=r.choice(COUNTRIES),
            user_agent=r.choice(AGENTS),
            tls=self.token("t13d", 24) if r.random() < 0.3 else f"t13d{r.randint(1, 30):04x}",
            payment=self.token("pay_"),
            email_domain=r.choice(("mail.example", "post.example", "inbox.example"))
            if r.random() < 0.6
            else f"{self.token('', 24)}.example",
            created_at=START - timedelta(days=age),
            plan=r.choice(("payg", "payg", "team", "enterprise")),
            zone=r.choice((-8, -6, -5, -3, 0, 0, 1, 1, 2, 5, 8, 9)),
            model=r.choice(MODELS),
            params=self.settings(),
        )
        if like is None:
            return fresh
        return replace(
            fresh,
            organization_id=like.organization_id,
            ips=like.ips,
            asn=like.asn,
            country=like.country,
            payment=like.payment,
            email_domain=like.email_domain,
            zone=like.zone,
            user_agent=like.user_agent,
            tls=like.tls,
            plan=like.plan,
        )

    def settings(self) -> Params:
        """Sampling parameters that some client sets, or none."""
        r = self.rng
        if r.random() < 0.35:
            return Params()
        return Params(
            temperature=r.choice((0.0, 0.2, 0.7, 0.7, 1.0, 1.0, None)),
            max_tokens=r.choice((256, 512, 1024, 1024, 2048, 4096, None)),
            top_p=r.choice((None, None, 0.9, 0.95, 1.0)),
            stream=r.random() < 0.4 or None,
        )

    def send(self, owner: Owner, at: float, request: Request, harvest: bool | None = None) -> None:
        """Log one request ``at`` seconds after the start; ``harvest`` labels the requests of an attacker."""
        r = self.rng
        messages: list[Message] = []
        answers = list(request.answers)
        for i, turn in enumerate(request.turns):
            if i:
                messages.append(
                    Message(
                        role="assistant", content=answers[i - 1] if i - 1 < len(answers) else "Here is what I think."
                    )
                )
            messages.append(Message(role="user", content=turn))
        for step in range(request.tool_steps):
            messages.append(
                Message(
                    role="assistant",
                    content=None,
                    tool_calls=[{"name": (request.tools or ["bash"])[0], "arguments": f"step {step}"}],
                )
            )
            messages.append(Message(role="tool", content=f"exit 0, {r.randint(1, 400)} lines"))
        size = sum(len(m.content) for m in messages if isinstance(m.content, str)) + len(request.system or "")
        params = request.params or owner.params
        output = max(1, int(r.lognormvariate(math.log(request.output), 0.6)))
        if params.max_tokens:
            output = min(output, params.max_tokens)
        event_id = self.token("req_", 64)
        sparse = r.random() < 0.15  # a gateway that logs less
        self.events.append(
            Event(
                event_id=event_id,
                timestamp=START + timedelta(seconds=at),
                account_id=owner.account_id,
                organization_id=owner.organization_id,
                api_key_id=owner.api_key_id,
                end_user_id=request.end_user,
                session_id=request.session,
                model=request.model or owner.model,
                operation="chat",
                system=request.system,
                messages=messages,
                tools=list(request.tools) if request.tools else None,
                params=params,
                usage=Usage(input_tokens=max(1, size // 4), output_tokens=output),
                response=request.response,
                finish_reason="stop",
                status=200 if r.random() > 0.01 else 429,
                latency_ms=float(round(output * r.uniform(8, 20))),
                client=Client()
                if sparse
                else Client(
                    ip=r.choice(owner.ips),
                    asn=owner.asn,
                    country=owner.country,
                    user_agent=owner.user_agent or None,
                    tls_fingerprint=owner.tls,
                ),
                account=Account(
                    created_at=owner.created_at,
                    payment_fingerprint=owner.payment,
                    email_domain=owner.email_domain,
                    plan=owner.plan,
                ),
            )
        )
        if harvest is not None:
            self.harvest[event_id] = harvest

    def label(
        self,
        owner: Owner,
        *,
        attack: bool,
        family: str,
        campaign: str | None = None,
        lookalike: bool = False,
        variant: str = "",
    ) -> None:
        """Label an account."""
        self.labels.append(
            {
                "account_id": owner.account_id,
                "label": "attack" if attack else "benign",
                "family": family,
                "variant": variant,
                "campaign_id": campaign,
                "lookalike": lookalike,
            }
        )

    # ---- when

    def waking(self, owner: Owner, weekend: float = 0.8) -> float:
        """A moment of a person's day, in seconds after the start."""
        r = self.rng
        while True:
            day = r.randrange(self.days)
            hour = min(max(r.gauss(15.5, 4.2), 6.5), 24.0) - owner.zone
            at = day * DAY + hour * HOUR
            if 0 <= at < self.days * DAY and (day % 7 < 5 or r.random() < weekend):
                return at

    def office(self, owner: Owner) -> float:
        """A moment of somebody's office hours."""
        r = self.rng
        while True:
            day = r.randrange(self.days)
            at = day * DAY + (r.choice((r.gauss(10.5, 1.2), r.gauss(15, 1.5))) - owner.zone) * HOUR
            if day % 7 < 5 and 0 <= at < self.days * DAY:
                return at

    def think(self, chars: int = 80) -> float:
        """Seconds between two turns of a person: reading, thinking, typing."""
        return self.rng.lognormvariate(3.6, 0.9) + chars / 6

    def job(self, count: int, start: float | None = None, rate: float | None = None) -> list[float]:
        """A job's moments: ``count`` requests at a jittered rate (per second), from ``start`` on, cut at the end of the log."""
        r = self.rng
        rate = rate or r.uniform(0.02, 0.8)
        at = r.uniform(0, max(self.days * DAY - count / rate, 1)) if start is None else start
        out = []
        for _ in range(count):
            at += r.expovariate(rate)
            out.append(at)
        end = self.days * DAY - 1
        return [t if t < end else r.uniform(0, end) for t in out]

    def spread(self, count: int) -> list[float]:
        """Moments spread evenly over the whole log, day and night."""
        return sorted(self.rng.uniform(0, self.days * DAY) for _ in range(count))

    def crowd(self, owner: Owner, count: int) -> list[float]:
        """Moments of many people of one time zone."""
        return sorted(self.waking(owner, 0.9) for _ in range(count))

    def converse(
        self, owner: Owner, turns: Sequence[str], at: float, harvest: bool | None = None, **fields: object
    ) -> None:
        """A dialogue held turn by turn, its history growing."""
        answers = [self.rng.choice(self.texts.answers)[:400] for _ in turns] if self.texts.answers else []
        for i in range(len(turns)):
            if at >= self.days * DAY:
                return
            self.send(owner, at, Request(turns=list(turns[: i + 1]), answers=answers[:i], **fields), harvest)  # type: ignore[arg-type]
            at += self.think(len(turns[i]))
