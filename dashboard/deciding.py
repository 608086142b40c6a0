"""Decisions: those so far with their undoing, and the form for the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st
from markupsafe import Markup

from api.schemas.base import Subject
from api.schemas.decisions import DecisionOut
from dashboard import labels, safe, session, verdict, words
from dashboard.client import ApiError
from dashboard.paging import token

MIN_REASON, MAX_REASON = 3, 4000  # characters, as the service asks (api.schemas.decisions.DecisionIn)
DAYS, MAX_DAYS = 14, 90  # of an action, unless the analyst says otherwise, and at most
READ_ONLY = "Your role reads and does not decide."
GRAVE = {
    "account": "Blocks wait for a second person.",
    "campaign": "Actions on all members wait for a second person. Each member keeps its own verdict.",
}

Send = Callable[[int, str, dict[str, Any]], DecisionOut]
"""Sends a verdict_id, a reason, and what else DecisionIn takes."""


def history(decisions: Sequence[DecisionOut]) -> None:
    """Who decided what, when and why, newest first; the last one can be undone."""
    st.subheader("Decisions so far")
    if not decisions:
        st.caption("Nobody has decided yet.")
        return
    ordered = sorted(decisions, key=lambda d: d.decision_id, reverse=True)
    standing = next((d.decision_id for d in ordered if d.undone_at is None), None)
    for decision in ordered:
        safe.show(_card(decision))
        row = st.container(horizontal=True)
        if row.button(
            "Evidence then", key=f"then_{decision.decision_id:d}", type="tertiary", icon=":material/history:"
        ):
            then(decision.decision_id)
        if decision.decision_id == standing and session.may_decide():
            undo_button(row, decision.decision_id, "history")


def _card(decision: DecisionOut) -> Markup:
    notes = [
        ("Look again at", words.when(decision.review_at) if decision.review_at else ""),
        ("Appeal", decision.appeal_note or ""),
        *(("Gateways", _action(a.action, a.expires_at, labels.APPROVAL_STATES[a.state])) for a in decision.actions),
        ("Undone", f"{words.when(decision.undone_at)} UTC by {decision.undone_by}" if decision.undone_at else ""),
    ]
    shown = [
        safe.markup('<div class="dw-small">{label}: {note}</div>', label=label, note=note)
        for label, note in notes
        if note
    ]
    return safe.markup(
        '<div class="dw-decision {css}"><b>{what}</b> by {actor}, {when} UTC, {confidence} confidence'
        "<p>{reason}</p>{notes}</div>",
        css="undone" if decision.undone_at else "",
        what=labels.JUDGEMENTS.get(decision.verdict_id, labels.DECIDED[decision.decision]),
        actor=safe.line(decision.actor),
        when=words.when(decision.at),
        confidence=labels.CONFIDENCES[decision.confidence].lower(),
        reason=decision.reason,
        notes=safe.join(shown),
    )


def _action(action: str, until: datetime, state: str) -> str:
    return f"{labels.MEASURES.get(action, labels.MEASURES['none'])} until {words.when(until)} UTC, {state}"


def undo_button(place: Any, decision_id: int, where: str) -> None:
    """Take a decision back in one click; ``where`` on the page the button is."""
    if place.button("Undo", key=f"undo_{where}_{decision_id:d}", icon=":material/undo:", type="tertiary"):
        with session.asking():
            session.client().undo(decision_id)
        session.forget_announcement()
        st.session_state.pop(session.BEFORE, None)
        st.rerun()


@st.dialog("Evidence at the decision", width="large")
def then(decision_id: int) -> None:
    """What the decision was made on."""
    with session.asking():
        kept = session.client().snapshot(decision_id)
    safe.show(
        safe.markup(
            '<div class="dw-facts"><div><span class="dw-small">Verdict</span><br>{verdict}</div>'
            '<div><span class="dw-small">Risk</span><br>{risk}</div>'
            '<div><span class="dw-small">Requests</span><br>{requests}</div>'
            '<div><span class="dw-small">Output tokens</span><br>{tokens}</div>'
            '<div><span class="dw-small">Last seen (UTC)</span><br>{seen}</div></div>',
            verdict=labels.VERDICTS[kept.verdict],
            risk=words.percent(kept.risk),
            requests=words.count(kept.requests),
            tokens=words.count(kept.output_tokens),
            seen=words.when(kept.last_seen),
        )
    )
    verdict.reasons(kept.evidence)


def decide(send: Send, kind: Subject, record: str, decided: int) -> None:
    """The form for the next decision after ``decided`` ones. The service checks role and reason, and records it."""
    st.subheader("Decide")
    if not session.may_decide():
        st.caption(READ_ONLY)
        return
    key = f"{token(record)}_{decided}"  # what was typed stays with its record, and goes once it is recorded
    with st.form(f"decide_{key}", border=True):
        judged: int | None = st.radio(
            "Verdict",
            list(labels.JUDGEMENTS),
            format_func=labels.JUDGEMENTS.__getitem__,
            index=None,
            key=f"verdict_{key}",
        )
        reason = st.text_area(
            "Reason (required)",
            height=90,
            max_chars=MAX_REASON,
            placeholder="What you saw, and what decided it",
            key=f"reason_{key}",
        )
        more = _details(key)
        more["actions"] = _actions(key, kind)
        sent = st.form_submit_button("Record decision", type="primary", shortcut="Ctrl+Enter")
    if not sent:
        return
    if judged is None:
        st.warning("Choose a verdict first.", icon=":material/info:")
    elif len(reason.strip()) < MIN_REASON:
        st.warning("Write a reason: a decision without one cannot be reviewed.", icon=":material/info:")
    else:
        try:
            made = send(judged, reason.strip(), more)
        except ApiError as error:
            session.show_problem(error)
        else:
            session.announce(record, made)
            st.rerun()


def _details(key: str) -> dict[str, Any]:
    """Confidence, next review, appeal note."""
    left, right = st.columns(2)
    confidence = left.selectbox(
        "Confidence", list(labels.CONFIDENCES), format_func=labels.CONFIDENCES.__getitem__, key=f"confidence_{key}"
    )
    review: date | None = right.date_input("Look again on", value=None, key=f"review_{key}", format=words.DATE)
    note = ""
    with st.expander("Appeal"):
        note = st.text_area(
            "Appeal note",
            height=70,
            max_chars=MAX_REASON,
            placeholder="What the owner said, or may be told",
            key=f"appeal_{key}",
        )
    review_at = datetime.combine(review, time(9), UTC) if review else None
    return {"confidence": confidence, "review_at": review_at, "appeal_note": note.strip() or None}


def _actions(key: str, kind: Subject) -> list[dict[str, Any]]:
    """What gateways are to do, until when, and for which requests."""
    left, right = st.columns([1.7, 1])
    action = left.selectbox(
        "Gateways",
        list(labels.MEASURES),
        format_func=labels.MEASURES.__getitem__,
        key=f"action_{key}",
        help=GRAVE[kind],
    )
    days = right.number_input("for days", min_value=1, max_value=MAX_DAYS, value=DAYS, key=f"days_{key}")
    with st.expander("Only for some requests"):
        capability = st.selectbox(
            "Requests", list(labels.CAPABILITIES), format_func=labels.CAPABILITIES.__getitem__, key=f"capability_{key}"
        )
        model = st.text_input("Model", key=f"model_{key}", placeholder="All; a trailing * stands for any ending")
        api_key = st.text_input("API key id", key=f"api_key_{key}", placeholder="All keys of the account")
    if action == "none":
        return []
    scope = {
        "capability": None if capability == "any" else capability,
        "model": model.strip() or None,
        "api_key_id": api_key.strip() or None,
    }
    return [{"action": action, "expires_at": datetime.now(UTC) + timedelta(days=days), **scope}]
