"""Parts that the account page and the campaign page have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st
from markupsafe import Markup

from api.schemas import (
    AccountDetail,
    CampaignDetail,
    ClusterPoint,
    Decision,
    DecisionOut,
    EvidenceOut,
    ExamplePrompt,
    TemplateOut,
)
from dashboard import charts, safe, session, words
from dashboard.client import ApiError

EXAMPLES_PER_PAGE = 3
MAX_CHIP_CHARS = 90
MAX_CHIPS = 8
MAX_TEMPLATES = 8
MIN_REASON, MAX_REASON = 3, 4000  # characters, as the service asks (api.schemas.DecisionIn)
LONG_TEXT_PIXELS = 190
SHARE_PREFIX = "share"  # units like "share of requests" are shown as percent

READ_ONLY = "Your role reads and does not decide."
NO_TEXT = "No text of these requests is kept; the template is known by its hash."
CAPTIONS = {
    "account": ["It harvests: to be acted on", "A good customer", "Keep it open and say what is missing"],
    "campaign": [
        "The accounts work as one harvester",
        "Unrelated, or entitled to it",
        "Keep it open and say what is missing",
    ],
}

Direction = Literal["for", "against"]

REASONS: dict[Direction, str] = {"for": "Speaks for harvesting", "against": "Speaks against it"}
NO_REASONS: dict[Direction, str] = {
    "for": "No signal speaks for harvesting.",
    "against": "No signal speaks against it.",
}
REASONS_HELP = (
    "Contribution: change in the log-odds of harvesting; the sum, with the base rate, gives the risk. "
    "Percentile: share of all accounts with a lower value."
)


def banner(
    case: AccountDetail | CampaignDetail, identity: str, kind: str, more: Sequence[tuple[str, str]] = ()
) -> None:
    """What the detector says, in one glance; ``more`` adds facts (label, value)."""
    facts = [
        ("Requests", words.count(case.requests)),
        ("Input tokens", words.count(case.input_tokens)),
        ("Output tokens", words.count(case.output_tokens)),
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
            word=words.VERDICTS[case.verdict],
            state=words.STATES[case.state],
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


def reasons(evidence: Sequence[EvidenceOut]) -> None:
    """Reasons for and against as two equal columns, drawn on one scale."""
    scale = max((abs(e.contribution) for e in evidence), default=1.0) or 1.0
    for column, direction in zip(st.columns(2, gap="medium"), REASONS, strict=True):
        chosen = sorted((e for e in evidence if e.direction == direction), key=lambda e: -abs(e.contribution))
        cards = [_reason(e, scale) for e in chosen]
        with column:
            st.subheader(REASONS[direction], help=REASONS_HELP)
            st.caption(
                words.quantity(len(chosen), "reason")
                + ", together "
                + words.signed(sum(e.contribution for e in chosen))
                + " log-odds"
            )
            safe.show(
                safe.join(cards)
                if cards
                else safe.markup('<div class="dw-empty">{text}</div>', text=NO_REASONS[direction])
            )


def _reason(evidence: EvidenceOut, scale: float) -> Markup:
    if evidence.unit.startswith(SHARE_PREFIX):
        value, unit = words.percent(evidence.value), evidence.unit.removeprefix(SHARE_PREFIX).strip()
    else:
        value, unit = words.amount(evidence.value), evidence.unit
    return safe.markup(
        '<div class="dw-reason"><div class="dw-head"><span class="dw-title">{title}</span>'
        '<span class="dw-number"><b>{value}</b> {unit}</span></div><p>{text}</p>'
        '<div class="dw-row"><span>Contribution</span><div class="dw-bar">'
        '<span class="{direction}" style="width:{width:.1f}%"></span></div><span>{contribution}</span></div>'
        '<div class="dw-row"><span>Percentile</span><div class="dw-scale">'
        '<span style="left:{percentile:.2f}%"></span></div><span>{rank}</span></div></div>',
        title=evidence.title,
        value=value,
        unit=unit,
        text=evidence.text,
        direction=evidence.direction,
        width=100 * min(abs(evidence.contribution) / scale, 1.0),
        contribution=words.signed(evidence.contribution),
        percentile=100 * min(max(evidence.percentile, 0.0), 1.0),
        rank=words.percent(evidence.percentile),
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


def templates(found: Sequence[TemplateOut]) -> None:
    """Constant frames with their slots marked, and what fills them."""
    st.subheader("Templates", help="A constant frame of words whose slots {…} are filled anew in each request.")
    if not found:
        st.caption("No template: the requests have no constant frame with changing slots, or no text is kept.")
        return
    for template in found[:MAX_TEMPLATES]:
        facts = [
            words.quantity(template.requests, "request"),
            words.percent(template.share) + " of its requests",
            words.quantity(template.distinct_slots, "different filling"),
            "used by " + words.quantity(template.accounts, "account") + " in all",
        ]
        chips = [
            safe.markup('<span class="dw-chip">{slot}</span>', slot=safe.line(s, MAX_CHIP_CHARS))
            for s in template.slot_examples[:MAX_CHIPS]
        ]
        body = (
            safe.template(template.text)
            if template.text
            else safe.markup('<div class="dw-template">{text}</div>', text=NO_TEXT)
        )
        safe.show(
            safe.markup(
                '<div class="dw-meta">{facts}</div>{body}<div class="dw-chips">{label}{chips}</div>',
                facts=" · ".join(facts),
                body=body,
                label=safe.markup('<span class="dw-small">Fillings, e.g.</span>') if chips else Markup(""),
                chips=safe.join(chips),
            )
        )
    if len(found) > MAX_TEMPLATES:
        st.caption(f"{len(found) - MAX_TEMPLATES:,d} more templates with fewer requests are not shown.")


@st.fragment
def examples(prompts: Sequence[ExamplePrompt], key: str, show_account: bool = False) -> None:
    """Example requests as they came in, a few at a time."""
    st.subheader("Example requests")
    if not prompts:
        st.caption("No text is kept of these requests.")
        return
    pages = -(-len(prompts) // EXAMPLES_PER_PAGE)
    at = pager(f"examples_{key}", pages)
    for example in prompts[at * EXAMPLES_PER_PAGE : (at + 1) * EXAMPLES_PER_PAGE]:
        facts = [words.when(example.timestamp) + " UTC", example.model or "model not logged"]
        facts += [f"account {example.account_id}"] if show_account else []
        facts += [f"topic {example.cluster}"] if example.cluster is not None else []
        with st.container(border=True):
            safe.show(
                safe.markup(
                    '<div class="dw-meta">{facts} · request {event}</div>',
                    facts=safe.line(" · ".join(facts)),
                    event=safe.line(example.event_id),
                )
            )
            left, right = st.columns(2, gap="medium")
            with left:
                if example.system:
                    st.caption("System prompt")
                    safe.block(example.system, LONG_TEXT_PIXELS)
                st.caption("Prompt")
                safe.block(example.prompt, LONG_TEXT_PIXELS)
            with right:
                st.caption("Answer")
                if example.response:
                    safe.block(example.response, LONG_TEXT_PIXELS)
                else:
                    st.caption("The answer was not logged.")


def token(record_id: str) -> str:
    """A key for a record's widgets, so that nothing typed or turned on one page shows up on another's."""
    return hashlib.sha256(record_id.encode()).hexdigest()[:16]


def pager(name: str, pages: int) -> int:
    """Buttons to turn pages; the number of the page to show, from 0. Without effect where one page holds all."""
    at = min(int(st.session_state.get(name + "_page", 0)), max(pages - 1, 0))
    if pages <= 1:
        return 0
    row = st.container(horizontal=True, vertical_alignment="center")
    if row.button("Previous", key=name + "_previous", icon=":material/chevron_left:", disabled=at == 0):
        st.session_state[name + "_page"] = at - 1
        st.rerun(scope="fragment")
    if row.button("Next", key=name + "_next", icon=":material/chevron_right:", disabled=at >= pages - 1):
        st.session_state[name + "_page"] = at + 1
        st.rerun(scope="fragment")
    row.caption(f"Page {at + 1:,d} of {pages:,d}", width="content")
    return at


def history(decisions: Sequence[DecisionOut]) -> None:
    """Who decided what, when and why, newest first."""
    st.subheader("Decisions so far")
    if not decisions:
        st.caption("Nobody has decided yet.")
        return
    for decision in sorted(decisions, key=lambda d: d.at, reverse=True):
        safe.show(
            safe.markup(
                '<div class="dw-decision"><b>{what}</b> by {actor}, {when} UTC<p>{reason}</p></div>',
                what=words.DECIDED[decision.decision],
                actor=safe.line(decision.actor),
                when=words.when(decision.at),
                reason=decision.reason,
            )
        )


def decide(send: Callable[[Decision, str], DecisionOut], kind: Literal["account", "campaign"], key: str) -> None:
    """The decision form. The service checks role and reason, and records the decision."""
    st.subheader("Decide")
    if not session.may_decide():
        st.caption(READ_ONLY)
        return
    with st.form(f"decide_{key}", border=True):
        decision: Decision | None = st.radio(
            "Decision",
            list(words.DECISIONS),
            format_func=words.DECISIONS.__getitem__,
            index=None,
            captions=CAPTIONS[kind],
            key=f"decision_{key}",
        )
        reason = st.text_area(
            "Reason (required)",
            height=110,
            max_chars=MAX_REASON,
            placeholder="What you saw, and what decided it",
            key=f"reason_{key}",
        )
        sent = st.form_submit_button("Record decision", type="primary")
    if not sent:
        return
    if decision is None:
        st.warning("Choose a decision first.", icon=":material/info:")
    elif len(reason.strip()) < MIN_REASON:
        st.warning("Write a reason: a decision without one cannot be reviewed.", icon=":material/info:")
    else:
        try:
            send(decision, reason.strip())
        except ApiError as error:
            session.show_problem(error)
        else:
            session.announce(decision)
            st.rerun()
