"""What waits for a second person."""

from __future__ import annotations

import streamlit as st

from api.schemas.approvals import ApprovalOut
from dashboard import enforcing, labels, routes, safe, session, words
from dashboard.client import ApiError

LIMIT = 50
MIN_REASON, MAX_REASON = 3, 4000


def render() -> None:
    """Each thing that waits, with what is needed to judge it."""
    st.title("Approvals")
    st.caption(
        "Blocks, actions on whole campaigns, bulk decisions and the reading of prompts take two people: what one asks for holds once "
        "another has approved it. So do the splitting and merging of campaigns while an action holds for all of one, and exceptions "
        "that an analyst makes or that are for a large customer."
    )
    with session.asking():
        client = session.client()
        state, waiting = client.enforcement(), client.approvals(LIMIT)
    enforcing.warn(state)
    st.subheader("Waiting for a second person")
    if not waiting.items:
        st.info("Nothing waits for approval.", icon=":material/done_all:")
        return
    if waiting.total > len(waiting.items):
        st.caption(f"The oldest {len(waiting.items):,d} of {waiting.total:,d}.")
    for item in waiting.items:
        with st.container(border=True):
            card(item)


def card(item: ApprovalOut) -> None:
    """One thing that waits: what, for whom, why, and the buttons."""
    key = f"{item.kind}_{item.number}"
    facts, buttons = st.columns([1.6, 1], gap="large", vertical_alignment="center")
    scope = [f"{name.replace('_', ' ')} {value}" for name, value in item.scope.model_dump().items() if value]
    with facts:
        safe.show(
            safe.markup(
                '<div class="dw-decision first"><b>{kind}: {what}</b>{scope} for {subject} <b>{name}</b><p>{reason}</p>'
                '<div class="dw-small">Asked by {by}, {at} UTC. Until {until}.</div></div>',
                kind=labels.APPROVALS[item.kind],
                what=safe.line(item.what.replace("_", " ")),
                scope=safe.line(f" ({', '.join(scope)})" if scope else ""),
                subject="those with" if item.subject == "bulk" else item.subject,
                name=safe.line(item.subject_id),
                reason=item.reason,
                by=safe.line(item.issued_by),
                at=words.when(item.issued_at),
                until=words.end(item.expires_at),
            )
        )
        if item.subject in ("account", "campaign") and st.button(
            "Open the case", key=f"open_{key}", type="tertiary", icon=":material/open_in_new:"
        ):
            (routes.open_account if item.subject == "account" else routes.open_campaign)(item.subject_id)
    with buttons:
        if not session.may_decide():
            st.caption("Your role reads and does not decide.")
            return
        mine = session.is_mine(item.issued_by)
        reason = st.text_input("Why", key=f"why_{key}", max_chars=MAX_REASON, placeholder="What you checked")
        row = st.container(horizontal=True)
        may = not mine and (session.may_approve() or item.kind == "unmasking")
        if row.button("Approve", key=f"approve_{key}", type="primary", disabled=not may):
            finish(item, reason, approve=True)
        if row.button("Withdraw" if mine else "Refuse", key=f"refuse_{key}"):
            finish(item, reason, approve=False)
        if mine:
            st.caption("You asked for this: a second person must approve it.")
        elif not may:
            st.caption("A lead must approve this.")


def finish(item: ApprovalOut, reason: str, approve: bool) -> None:
    """Approve or refuse, with a reason."""
    if len(reason.strip()) < MIN_REASON:
        st.warning("Write why: an approval without a reason cannot be reviewed.", icon=":material/info:")
        return
    client = session.client()
    try:
        (client.approve if approve else client.end)(item.kind, item.number, reason.strip())
    except ApiError as error:
        session.show_problem(error)
    else:
        st.rerun()
