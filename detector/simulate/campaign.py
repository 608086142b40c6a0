"""A campaign: one harvester's work spread over accounts, with its evasions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from detector.event import Params
from detector.simulate.harvests import HARVESTS, Item
from detector.simulate.tenants import chat_sessions
from detector.simulate.world import DAY, HOUR, Owner, World


@dataclass(frozen=True)
class Campaign:
    """What is harvested, by how many accounts, and how they hide."""

    family: str
    accounts: int = 1
    requests: int = 200  # of harvest, per account
    cover: float = 0.0  # share of an account's traffic that imitates an ordinary user
    paraphrases: int = 1  # wordings of the frame
    network: str = "shared"  # shared | partly | unshared
    payment: str = "shared"  # shared | partly | unshared
    aged: bool = False
    pace: str = "job"  # job | clock (round the clock) | human | drip
    failover: bool = False  # accounts are replaced one after another
    frames: str = "A"
    honest_share: float = 0.0  # of requests by a reseller's honest customers on the same accounts


def plant(w: World, campaign: Campaign) -> str:
    """Add a campaign's traffic and labels to the world; returns its id."""
    campaign_id = w.token("camp_", 32)
    owners = _owners(w, campaign)
    work = HARVESTS[campaign.family](w, campaign.frames, campaign.paraphrases)
    settings = Params(temperature=w.rng.choice((0.7, 1.0, None)), max_tokens=w.rng.choice((1024, 2048, 4096, None)))
    variant = (
        f"{campaign.accounts} accounts, {campaign.cover:.0%} cover, {campaign.paraphrases} wordings, "
        f"{campaign.network} network, {campaign.pace}"
    )
    for i, owner in enumerate(owners):
        w.label(owner, attack=True, family=campaign.family, campaign=campaign_id, variant=variant)
        _harvest(w, owner, i, len(owners), campaign, work, settings)
        cover = campaign.requests * campaign.cover / max(1 - campaign.cover, 0.05)
        sent = len(w.events)
        while len(w.events) - sent < cover:
            chat_sessions(w, owner, 1, harvest=False)
        for _ in range(int(campaign.requests * campaign.honest_share)):
            chat_sessions(w, owner, 1, harvest=False, end_user=w.token("u_", 20))
    return campaign_id


def _harvest(
    w: World,
    owner: Owner,
    index: int,
    total: int,
    campaign: Campaign,
    work: Iterator[Item],
    settings: Params,
) -> None:
    moments = iter(_moments(w, owner, index, total, campaign))
    sent = 0
    explicit = any(v is not None for v in (settings.temperature, settings.max_tokens))
    for item in work:
        start = next(moments)
        for j, request in enumerate(item):
            at = min(start + j * w.rng.uniform(1, 12), w.days * DAY - 1)
            w.send(owner, at, replace(request, params=request.params or (settings if explicit else None)), True)
            sent += 1
            if sent >= campaign.requests:
                return


def _moments(w: World, owner: Owner, index: int, total: int, campaign: Campaign) -> list[float]:
    """More moments than are needed, in order."""
    n = campaign.requests + 2
    if campaign.failover:
        span = w.days * DAY / total
        return sorted(w.rng.uniform(index * span, (index + 1) * span) for _ in range(n))
    if campaign.pace == "clock" or campaign.pace == "drip":
        return w.spread(n)
    if campaign.pace == "human":
        return sorted(w.waking(owner) for _ in range(n))
    start = w.rng.uniform(0, 2 * HOUR) if total > 1 else None
    return w.job(n, (w.days * DAY * 0.25 + start) if start is not None else None, w.rng.uniform(0.01, 0.3))


def _owners(w: World, campaign: Campaign) -> list[Owner]:
    first = w.owner(aged=campaign.aged)
    farm = [w.owner(aged=campaign.aged) for _ in range(max(1, campaign.accounts // 8))]
    owners = [first]
    for _ in range(campaign.accounts - 1):
        owner = w.owner(aged=campaign.aged)
        owner.zone = first.zone
        owner.model = first.model
        if not campaign.aged and w.rng.random() < 0.7:
            owner.created_at = first.created_at + (owner.created_at - first.created_at) * 0.02  # opened together
        for name, mode in (("network", campaign.network), ("payment", campaign.payment)):
            lender = first if mode == "shared" else w.rng.choice(farm)
            if mode == "unshared" or (mode == "partly" and w.rng.random() < 0.5):
                continue
            if name == "network":
                owner.ips, owner.asn, owner.country, owner.user_agent, owner.tls = (
                    lender.ips,
                    lender.asn,
                    lender.country,
                    lender.user_agent,
                    lender.tls,
                )
            else:
                owner.payment, owner.email_domain = lender.payment, lender.email_domain
        owners.append(owner)
    return owners
