"""What the detector says of an account or campaign: verdict, reasons, when it works and what it asks about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st
from markupsafe import Markup

from api.schemas.account import AccountDetail
from api.schemas.campaign import CampaignDetail, CampaignMember, CampaignRow
from api.schemas.case import Release
from api.schemas.evidence import EvidenceOut
from api.schemas.overview import ClusterPoint
from api.schemas.queue import CaseRow
from dashboard import charts, labels, safe, words

MOST_PERCENT = 99.9  # a probability is not rounded up to certainty
STRONGEST = 5  # reasons a side shown at once; weaker ones unfold
SHARE_OF = "share of "  # units like "share of requests" are shown as percent
RISK_OF = "risk of "  # so are risks

Direction = Literal["for", "against"]
Tools = Callable[[EvidenceOut], None]

REASONS: dict[Direction, str] = {"for": "Speaks for harvesting", "against": "Speaks against it"}
NO_REASONS: dict[Direction, str] = {
    "for": "No signal speaks for harvesting.",
    "against": "No signal speaks against it.",
}
REASONS_HELP = (
    "Contribution: change in the log-odds of harvesting. Risk is no sum of these: it tells how far the log-odds, which follow from all "
    "signals, from how many requests these are and what sets them apart, lie beyond the threshold for flags (50 %) or for watching (20 %). "
    "Percentile: share of ordinary accounts, of its size where these are known, with a lower value. "
    "Evidence is called moderate where it makes the odds 3 to 20 times as large or small, strong to 150, very strong beyond. "
    "Behind it: the requests that show it (more likely than not), or lack it where it speaks by its absence, and where their share "
    "lies with 95 % confidence."
)


def banner(
    case: AccountDetail | CampaignDetail, identity: str, kind: str, more: Sequence[tuple[str, str]] = ()
) -> None:
    """What the detector says, in one glance; ``more`` adds facts (label, value)."""
    facts = [
        ("Requests", words.count(case.requests)),
        ("Input tokens", words.count(case.input_tokens)),
        ("Output tokens", words.count(case.output_tokens) if case.output_tokens else "none logged"),
        ("First seen (UTC)", words.when(case.first_seen)),
        ("Last seen (UTC)", words.when(case.last_seen)),
        ("Active for", words.span(case.first_seen, case.last_seen)),
        ("Flagged at (UTC)", words.when(case.flagged_at)),
        *more,
    ]
    looks = safe.markup(", looks like <b>{harvest}</b>", harvest=case.harvest) if case.harvest else Markup("")
    safe.show(
        safe.markup(
            '<div class="dw-banner {verdict}"><div class="dw-small">{kind}</div><div class="dw-id">{identity}</div>'
            '<div class="dw-verdict"><span class="dw-pill {verdict}">{word}</span>'
            '<span class="dw-pill state">{state}</span><b>{risk}</b> risk of harvesting{looks}</div>'
            '<div class="dw-facts">{facts}</div></div>',
            verdict=case.verdict,
            kind=kind,
            identity=safe.line(identity),
            word=labels.VERDICTS[case.verdict],
            state=labels.STATES[case.state],
            risk=words.percent(case.risk),
            looks=looks,
            facts=safe.join(
                [
                    safe.markup('<div><span class="dw-small">{label}</span><br>{value}</div>', label=a, value=b)
                    for a, b in facts
                ]
            ),
        )
    )


def risk_cell(risk: float) -> float:
    """A risk in percent, for a table: never rounded up to certainty."""
    return min(100 * risk, MOST_PERCENT)


def cells(item: CaseRow | CampaignRow | CampaignMember) -> dict[str, safe.Cell]:
    """Risk in percent, verdict and state in words, for a table's row."""
    return {
        "risk": risk_cell(item.risk),
        "verdict": labels.VERDICTS[item.verdict],
        "state": labels.STATES[item.state],
    }


def reasons(evidence: Sequence[EvidenceOut], tools: Tools | None = None) -> None:
    """Reasons for and against as two equal columns, drawn on one scale; ``tools`` puts buttons below each."""
    scale = max((abs(e.contribution) for e in evidence), default=1.0) or 1.0
    for part in dict.fromkeys(e.part for e in evidence if e.part):
        safe.text(f"Counted in {part}, unless said otherwise: what stands out most in it.")
    for column, direction in zip(st.columns(2, gap="medium"), REASONS, strict=True):
        chosen = sorted((e for e in evidence if e.direction == direction), key=lambda e: -abs(e.contribution))
        with column:
            st.subheader(REASONS[direction], help=REASONS_HELP)
            signals, places = [e for e in chosen if not _is_place(e)], [e for e in chosen if _is_place(e)]
            st.caption(
                words.quantity(len(signals), "reason")
                + (", together " + words.signed(sum(e.contribution for e in signals)) + " log-odds" if signals else "")
                + (", beside its place in a campaign" if places else "")
            )
            if not chosen:
                safe.show(safe.markup('<div class="dw-empty">{text}</div>', text=NO_REASONS[direction]))
            _cards(places + signals[:STRONGEST], scale, tools)
            if weaker := signals[STRONGEST:]:
                with st.expander(words.quantity(len(weaker), "weaker reason")):
                    _cards(weaker, scale, tools)


def in_shadow(sentences: Sequence[str]) -> None:
    """What signals in shadow say: for the eye, as it does not count."""
    if sentences:
        st.caption("◐ In shadow, does not count:")
        for sentence in sentences:
            safe.show(safe.markup('<div class="dw-small">{text}</div>', text=sentence))


