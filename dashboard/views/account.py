"""One account: what the detector says, why and why not, and the decision."""

from __future__ import annotations

import streamlit as st

from api.schemas import AccountDetail, Decision, DecisionOut
from dashboard import deciding, paging, routes, safe, session, texts, verdict, words

RELATED_COLUMNS = {
    "account_id": safe.text_column("Account", width=220),
    "weight": safe.number_column(
        "Weight (bits)", width=110, format="%.1f", help="-log2 of the chance that unrelated accounts share it"
    ),
    "text": safe.text_column("What they share"),
}
OPENED = "related_opened"


def render() -> None:
    """The account that the address names."""
    account_id = routes.record_id()
    if not account_id:
        st.info("No account is chosen. Open one from the queue.", icon=":material/inbox:")
        if st.button("To the queue"):
            routes.open_queue()
        return
    links = st.container(horizontal=True)
    if links.button("Queue", icon=":material/arrow_back:", type="tertiary"):
        routes.open_queue()
    with session.asking():
        client = session.client()
        case = client.account(account_id)
        points = client.clusters(account_id)
    if case.campaign_id and links.button("Campaign of this account", icon=":material/hub:", type="tertiary"):
        routes.open_campaign(case.campaign_id)
    rates = [("Honest accounts that score as high", words.ordinary(case.p_value))]
    verdict.banner(case, case.account_id, "Account", rates)
    if session.announcement(account_id) and st.button("Next open case", type="primary", icon=":material/skip_next:"):
        next_case(account_id)

    evidence, side = st.columns([2.3, 1], gap="large")
    with evidence:
        verdict.reasons(case.evidence)
    with side:

        def send(decision: Decision, reason: str) -> DecisionOut:
            return client.decide_account(account_id, decision, reason)

        deciding.decide(send, "account", account_id, len(case.decisions))
        deciding.history(case.decisions)

    left, right = st.columns(2, gap="large")
    with left:
        verdict.activity(case.activity)
    with right:
        verdict.cluster_map(points, "account")
    texts.templates(case.templates)
    texts.examples(case.examples, key=paging.token(account_id))
    related(case)


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
        st.session_state[OPENED] = st.session_state.get(OPENED, 0) + 1
        routes.open_account(case.related[index].account_id)

    key = f"related_{st.session_state.get(OPENED, 0):d}"
    safe.table([r.model_dump() for r in case.related], RELATED_COLUMNS, key=key, on_open=open_row, max_pixels=320)


def next_case(decided: str) -> None:
    """Go on with the riskiest open case, if there is another."""
    with session.asking():
        page = session.client().cases({"state": "open", "sort": "risk", "order": "desc", "limit": 2})
    for case in page.items:
        if case.account_id != decided:
            routes.open_account(case.account_id)
    routes.open_queue()
