"""One campaign: what ties its members, who they are and why, the merged evidence, and the decision for the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from api.schemas.campaign import CampaignDetail, CampaignMember
from api.schemas.decisions import DecisionOut
from api.schemas.evidence import TieOut
from api.schemas.overview import ClusterPoint
from dashboard import (
    behind,
    deciding,
    grouping,
    labels,
    membership,
    network,
    routes,
    safe,
    session,
    texts,
    verdict,
    words,
)
from dashboard.ask import groupings
from dashboard.paging import token

MOST_OTHERS = 1000  # campaigns offered to merge with, the riskiest

MEMBER_COLUMNS = {
    "number": safe.number_column("No.", width=48),
    "risk": safe.share_column("Risk", width=105, help="How far beyond honest accounts it scores; flagged from 50 %"),
    "verdict": safe.text_column("Verdict", width=72),
    "state": safe.text_column("State", width=85),
    "account_id": safe.text_column("Account", width=140),
    "requests": safe.number_column("Requests", width=75),
    "why": safe.text_column("Why it is in"),
}


def render() -> None:
    """The campaign that the address names."""
    campaign_id = routes.record_id()
    if not campaign_id:
        st.info("No campaign is chosen. Open one from the list.", icon=":material/hub:")
        if st.button("To the campaigns"):
            routes.open_campaigns()
        return
    if st.button("Campaigns", icon=":material/arrow_back:", type="tertiary"):
        routes.open_campaigns()
    with session.asking():
        client = session.client()
        campaign, graph = client.campaign(campaign_id), client.graph(campaign_id)
        points = own_topics(client.clusters(), campaign)
        said = groupings.of(client, campaign_id)
        others = client.campaigns(MOST_OTHERS, 0).items if session.may_decide() else []
    verdict.banner(campaign, campaign.campaign_id, "Campaign", [("Accounts", words.count(campaign.accounts))])
    session.noted()
    if made := session.announcement(campaign_id):
        deciding.undo_button(st, made.decision_id, "made")

    ordered = sorted(campaign.members, key=lambda m: (-m.risk, m.account_id))
    numbers = {m.account_id: n for n, m in enumerate(ordered, 1)}
    main, side = st.columns([2.3, 1], gap="large")
    with main:
        ties(campaign.ties, campaign.accounts)
        members(ordered, campaign_id)
        if session.may_decide():
            grouping.merge(campaign_id, [o for o in others if o.campaign_id != campaign_id])
        grouping.listing(said)
    with side:

        def send(verdict_id: int, reason: str, more: dict[str, Any]) -> DecisionOut:
            decision = labels.DECISION_OF[verdict_id]
            return client.decide_campaign(campaign_id, decision, reason, {**more, "verdict_id": verdict_id})

        deciding.decide(send, "campaign", campaign_id, len(campaign.decisions))
        deciding.history(campaign.decisions)

    left, right = st.columns(2, gap="large")
    with left:
        network.section(graph, numbers)
    with right:
        network.course(graph, numbers)
    verdict.reasons(
        campaign.evidence,
        lambda e: behind.lead_to(st.container(), e, campaign.unmasking, "campaign", campaign_id),
    )
    left, right = st.columns(2, gap="large")
    with left:
        verdict.activity(campaign.activity)
    with right:
        verdict.cluster_map(points, "campaign")
    texts.templates(campaign.templates)
    texts.examples(campaign.examples, campaign.unmasking, "campaign", campaign_id, show_account=True)


def ties(found: Sequence[TieOut], accounts: int) -> None:
    """Each kind of link with its weight and how many members it covers, heaviest first."""
    st.subheader(
        "What ties them",
        help="Weight: bits of surprise, -log2 of the chance that unrelated accounts would share it. Without a unit: a "
        "strength on the same scale; no chance stands behind it.",
    )
    if not found:
        st.caption("No single tie is recorded.")
        return
    heaviest = max(t.weight for t in found) or 1.0
    safe.show(
        safe.join(
            [
                safe.markup(
                    '<div class="dw-reason"><div class="dw-head"><span class="dw-title">{kind}</span>'
                    '<span class="dw-number"><b>{weight:.1f}</b>{unit} · {members} of {accounts} accounts</span></div>'
                    "<p>{text}</p>"
                    '<div class="dw-bar"><span class="for" style="width:{width:.1f}%"></span></div></div>',
                    kind=tie.title,
                    weight=tie.weight,
                    unit=" bits" if tie.is_chance else "",
                    members=tie.members,
                    accounts=accounts,
                    text=tie.text,
                    width=100 * min(max(tie.weight, 0.0) / heaviest, 1.0),
                )
                for tie in sorted(found, key=lambda t: -t.weight)
            ]
        )
    )


def members(ordered: Sequence[CampaignMember], campaign_id: str) -> None:
    """The accounts in it, and why each is; ticked ones can be opened, or taken out."""
    st.subheader("Members", help="Each account keeps its own verdict: belonging to a group decides nothing by itself.")
    if not ordered:
        st.caption("The members are not recorded.")
        return

    def choose(indices: list[int]) -> None:
        chosen = [ordered[i] for i in indices]
        row = st.container(horizontal=True, vertical_alignment="center")
        if row.button("Open the account", icon=":material/open_in_new:", disabled=len(chosen) != 1, key="open_member"):
            routes.open_account(chosen[0].account_id)
        if session.may_decide():
            if row.button("Verdict for each", icon=":material/gavel:", disabled=not chosen, key="judge_members"):
                membership.judge(chosen)
            if row.button("Take out", icon=":material/person_remove:", disabled=not chosen, key="exclude_members"):
                membership.exclude(chosen)
        row.caption(
            "Tick members to open one, to decide on each, to take them out of the campaign, or to split them off."
        )
        if session.may_decide():
            grouping.split(campaign_id, [m.account_id for m in chosen])

    rows = [{"number": n, **m.model_dump(), **verdict.cells(m)} for n, m in enumerate(ordered, 1)]
    safe.table(rows, MEMBER_COLUMNS, key=f"members_{token(campaign_id)}", on_choose=choose, max_pixels=320)


def own_topics(points: Sequence[ClusterPoint], campaign: CampaignDetail) -> list[ClusterPoint]:
    """The population's map with the campaign's requests in it."""
    requests = dict(campaign.clusters)
    return [p.model_copy(update={"account": requests.get(p.cluster, 0)}) for p in points]