def _cards(evidence: Sequence[EvidenceOut], scale: float, tools: Tools | None) -> None:
    if tools is None:
        if evidence:
            safe.show(safe.join([_reason(e, scale) for e in evidence]))
        return
    for one in evidence:
        with st.container(gap=None):
            safe.show(_reason(one, scale))
            tools(one)


def _sure(evidence: EvidenceOut) -> str:
    """How much a reason weighs, unless it is a place in a campaign, and how well the share of requests behind it is known."""
    said = [] if _is_place(evidence) else [words.weight(evidence.contribution)]
    if evidence.requests is not None and evidence.interval:
        said.append(words.known(evidence.requests, evidence.looked_at, evidence.interval))
    told = "; ".join(said)
    return told[:1].upper() + told[1:]


def _is_place(evidence: EvidenceOut) -> bool:
    return evidence.unit.startswith(RISK_OF)


def _reason(evidence: EvidenceOut, scale: float) -> Markup:
    unit = evidence.unit
    if unit.startswith(SHARE_OF):
        value, unit = words.percent(evidence.value), "of " + unit.removeprefix(SHARE_OF)
    elif _is_place(evidence):
        value = words.percent(evidence.value)
    else:
        value, unit = words.amount(evidence.value), f"({unit})" if unit[:1].isdigit() else unit
    return safe.markup(
        '<div class="dw-reason"><div class="dw-head"><span class="dw-title">{title}</span>'
        '<span class="dw-number"><b>{value}</b> {unit}</span></div><p>{text}</p>'
        '<div class="dw-row"><span>Contribution</span><div class="dw-bar">'
        '<span class="{direction}" style="width:{width:.1f}%"></span></div><span>{contribution}</span></div>'
        '{rank}<div class="dw-small">{sure}</div></div>',
        sure=_sure(evidence),
        title=evidence.title,
        value=value,
        unit=unit,
        text=evidence.sentence or evidence.text,
        direction=evidence.direction,
        width=100 * min(abs(evidence.contribution) / scale, 1.0),
        contribution=words.signed(evidence.contribution),
        rank=Markup("") if _is_place(evidence) else _rank(evidence),
    )


def _rank(evidence: EvidenceOut) -> Markup:
    """Where the value stands among ordinary accounts, which a place in a campaign does not."""
    return safe.markup(
        '<div class="dw-row"><span>Percentile</span><div class="dw-scale"><span style="left:{at:.2f}%"></span></div>'
        '<span>{percentile}</span></div><div class="dw-small">Percentile among {among}</div>',
        at=100 * min(max(evidence.percentile, 0.0), 1.0),
        percentile=words.percent(evidence.percentile),
        among=evidence.among,
    )


def activity(counts: Sequence[int]) -> None:
    """When the requests come, by hour of the week."""
    st.subheader("When it works")
    if not any(counts):
        st.caption("No activity is recorded in the window.")
        return
    busy = sum(1 for n in counts if n)
    st.caption(f"Requests by weekday and hour, UTC. Active in {busy:d} of {charts.HOURS_OF_WEEK:d} hours of the week.")
    safe.chart(charts.heat_map(counts), "Heat map of requests by weekday and hour of day")


def timeline(days: Sequence[tuple[str, int, int]], releases: Sequence[Release]) -> None:
    """How much it asks day by day, with releases of models."""
    st.subheader("Day by day")
    if not days:
        st.caption("No course is recorded in the window.")
        return
    st.caption(
        "Active on "
        + words.quantity(len(days), "day")
        + " (UTC). Dashed: releases of models, where the operator named them."
    )
    safe.chart(charts.timeline(days, releases), "Bar chart of requests by day")


def taken(case: AccountDetail) -> None:
    """What it is harvesting, how much of its work that covers, and what it has taken so far."""
    covered = max((t.share for t in case.templates), default=0.0)
    safe.show(
        safe.markup(
            '<div class="dw-taken"><div><span class="dw-small">Looks like</span><br><b>{what}</b></div>'
            '<div><span class="dw-small">Requests in one template</span><br><b>{share}</b></div>'
            '<div><span class="dw-small">Output tokens so far</span><br><b>{tokens}</b></div>'
            '<div><span class="dw-small">Estimated worth so far</span><br><b>{spend}</b></div>'
            '<div><span class="dw-small">Closed cases like it that were confirmed</span><br><b>{alike}</b></div></div>',
            what=safe.line(case.harvest or "No kind of harvest stands out"),
            share=words.percent(covered) if covered else words.NOTHING,
            tokens=words.count(case.output_tokens),
            spend=words.money(case.spend, case.currency),
            alike=words.alike(case.alike_confirmed, case.alike_dismissed),
        )
    )


def cluster_map(points: Sequence[ClusterPoint], kind: Literal["account", "campaign"]) -> None:
    """What the requests are about, over what everyone asks."""
    st.subheader("What it asks about")
    own = [p for p in points if p.account]
    if not own:
        st.caption("No topics are recorded: the requests have no text, or the window is over.")
        return
    used = sum(1 for p in points if p.population or p.account)
    st.caption(f"Topics, near means alike: grey everyone, orange this one; {len(own):,d} of {used:,d} topics in use.")
    safe.chart(
        charts.cluster_map(points, kind), "Map of topics: the population in grey, this account or campaign in colour"
    )
