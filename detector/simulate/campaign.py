"""A campaign: one harvester's work spread over accounts, with its evasions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal

from detector.event import Params
from detector.simulate.arrivals import DAY, HOUR, Span
from detector.simulate.frames import GROUPS
from detector.simulate.harvests import HARVESTS, Item, start
from detector.simulate.identities import Owner
from detector.simulate.people import chat_session
from detector.simulate.world import World

Sharing = Literal["shared", "partly", "unshared", "rotating"]
Pace = Literal["job", "burst", "clock", "human", "office", "drip", "flood"]
FARM = 8  # accounts that share one network or one payment, where these are partly shared
MAX_COVER = 0.95


@dataclass(frozen=True)
class Campaign:
    """What is harvested, by how many accounts, and how they hide."""

    family: str
    variant: str | None = None  # drawn if None
    accounts: int = 1
    requests: int = 200  # per account, cover and honest customers' traffic included
    cover: float = 0.0  # share of an account's requests that imitate an ordinary user
    reseller: float = 0.0  # share of an account's requests that come from honest customers of the harvester
    paraphrases: int = 1  # wordings of the frame
    frames: str = "A"  # group of frames
    network: Sharing = "shared"  # rotating: many addresses of many networks for each account
    payment: Sharing = "shared"
    aged: bool = False
    pace: Pace = "job"
    jitter: float = 1.0  # of a job or clock: 0 a metronome, 1 random gaps
    failover: bool = False  # accounts are replaced one after another, as if each were banned
    overlap: float = 0.0  # share of items that several accounts send; 0: a work queue that is split
    uneven: bool = False  # accounts have unequal shares of the work
    fake_users: bool = False  # invented end-user ids
    narrow: bool = False  # texts of one field only, e.g. mathematics
    any_texts: bool = False  # texts of any pools, e.g. what people ask in chats, instead of those of the family
    days: float | None = None  # length of the campaign; None: the whole log

    def check(self) -> None:
        """Raise ValueError if it makes no sense."""
        if self.family not in HARVESTS:
            raise ValueError(f"unknown family {self.family!r}: choose one of {', '.join(HARVESTS)}")
        if self.frames not in GROUPS:
            raise ValueError(f"unknown frame group {self.frames!r}: choose one of {', '.join(GROUPS)}")
        if self.accounts < 1 or self.requests < 1 or self.paraphrases < 1:
            raise ValueError("accounts, requests and paraphrases must be at least 1")
        if not 0 <= self.cover + self.reseller <= MAX_COVER:
            raise ValueError(f"cover and reseller together must be between 0 and {MAX_COVER}")

    @property
    def harvested(self) -> int:
        """Requests of harvest per account (their mean, where shares are uneven)."""
        return max(1, round(self.requests * (1 - self.cover - self.reseller)))


def plant(w: World, campaign: Campaign) -> str:
    """Add a campaign's traffic and labels to the world; returns its id."""
    campaign.check()
    campaign_id = w.token("camp_", 32)
    variant, work = start(
        w,
        campaign.family,
        campaign.variant,
        campaign.frames,
        campaign.paraphrases,
        campaign.narrow,
        campaign.any_texts,
    )
    owners = _owners(w, campaign)
    spans = _spans(w, campaign)
    quotas = _quotas(w, campaign)
    loads = _deal(w, work, quotas, campaign.overlap)
    settings = owners[0].params if w.rng.random() < 0.6 else None  # one script, or each its own defaults
    for owner, span, quota, load in zip(owners, spans, quotas, loads, strict=True):
        w.label_attacker(owner, campaign.family, variant, campaign_id)
        _harvest(w, owner, span, campaign, load, settings)
        scale = quota / campaign.harvested
        _chat(w, owner, span, round(campaign.requests * campaign.cover * scale), None)
        _chat(w, owner, span, round(campaign.requests * campaign.reseller * scale), "customer")
    w.campaigns.append({"campaign_id": campaign_id, **asdict(replace(campaign, variant=variant))})
    return campaign_id


def _quotas(w: World, campaign: Campaign) -> list[int]:
    if not campaign.uneven:
        return [campaign.harvested] * campaign.accounts
    return [max(1, round(campaign.harvested * w.rng.lognormvariate(-0.18, 0.6))) for _ in range(campaign.accounts)]


def _deal(w: World, work: Iterator[Item], quotas: list[int], overlap: float) -> list[list[Item]]:
    """Deal items out in turns until every account has its share."""
    loads: list[list[Item]] = [[] for _ in quotas]
    left = list(quotas)
    dealt: list[Item] = []
    while True:
        open_ = [i for i, n in enumerate(left) if n > 0]
        if not open_:
            return loads
        for i in open_:
            item = w.rng.choice(dealt) if dealt and w.rng.random() < overlap else next(work)
            dealt.append(item)
            item = item[: left[i]]
            loads[i].append(item)
            left[i] -= len(item)


