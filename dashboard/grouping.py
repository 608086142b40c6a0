"""Splitting and merging a campaign: what would come of it, and what people said so far."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from api.schemas.campaign import CampaignRow
from api.schemas.groupings import GroupingOut, Part
from dashboard import labels, safe, session, words
from dashboard.ask import groupings
from dashboard.client import ApiError
from dashboard.paging import token

MIN_REASON, MAX_REASON = 3, 4000
HOLDS = "It holds from the next assessment on, within a minute, and for each one after it until somebody takes it back."
WHAT = {"merge": "Merged", "split": "Split"}
LABEL = {True: "Split off", False: "Merge"}


def split(campaign_id: str, accounts: Sequence[str]) -> None:
    """The form to split the ticked members off."""
    if not accounts:
        return
    with st.expander("Split off the ticked members", icon=":material/call_split:"):
        _form(campaign_id, f"split_{token(campaign_id)}", accounts=accounts)


def merge(campaign_id: str, others: Sequence[CampaignRow]) -> None:
    """The form to merge it with another campaign."""
    with st.expander("Merge with another campaign", icon=":material/merge:"):
        if not others:
            st.caption("There is no other campaign.")
            return
        ids = [o.campaign_id for o in others]
        key = f"merge_{token(campaign_id)}"
        chosen = safe.choose("Campaign", ids, key, placeholder="Choose the other campaign")
        if chosen is None:
            return
        other = others[ids.index(chosen)]
        looks = f", looks like {other.harvest}" if other.harvest else ""
        safe.text(
            f"{words.quantity(other.accounts, 'account')}, {words.quantity(other.requests, 'request')}{looks}. "
            f"{labels.VERDICTS[other.verdict]}, {labels.STATES[other.state].lower()}."
        )
        _form(campaign_id, key, with_campaigns=[chosen])


def _form(campaign_id: str, key: str, with_campaigns: Sequence[str] = (), accounts: Sequence[str] = ()) -> None:
    try:
        with st.spinner("Asking the service …"):
            told = groupings.preview(session.client(), campaign_id, with_campaigns, accounts)
    except ApiError as error:  # all members are ticked, say: the page goes on
        session.show_problem(error)
        return
    for part in told.parts:
        safe.show(_part(part))
    if told.actions:
        safe.text("In force for a whole campaign: " + ", ".join(safe.line(a, 120) for a in told.actions) + ".")
    st.caption(("For whom they hold changes, so a second person must agree. " if told.needs_approval else "") + HOLDS)
    with st.form(f"form_{key}", border=False):
        reason = st.text_input("Reason", key=f"why_{key}", max_chars=MAX_REASON, placeholder="What shows it")
        sent = st.form_submit_button(LABEL[bool(accounts)], type="primary")
    if sent:
        if len(reason.strip()) < MIN_REASON:
            st.warning("Write a reason first.", icon=":material/info:")
            return
        try:
            made = groupings.keep(session.client(), campaign_id, reason.strip(), with_campaigns, accounts)
        except ApiError as error:
            session.show_problem(error)
        else:
            session.note("grouping_waits" if made.state == "pending" else "grouping")
            st.rerun()


def _part(part: Part) -> Markup:
    name = "keeps its id, decisions and actions" if part.kept else "is a campaign of its own"
    fate = "too few to be a campaign: in none" if part.too_small else name
    more = f" and {part.accounts - len(part.sample):,d} more" if part.accounts > len(part.sample) else ""
    return safe.markup(
        '<div class="dw-decision"><b>{accounts}</b>, {requests} · {fate}<div class="dw-small">{sample}</div></div>',
        accounts=words.quantity(part.accounts, "account"),
        requests=words.quantity(part.requests, "request"),
        fate=fate,
        sample=", ".join(safe.line(a, 60) for a in part.sample) + more,
    )


def listing(found: Sequence[GroupingOut]) -> None:
    """What people said of it, those words that hold or wait first; each can be taken back in one click."""
    if not found:
        return
    st.subheader("Split and merged", help="People's word on who belongs together. It outlasts every assessment.")
    for one in sorted(found, key=lambda g: (g.state not in ("live", "pending"), -g.grouping_id)):
        open_ = one.state in ("live", "pending")
        ended = f" Taken back {words.when(one.ended_at)} by {one.ended_by}." if one.ended_by else ""
        safe.show(
            safe.markup(
                '<div class="dw-decision {css}"><b>{what}</b> {sides}, {state}<p>{reason}</p>'
                '<div class="dw-small">By {by}, {at} UTC.{approved}{ended}</div></div>',
                css="" if open_ else "undone",
                what=WHAT[one.what],
                sides=" and ".join(words.quantity(n, "account") for n in one.sides),
                state=labels.APPROVAL_STATES[one.state],
                reason=one.reason,
                by=safe.line(one.issued_by),
                at=words.when(one.issued_at),
                approved=f" Approved by {one.approved_by}." if one.approved_by else "",
                ended=safe.line(ended),
            )
        )
        if open_ and session.may_decide():
            undo = st.button(
                "Take back", key=f"undo_grouping_{one.grouping_id:d}", type="tertiary", icon=":material/undo:"
            )
            if undo:
                with session.asking():
                    groupings.undo(session.client(), one.grouping_id)
                session.note("grouping_back")
                st.rerun()
