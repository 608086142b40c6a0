"""Houses with many accounts."""

from __future__ import annotations

from detector.simulate.people import chat_session
from detector.simulate.tenants.base import new, pick, some, tenant
from detector.simulate.world import Request, World


@tenant()
def company_template(w: World, size: float) -> None:
    """A company: many accounts, one network, one payment, one prompt template, each clerk with their own files."""
    first = w.people.owner("person")
    first.organization_id = w.token("org_")
    frame = pick(
        w,
        (
            "Draft a reply to this customer in our tone.\n\n{s}",
            "Extract claimant, date and amount from the note:\n{s}",
            "[[Summarise|Assess]] the case for the file (max 5 lines):\n{s}",
            "You are a [[claims|grants]] clerk. Explain the reasons for your recommendation.\n\nCase: {s}",
        ),
    )
    cases = w.related(w.texts.snippets, 200)
    for _ in range(w.members["company_template"]):
        owner = new(w, "company_template", like=first)
        for _ in range(some(w, 5, 25, size)):
            w.send(
                owner,
                w.when.office(owner.zone),
                Request([frame.replace("{s}", w.rng.choice(cases)[:800])], output=120),
            )
        for _ in range(w.rng.choice((0, 0, 1, 3))):
            chat_session(w, owner, w.when.office(owner.zone))


@tenant()
def university(w: World, size: float) -> None:
    """Students and staff behind one network address, with their own work and means of payment."""
    first = w.people.owner("person")
    domain = f"{w.token('', 24)}.example"
    for _ in range(w.members["university"]):
        owner = w.people.owner("person")
        owner.ips, owner.asn, owner.country, owner.zone, owner.email_domain = (
            first.ips,
            first.asn,
            first.country,
            first.zone,
            domain,
        )
        owner.settle()
        w.label(owner, "university", lookalike=True)
        for _ in range(min(1 + int(w.rng.expovariate(1 / 3) * size), 25)):
            chat_session(w, owner, w.when.waking(owner.zone))


@tenant()
def hackathon(w: World, size: float) -> None:
    """A course or hackathon: accounts opened in the same days, on one network, with variations of one exercise."""
    first = w.people.owner("person", aged=False)
    exercise = w.rng.sample(w.texts.code, min(12, len(w.texts.code)))
    for _ in range(w.members["hackathon"]):
        owner = w.people.owner("person", aged=False)
        owner.ips, owner.asn, owner.country, owner.zone = first.ips, first.asn, first.country, first.zone
        owner.created_at = first.created_at + (owner.created_at - first.created_at) * 0.1
        owner.settle()
        w.label(owner, "hackathon", lookalike=True)
        for _ in range(min(1 + int(w.rng.expovariate(1 / 4) * size), 20)):
            turns = [w.rng.choice(exercise), *w.dialogue()[1:3]] if w.rng.random() < 0.6 else w.dialogue()
            w.converse(owner, turns, w.when.office(owner.zone))