def _spans(w: World, campaign: Campaign) -> list[Span]:
    """When each account is at work."""
    length = min(campaign.days * DAY if campaign.days else w.when.end, w.when.end)
    low = w.rng.uniform(0, w.when.end - length)
    if not campaign.failover:
        return [(low, low + length)] * campaign.accounts
    each = length / campaign.accounts
    return [(low + i * each, low + (i + 1) * each) for i in range(campaign.accounts)]


def _harvest(w: World, owner: Owner, span: Span, campaign: Campaign, load: list[Item], settings: Params | None) -> None:
    users = [w.token("u_", 40) for _ in range(max(3, len(load) // 6))] if campaign.fake_users else None
    params = settings or owner.params
    for at, item in zip(_moments(w, owner, span, len(load), campaign), load, strict=True):
        user = w.rng.choice(users) if users else None
        for request in item:
            w.send(owner, at, replace(request, params=_joined(params, request.params), end_user=user), True)
            at += w.when.step() if request.tools else w.rng.uniform(0.2, 6)


def _joined(own: Params, needed: Params | None) -> Params:
    """The account's settings; what the harvest needs goes before."""
    if needed is None:
        return own
    if needed.max_tokens is None and own.max_tokens is not None:
        return Params(**{f: getattr(needed, f) for f in needed.__struct_fields__} | {"max_tokens": own.max_tokens})
    return needed


def _moments(w: World, owner: Owner, span: Span, n: int, campaign: Campaign) -> list[float]:
    when = w.when
    if campaign.pace == "clock":
        return when.spread(n, span, campaign.jitter)
    if campaign.pace == "flood":
        return when.job(n, span, rate=w.rng.choice((1.0, 5.0, 20.0)))
    if campaign.pace == "burst":
        return when.bursts(n, span)
    if campaign.pace == "human":
        return sorted(when.waking(owner.zone, span) for _ in range(n))
    if campaign.pace == "office":
        return sorted(when.office(owner.zone, span) for _ in range(n))
    if campaign.pace == "drip":  # a few each day, in waking hours, no day more than another
        day = max((span[1] - span[0]) / max(1, round((span[1] - span[0]) / DAY)), HOUR)
        starts = [span[0] + i * day for i in range(max(1, round((span[1] - span[0]) / day)))]
        return sorted(
            when.waking(owner.zone, (starts[i % len(starts)], starts[i % len(starts)] + day)) for i in range(n)
        )
    runs = 1 if n < 60 else w.rng.randint(1, 4)
    sizes = [n // runs + (i < n % runs) for i in range(runs)]
    return sorted(t for size in sizes for t in when.job(size, span, w.rng.uniform(0.01, 0.5), campaign.jitter))


def _chat(w: World, owner: Owner, span: Span, requests: int, customer: str | None) -> None:
    """Conversations like an ordinary user's, or those of a reseller's customers, until there are ``requests`` of them."""
    sent = len(w.events)
    while (left := requests - (len(w.events) - sent)) > 0:
        user = w.token("u_", 40) if customer and w.rng.random() < 0.7 else None
        chat_session(w, owner, w.when.waking(owner.zone, span), harvest=False, end_user=user, most=left)


def _owners(w: World, campaign: Campaign) -> list[Owner]:
    people = w.people
    habit: Literal["person", "program"] = "person" if campaign.pace in ("human", "drip") else "program"
    first = people.owner(habit, campaign.aged)
    farm = [people.owner(habit) for _ in range(max(1, campaign.accounts // FARM))]
    owners = [first]
    born_together = not campaign.aged and w.rng.random() < 0.7
    for _ in range(campaign.accounts - 1):
        owner = people.owner(habit, campaign.aged)
        owner.zone, owner.model = first.zone, first.model
        if born_together:
            owner.created_at = first.created_at + (owner.created_at - first.created_at) * 0.03
        _lend_network(w, owner, first if campaign.network == "shared" else w.rng.choice(farm), campaign.network)
        if campaign.payment == "shared" or (campaign.payment == "partly" and w.rng.random() < 0.5):
            lender = first if campaign.payment == "shared" else w.rng.choice(farm)
            owner.payment, owner.email_domain = lender.payment, lender.email_domain
        owners.append(owner)
    for owner in owners:
        owner.settle()
        if campaign.network == "rotating":
            strangers = [people.owner(habit) for _ in range(12)]
            owner.clients = [client for stranger in strangers for client in stranger.clients]
    return owners


def _lend_network(w: World, owner: Owner, lender: Owner, sharing: Sharing) -> None:
    if sharing == "shared" or (sharing == "partly" and w.rng.random() < 0.5):
        owner.ips, owner.asn, owner.country = lender.ips, lender.asn, lender.country
        owner.user_agent, owner.tls, owner.elsewhere = lender.user_agent, lender.tls, lender.elsewhere
