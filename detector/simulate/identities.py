"""Who the customers are: network, payment, age, habits. Attackers are drawn from the same distributions as everyone else."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from detector.event import Account, Client, Params

START = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
Habit = Literal["person", "program"]

MODELS = ("large-4", "large-4", "large-4", "medium-4", "medium-4", "small-4", "large-3")
FRONTENDS = (
    "chat-web/2.3",
    "chat-web/2.4",
    "chat-ios/4.1",
    "chat-android/4.0",
    "open-frontend/0.6",
    "libre-frontend/0.7",
    "desktop-app/1.9",
    "",
)
LIBRARIES = (
    "python-sdk/1.82",
    "python-sdk/1.79",
    "python-sdk/1.60",
    "node-sdk/5.1",
    "node-sdk/4.9",
    "go-client/0.9",
    "curl/8.5",
    "chain-lib/0.3",
    "okhttp/4.12",
    "java-sdk/2.2",
    "",
)
HOMES = (
    (-8, "US"),
    (-5, "US"),
    (-5, "CA"),
    (-3, "BR"),
    (0, "GB"),
    (1, "DE"),
    (1, "FR"),
    (1, "NL"),
    (1, "ES"),
    (2, "ZA"),
    (3, "TR"),
    (5, "IN"),
    (7, "VN"),
    (8, "CN"),
    (8, "SG"),
    (9, "JP"),
    (9, "KR"),
    (10, "AU"),
)
HOME_WEIGHTS = (9, 14, 4, 6, 7, 8, 5, 3, 4, 2, 2, 9, 2, 6, 3, 5, 3, 2)
CARRIERS = tuple(range(7000, 7060))  # big access networks, shared by many strangers
CLOUDS = tuple(range(16500, 16512))  # where programs run
MAIL = ("mail.example", "post.example", "inbox.example", "letters.example")
OPTIONAL = ("client", "account", "usage", "latency_ms", "params", "finish_reason", "tls")
ROAMING = 0.18  # share of owners that come from several networks: phones, travel, proxies, cloud functions
SPARSE = 0.3  # share of accounts behind a gateway that does not log all optional fields


@dataclass
class Owner:
    """One account, as the provider knows it."""

    account_id: str
    organization_id: str | None
    api_keys: list[str]
    asn: int
    country: str
    ips: list[str]
    user_agent: str
    tls: str
    payment: str
    email_domain: str
    created_at: datetime
    plan: str
    zone: int  # hours east of Greenwich
    model: str
    params: Params
    habit: Habit
    has_sessions: bool  # its client sends a session id
    answers_logged: bool
    missing: frozenset[str]  # optional fields that are not logged
    elsewhere: list[tuple[int, str]] = field(default_factory=list)  # (asn, address) of other networks it comes from
    clients: list[Client] = field(default_factory=list)
    account: Account = field(default_factory=Account)

    def settle(self) -> Owner:
        """Build the structs that all its events share; to be called after the last change."""
        tls = None if "tls" in self.missing else self.tls
        agent = self.user_agent or None
        places = [*((self.asn, ip) for ip in self.ips), *self.elsewhere]
        self.clients = [
            Client(ip=ip, asn=asn, country=self.country, user_agent=agent, tls_fingerprint=tls) for asn, ip in places
        ]
        self.account = Account(
            created_at=self.created_at,
            payment_fingerprint=self.payment,
            email_domain=self.email_domain,
            plan=self.plan,
        )
        return self


class Identities:
    """Draws customers."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def token(self, prefix: str = "", bits: int = 48) -> str:
        """A random id."""
        return f"{prefix}{self.rng.getrandbits(bits):0{bits // 4}x}"

    def ip(self, asn: int) -> str:
        """An address; those of one network share their first half."""
        r = self.rng
        return f"{11 + asn % 200}.{asn // 200 % 256}.{r.randint(0, 255)}.{r.randint(1, 254)}"

    def settings(self) -> Params:
        """Sampling parameters that a client sets, or none."""
        r = self.rng
        if r.random() < 0.35:
            return Params(stream=r.random() < 0.5 or None)
        return Params(
            temperature=r.choice((0.0, 0.2, 0.3, 0.5, 0.7, 0.7, 0.8, 1.0, 1.0, None, None)),
            max_tokens=r.choice((256, 512, 800, 1000, 1024, 1500, 2048, 4000, 4096, 8192, None, None)),
            top_p=r.choice((None, None, None, 0.9, 0.95, 1.0)),
            stream=r.random() < 0.4 or None,
        )

    def network(self, owner: Owner) -> None:
        """Give the owner a network of its own."""
        r = self.rng
        cloud = owner.habit == "program" and r.random() < 0.6
        owner.asn = r.choice(CLOUDS if cloud else CARRIERS) if r.random() < 0.75 else r.randint(1000, 65000)
        owner.ips = [
            self.ip(owner.asn) for _ in range(r.choice((1, 1, 2, 3, 6) if owner.habit == "person" else (1, 1, 1, 2, 4)))
        ]
        owner.user_agent = r.choice(FRONTENDS if (owner.habit == "person") != (r.random() < 0.3) else LIBRARIES)
        owner.tls = f"t13d{r.randint(1, 40):04x}" if r.random() < 0.8 else self.token("t13d", 24)

    def payment(self, owner: Owner) -> None:
        """Give the owner a means of payment and a mail address of its own."""
        r = self.rng
        owner.payment = self.token("pay_")
        own_domain = r.random() < (0.15 if owner.habit == "person" else 0.55)
        owner.email_domain = f"{self.token('', 24)}.example" if own_domain else r.choice(MAIL)

    def created(self, aged: bool) -> datetime:
        """When an account was opened: long ago, or within the last days."""
        days = self.rng.uniform(20, 900) if aged else self.rng.expovariate(1 / 6) + 0.5
        return START - timedelta(days=days)

    def owner(self, habit: Habit = "person", aged: bool | None = None) -> Owner:
        """A new customer. Without ``aged`` four in five are old."""
        r = self.rng
        zone, country = r.choices(HOMES, HOME_WEIGHTS)[0]
        missing: frozenset[str] = frozenset()
        if r.random() < SPARSE:
            missing = frozenset(r.sample(OPTIONAL, r.randint(1, 3)))
        owner = Owner(
            account_id=self.token("acct_"),
            organization_id=self.token("org_") if r.random() < 0.4 else None,
            api_keys=[self.token("key_") for _ in range(r.choice((1, 1, 1, 2, 3)))],
            asn=0,
            country=country,
            ips=[],
            user_agent="",
            tls="",
            payment="",
            email_domain="",
            created_at=self.created(r.random() < 0.8 if aged is None else aged),
            plan=r.choice(("payg", "payg", "payg", "team", "enterprise", "free")),
            zone=zone,
            model=r.choice(MODELS),
            params=self.settings(),
            habit=habit,
            has_sessions=r.random() < (0.4 if habit == "person" else 0.15),
            answers_logged=r.random() < 0.55,
            missing=missing,
        )
        self.network(owner)
        self.payment(owner)
        if r.random() < ROAMING:
            others = [r.choice(CLOUDS if habit == "program" else CARRIERS) for _ in range(r.choice((1, 1, 2, 4, 10)))]
            owner.elsewhere = [(asn, self.ip(asn)) for asn in others]
        return owner.settle()

    def colleague(self, of: Owner) -> Owner:
        """Another account of the same house: one network, one payment, one mail domain."""
        new = self.owner(of.habit)
        return replace(
            new,
            organization_id=of.organization_id,
            ips=of.ips,
            elsewhere=of.elsewhere,
            asn=of.asn,
            country=of.country,
            payment=of.payment,
            email_domain=of.email_domain,
            zone=of.zone,
            user_agent=of.user_agent,
            tls=of.tls,
            plan=of.plan,
            missing=of.missing,
        ).settle()
