"""One campaign: what ties its members, who they are and why, the merged evidence, and the decision for the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from api.schemas import CampaignDetail, CampaignMember, ClusterPoint, DecisionOut, TieOut
from dashboard import deciding, routes, safe, session, texts, verdict, words

MEMBER_COLUMNS = {
    "risk": safe.share_column("Risk", width=105, help="Of the account by itself, calibrated"),
    "verdict": safe.text_column("Verdict", width=72),
    "state": safe.text_column("State", width=85),
    "account_id": safe.text_column("Account", width=140),
    "requests": safe.number_column("Requests", width=75),
    "why": safe.text_column("Why it is in"),
}
OPENED = "members_opened"


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
        campaign = client.campaign(campaign_id)
        points = own_topics(client.clusters(), campaign)
    verdict.banner(campaign, campaign.campaign_id, "Campaign", [("Accounts", words.count(campaign.accounts))])
    if made := session.announcement(campaign_id):
        deciding.undo_button(st, made.decision_id, "made")

    main, side = st.columns([2.3, 1], gap="large")
    with main:
        ties(campaign.ties, campaign.accounts)
        members(campaign.members)
    with side:

        def send(verdict_id: int, reason: str, more: dict[str, Any]) -> DecisionOut:
            decision = words.DECISION_OF[verdict_id]
            return client.decide_campaign(campaign_id, decision, reason, {**more, "verdict_id": verdict_id})

        deciding.decide(send, "campaign", campaign_id, len(campaign.decisions))
        deciding.history(campaign.decisions)

    verdict.reasons(campaign.evidence)
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
        help="Weight: bits of surprise, -log2 of the chance that unrelated accounts would share it.",
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
                    '<span class="dw-number"><b>{weight:.1f}</b> bits · {members} of {accounts} accounts</span></div>'
                    "<p>{text}</p>"
                    '<div class="dw-bar"><span class="for" style="width:{width:.1f}%"></span></div></div>',
                    kind=tie.kind.replace("_", " ").capitalize(),
                    weight=tie.weight,
                    members=tie.members,
                    accounts=accounts,
                    text=tie.text,
                    width=100 * min(max(tie.weight, 0.0) / heaviest, 1.0),
                )
                for tie in sorted(found, key=lambda t: -t.weight)
            ]
        )
    )


def members(found: Sequence[CampaignMember]) -> None:
    """The accounts in it, and why each is."""
    st.subheader("Members", help="Each account keeps its own verdict: belonging to a group decides nothing by itself.")
    if not found:
        st.caption("The members are not recorded.")
        return
    ordered = sorted(found, key=lambda m: (-m.risk, m.account_id))

    def open_row(index: int) -> None:
        st.session_state[OPENED] = st.session_state.get(OPENED, 0) + 1
        routes.open_account(ordered[index].account_id)

    rows = [{**m.model_dump(), **verdict.cells(m)} for m in ordered]
    key = f"members_{st.session_state.get(OPENED, 0):d}"
    safe.table(rows, MEMBER_COLUMNS, key=key, on_open=open_row, max_pixels=320)
    st.caption("Click a row to open the account.")


def own_topics(points: Sequence[ClusterPoint], campaign: CampaignDetail) -> list[ClusterPoint]:
    """The population's map with the campaign's requests in it."""
    requests = dict(campaign.clusters)
    return [p.model_copy(update={"account": requests.get(p.cluster, 0)}) for p in points]
