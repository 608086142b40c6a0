"""The rehearsal itself: plant, profile, merge, assess, look who was caught. The log is profiled once and never read again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import polars as pl

from detector.assessment import AccountFinding, Assessment
from detector.evaluate import outcomes
from detector.pipeline import Detector
from detector.profiles import Profiles
from detector.progress import Progress
from detector.reasons import LACKING
from detector.rehearse.plan import MAX_ALONE, Plan, Trial, draw, fits, rounds
from detector.rehearse.results import Disturbance, Outcome, Rehearsal
from detector.report.text import quantity
from detector.simulate import Campaign, Surroundings, Traffic, built_in, plant_among

TEXTS = (500, 4000)  # texts a role that a campaign draws from: as many as it has requests, within these bounds
STRONGEST = 3  # reasons of a flagged account that count as what caught it


def rehearse(
    profiles: Profiles, surroundings: Surroundings, detector: Detector, plan: Plan, progress: Progress | None = None
) -> Rehearsal:
    """Plant the plan's campaigns into a log that is given by its profiles and surroundings, and see which are caught.

    What is planted is added by :meth:`Profiles.merge`, so each assessment sees the log as if the campaigns had been in it.
    Every campaign is made of texts of its own. Raises ValueError for a plan that makes no sense, an empty log, and a log
    that is too small for every shape.
    """
    plan.check()
    progress = progress or Progress()
    first, last = surroundings.span
    accounts, events = len(profiles), surroundings.events
    shapes = [s for s in plan.shapes() if fits(s, accounts, events, MAX_ALONE)]
    if not shapes:
        size = f"{quantity(events, 'request')} of {quantity(accounts, 'account')}"
        raise ValueError(
            f"the log is too small: {size}. The smallest shape must be at most a third of accounts and requests; "
            "give a longer log, or fewer accounts and requests to rehearse"
        )
    repeats = min(plan.repeats, max(plan.budget // sum(s.size for s in shapes), 1))
    trials = [Trial(shape=s, repeat=r) for s in shapes for r in range(repeats)]
    progress.stage("assessing the log")
    assessment = detector.assess(profiles)
    before = {a.account_id: a.verdict for a in assessment.accounts}
    progress.stage("rehearsing")
    found: list[Outcome] = []
    changed: Counter[str] = Counter()
    newly_flagged: set[str] = set()
    packed = rounds(trials, accounts, events)
    for number, batch in enumerate(packed):
        progress.step(number, len(packed), "assessments")  # each takes about as long as the others
        planted = [(t, *_planted(t, plan, surroundings)) for t in batch]
        frame = detector.features([e for _, _, traffic in planted for e in traffic.events])
        after = detector.assess(Profiles.merge([profiles, detector.profile(frame)]))
        other = {a.account_id: a.verdict for a in after.accounts if before.get(a.account_id, a.verdict) != a.verdict}
        changed.update(other.keys())
        newly_flagged.update(name for name, verdict in other.items() if verdict == "flag")
        found += [_outcome(*item, number, after) for item in planted]
    progress.step(len(packed), len(packed), "assessments")
    return Rehearsal(
        plan=plan,
        repeats=repeats,
        events=events,
        accounts=accounts,
        first_event=first,
        last_event=last,
        flag_at=assessment.threshold,
        outcomes=sorted(found, key=lambda o: (o.shape, o.repeat)),
        skipped=[s for s in plan.shapes() if s not in set(shapes)],
        disturbance=Disturbance(
            accounts=accounts,
            assessments=len(packed),
            changed=dict(changed.most_common()),
            newly_flagged=len(newly_flagged),
        ),
    )


def _planted(trial: Trial, plan: Plan, surroundings: Surroundings) -> tuple[Campaign, Traffic]:
    campaign = draw(trial.shape, plan, trial.repeat)
    seed = random.Random(f"{plan.seed}/{trial.seed}/traffic").getrandbits(62)
    texts = built_in(seed, min(max(trial.shape.size, TEXTS[0]), TEXTS[1]))
    return campaign, plant_among(surroundings, [campaign], seed, texts)


def _outcome(trial: Trial, campaign: Campaign, traffic: Traffic, number: int, assessment: Assessment) -> Outcome:
    mine = set(traffic.accounts["account_id"])
    findings = [a for a in assessment.accounts if a.account_id in mine]
    table = pl.DataFrame(
        [(a.account_id, a.risk, a.verdict, a.flagged_at) for a in findings],
        schema={"account_id": pl.String, "risk": pl.Float64, "verdict": pl.String, "flagged_at": pl.Datetime("us", "UTC")},
        orient="row",
    )  # fmt: skip
    result = outcomes(table, traffic.accounts, traffic.harvest).row(0, named=True)
    flagged = [a for a in findings if a.verdict == "flag"]
    moments = [a.flagged_at for a in flagged if a.flagged_at]
    groups = {c.campaign_id: c for c in assessment.campaigns if mine & set(c.accounts)}
    ties = Counter(
        kind for a in flagged if a.campaign_id in groups for kind in {t.kind for t in groups[a.campaign_id].ties}
    )
    return Outcome(
        shape=trial.shape,
        repeat=trial.repeat,
        round=number,
        variant=str(traffic.accounts["variant"][0]),
        pace=campaign.pace,
        aged=campaign.aged,
        harvest=int(traffic.harvest["harvest"].sum()),
        caught=bool(result["caught"]),
        flagged=len(flagged),
        exposure=float(result["exposure"]),
        first_flag=int((traffic.harvest["timestamp"] <= min(moments)).sum()) if moments else None,
        risk=max((a.risk for a in findings), default=0.0),
        signals=dict(Counter(title for a in flagged for title in _strongest(a))),
        ties=dict(ties),
        strangers=len({name for c in groups.values() for name in c.accounts} - mine),
    )


def _strongest(finding: AccountFinding) -> Sequence[str]:
    """Titles of the reasons that weigh most for harvesting, membership in a group aside."""
    reasons = [e for e in finding.evidence if e.direction == "for" and e.signal != "campaign"]
    strongest = sorted(reasons, key=lambda e: -e.contribution)[:STRONGEST]
    return [f"Lack of {e.title.lower()}" if e.text.startswith(LACKING) else e.title for e in strongest]
