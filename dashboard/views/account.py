"""One account: what the detector says, why and why not, and the decision."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.schemas.account import AccountDetail
from api.schemas.decisions import DecisionOut
from api.schemas.evidence import EvidenceOut
from dashboard import behind, deciding, exceptions, labels, routes, safe, session, texts, twins, verdict, words

RELATED_COLUMNS = {
    "account_id": safe.text_column("Account", width=220),
    "weight": safe.number_column(
        "Weight (bits)", width=110, format="%.1f", help="-log2 of the chance that unrelated accounts share it"
    ),
    "text": safe.text_column("What they share"),
}
TOGGLE = "advance_toggle"
ADVANCE = "advance"  # whether to go on by itself after a decision


def render() -> None:
    """The account that the address names."""
    account_id = routes.record_id()
    if not account_id:
        st.info("No account is chosen. Open one from the queue.", icon=":material/inbox:")
        if st.button("To the queue"):
            routes.open_queue()
        return
    links = st.container(horizontal=True, vertical_alignment="center")
    if links.button("Queue", icon=":material/arrow_back:", type="tertiary", shortcut="Q"):
        routes.open_queue()
    if links.button(
        "Next", icon=":material/skip_next:", type="tertiary", shortcut="N", help="The next case of the queue"
    ):
        next_case(account_id)
    st.session_state.setdefault(TOGGLE, st.session_state.get(ADVANCE, False))
    st.session_state[ADVANCE] = links.toggle(
        "Go on after a decision",
        key=TOGGLE,
        help="Opens the next case of the queue once a decision is recorded",
    )
    with session.asking():
        client = session.client()
        case = client.account(account_id)
        points = client.clusters(account_id)
        alike, releases = client.twins(account_id), client.releases()
    if case.campaign_id and links.button("Campaign of this account", icon=":material/hub:", type="tertiary"):
        routes.open_campaign(case.campaign_id)
    rates = [("Honest accounts that score as high", words.ordinary(case.p_value))]
    claim(links, case)
    verdict.banner(case, case.account_id, "Account", rates)
    if made := session.announcement(account_id):
        if st.session_state.get(ADVANCE):
            st.session_state[session.BEFORE] = made
            next_case(account_id)
        row = st.container(horizontal=True)
        if row.button("Next open case", type="primary", icon=":material/skip_next:"):
            next_case(account_id)
        deciding.undo_button(row, made.decision_id, "made")
    else:
        decided_before(account_id)

    verdict.taken(case)
    evidence, side = st.columns([2.3, 1], gap="large")
    with evidence:
        verdict.reasons(case.evidence, tools(case))
        verdict.in_shadow(case.in_shadow)
        exceptions.listing(case.exceptions)
    with side:

        def send(verdict_id: int, reason: str, more: dict[str, Any]) -> DecisionOut:
            decision = labels.DECISION_OF[verdict_id]
            return client.decide_account(account_id, decision, reason, {**more, "verdict_id": verdict_id})

        deciding.decide(send, "account", account_id, len(case.decisions))
        deciding.history(case.decisions)

    left, right = st.columns(2, gap="large")
    with left:
        verdict.activity(case.activity)
    with right:
        verdict.cluster_map(points, "account")
    verdict.timeline(case.days, releases)
    twins.section(alike)
    texts.templates(case.templates)
    texts.examples(case.examples, case.unmasking, "account", account_id)
    related(case)


def decided_before(account_id: str) -> None:
    """The decision that the page went on from by itself: it can be looked at again, or undone."""
    made: DecisionOut | None = st.session_state.get(session.BEFORE)
    if made is None or made.subject_id == account_id:
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    row.caption("The decision before this is recorded.", width="content")
    deciding.undo_button(row, made.decision_id, "before")
    if row.button("Back to it", icon=":material/arrow_back:", type="tertiary"):
        routes.open_account(made.subject_id)


def claim(place: DeltaGenerator, case: AccountDetail) -> None:
    """Who works on it; claim it, or let it go."""
    client = session.client()
    if case.claimed_by is not None:
        place.badge("Claimed until " + words.when(case.claimed_until) + " UTC", icon=":material/lock:")
        if not session.is_mine(case.claimed_by):
            with place:
                safe.text(f"by {case.claimed_by}")
    if not session.may_decide():
        return
    mine = case.claimed_by is not None and session.is_mine(case.claimed_by)
    if mine or (case.claimed_by is not None and session.may_approve()):
        if place.button("Let go", icon=":material/lock_open:", type="tertiary", shortcut="L"):
            with session.asking():
                client.release(case.account_id)
            st.rerun()
    elif case.claimed_by is None and place.button("Claim", icon=":material/lock:", type="tertiary", shortcut="L"):
        with session.asking():
            client.claim(case.account_id)
        st.rerun()


def tools(case: AccountDetail) -> verdict.Tools:
    """Buttons below each reason: the requests behind it, and an exception for its signal."""
    excepted = {e.signal for e in case.exceptions if e.state in ("live", "pending")}

    def buttons(evidence: EvidenceOut) -> None:
        key = f"{evidence.signal}_{evidence.direction}"
        row = st.container(horizontal=True)
        behind.lead_to(row, evidence, case.unmasking, "account", case.account_id)
        may = evidence.direction == "for" and evidence.signal not in excepted and session.may_decide()
        if may and row.button("Make an exception", key=f"except_{key}", type="tertiary", icon=":material/rule:"):
            exceptions.make(case.account_id, evidence)

    return buttons


def related(case: AccountDetail) -> None:
    """Accounts that share something rare with this one."""
    st.subheader(
        "Related accounts",
        help="Sharing something rare is a hint for the eye. It is no evidence against either account by itself.",
    )
    if not case.related:
        st.caption("No other account shares anything rare with this one.")
        return

    def open_row(index: int) -> None:
        routes.open_account(case.related[index].account_id)

    safe.table(
        [r.model_dump() for r in case.related], RELATED_COLUMNS, key="related", leads_to=open_row, max_pixels=320
    )


def next_case(decided: str) -> None:
    """Go on with the next case of the queue as it was last shown; without one, with the most important open one."""
    ids: list[str] = st.session_state.get(routes.QUEUE_IDS, [])
    if decided in ids[:-1]:
        routes.open_account(ids[ids.index(decided) + 1])
    with session.asking():
        page = session.client().cases({"state": "open", "sort": "priority", "order": "desc", "limit": 2})
    for case in page.items:
        if case.account_id != decided:
            routes.open_account(case.account_id)
    routes.open_queue()
