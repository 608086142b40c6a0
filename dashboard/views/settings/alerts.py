"""Alert routes: webhooks, and what was delivered."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from api.schemas.webhooks import DeliveryOut, WebhookCreated, WebhookKind, WebhookOut, WebhookShape
from dashboard import labels, paging, safe, session, words
from dashboard.ask import settings

MADE = "made_webhook"  # with its secret, until it was shown once
CHOSEN = "chosen_webhook"
PAGE_SIZE = 50
COLUMNS = {
    "name": safe.text_column("Name", width=200),
    "state": safe.text_column("State", width=150),
    "shape": safe.text_column("Format", width=150),
    "kinds": safe.text_column("Sent for", width=330),
    "url": safe.text_column("Address"),
}
DELIVERIES = {
    "created_at": safe.text_column("Queued (UTC)", width=130),
    "kind": safe.text_column("Sent for", width=160),
    "state": safe.text_column("State", width=100),
    "attempts": safe.number_column("Attempts", width=80),
    "status": safe.text_column("Last answer", width=110),
    "milliseconds": safe.number_column("Took (ms)", width=85),
    "due_at": safe.text_column("Next attempt (UTC)", width=140),
    "error": safe.text_column("What went wrong"),
}


def render() -> None:
    """All webhooks, one chosen, and the form for a new one."""
    st.subheader("Alert routes")
    st.caption(
        "Where flags, decisions and changed verdicts are sent: signed, repeated until answered, each attempt logged."
    )
    if not session.may_read_trail():
        st.caption("Leads, auditors and administrators see the routes here.")
        return
    made: WebhookCreated | None = st.session_state.pop(MADE, None)
    if made:
        st.success("Copy the secret now, it is not shown again: the receiver checks the signatures with it.")
        safe.block(made.secret)
    with session.asking():
        found = settings.webhooks(session.client())
    if not found:
        st.info("No alert route yet. Slack, Alertmanager, a SIEM that reads OCSF, or any HTTP receiver can be one.")
    else:
        listing(found)
    if session.is_admin():
        add()


def listing(found: list[WebhookOut]) -> None:
    """All webhooks; a row opens one."""

    def choose(index: int) -> None:
        st.session_state[CHOSEN] = found[index].webhook_id

    safe.table(
        [as_row(hook) for hook in found], COLUMNS, key=f"webhooks_{len(found):d}", on_open=choose, max_pixels=300
    )
    chosen = next((hook for hook in found if hook.webhook_id == st.session_state.get(CHOSEN)), None)
    if chosen is None:
        st.caption("Choose a route by its row to see what was delivered.")
        return
    one(chosen)


def one(hook: WebhookOut) -> None:
    """One webhook: what can be done with it, and its deliveries."""
    with st.container(border=True):
        safe.text(f"{hook.name}: {hook.url}")
        if hook.disabled_at:
            safe.text(f"Disabled {words.when(hook.disabled_at)} UTC, {hook.disabled_reason}")
        if hook.previous_until:
            safe.text(f"The secret before signs too until {words.when(hook.previous_until)} UTC.")
        if session.is_admin():
            buttons(hook)
        log(hook)


def buttons(hook: WebhookOut) -> None:
    """What administrators do with a webhook."""
    row = st.container(horizontal=True)
    client = session.client()
    if row.button("Send a test", icon=":material/send:", type="primary"):
        with session.asking():
            settings.change_webhook(client, hook.webhook_id, "test")
        session.note("test")
        st.rerun()
    what = "enable" if hook.disabled_at else "disable"
    if row.button("Enable" if hook.disabled_at else "Disable", icon=":material/power_settings_new:"):
        with session.asking():
            settings.change_webhook(client, hook.webhook_id, what)
        session.note("webhook")
        st.rerun()
    if row.button("Rotate the secret", icon=":material/key:", help="For a day the one before signs too"):
        with session.asking():
            st.session_state[MADE] = settings.rotate_webhook(client, hook.webhook_id)
        st.rerun()
    sure = row.checkbox("Remove for good", key=f"sure_{paging.token(hook.webhook_id)}")
    if sure and row.button("Remove the route and its log", icon=":material/delete:"):
        with session.asking():
            settings.remove_webhook(client, hook.webhook_id)
        session.note("removed")
        st.rerun()


def log(hook: WebhookOut) -> None:
    """Deliveries, the newest first; one that ended can be sent again."""
    name = f"deliveries_{paging.token(hook.webhook_id)}"
    at = int(st.session_state.get(name + "_page", 0))
    with session.asking():
        page = settings.deliveries(session.client(), hook.webhook_id, PAGE_SIZE, at * PAGE_SIZE)
    if not page.items:
        st.caption("Nothing was sent yet.")
        return
    st.caption(f"{page.total:,d} in all.")
    paging.pager(name, -(-page.total // PAGE_SIZE))
    chosen: list[DeliveryOut] = []
    safe.table(
        [delivery_row(d) for d in page.items],
        DELIVERIES,
        key=f"{name}_{at:d}_{page.total:d}",
        on_open=lambda index: chosen.append(page.items[index]),
        max_pixels=360,
    )
    st.button("Look again", icon=":material/refresh:")
    for delivery in chosen:
        for attempt in delivery.attempts:
            said = attempt.error or f"HTTP {attempt.status}"
            safe.text(f"{words.when(attempt.at)} UTC, {attempt.milliseconds:,d} ms: {said}")
        if session.is_admin() and delivery.state != "pending" and st.button("Send again", icon=":material/replay:"):
            with session.asking():
                settings.deliver_again(session.client(), hook.webhook_id, delivery.delivery_id)
            session.note("again")
            st.rerun()


def add() -> None:
    """Make a webhook."""
    with st.form("add_webhook", border=True):
        first = st.columns([1, 2, 1], vertical_alignment="bottom")
        name = first[0].text_input("Name of a new route", max_chars=200)
        url = first[1].text_input("Address", max_chars=2000, placeholder="https://…")
        shape = first[2].selectbox(
            "Format", list(get_args(WebhookShape)), format_func=labels.WEBHOOK_SHAPES.__getitem__
        )
        second = st.columns([4, 1], vertical_alignment="bottom")
        kinds = second[0].multiselect(
            "Sent for",
            list(get_args(WebhookKind)),
            ["account.flagged", "campaign.flagged"],
            format_func=labels.WEBHOOK_KINDS.__getitem__,
        )
        if second[1].form_submit_button("Add route", type="primary", width="stretch"):
            with session.asking():
                st.session_state[MADE] = settings.make_webhook(session.client(), name, url, shape, kinds)
            st.rerun()


def as_row(hook: WebhookOut) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {
        "name": hook.name,
        "state": "disabled" if hook.disabled_at else "active",
        "shape": labels.WEBHOOK_SHAPES[hook.shape],
        "kinds": ", ".join(labels.WEBHOOK_KINDS[kind] for kind in hook.kinds),
        "url": hook.url,
    }


def delivery_row(delivery: DeliveryOut) -> dict[str, safe.Cell]:
    """One line of the log."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return {
        **delivery.model_dump(include={"created_at", "kind", "state"}),
        "attempts": len(delivery.attempts),
        "status": f"HTTP {last.status}" if last and last.status else words.NOTHING,
        "milliseconds": last.milliseconds if last else None,
        "due_at": words.when(delivery.due_at),
        "error": last.error if last else None,
    }
