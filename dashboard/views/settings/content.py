"""What is kept of the texts of each account."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from api.schemas.privacy import ContentMode, ContentOut
from dashboard import labels, safe, session, words
from dashboard.ask import settings

OPENED = "content_opened"
COLUMNS = {
    "account_id": safe.text_column("Account", width=220),
    "mode": safe.text_column("Kept", width=160),
    "state": safe.text_column("Stored events", width=190),
    "actor": safe.text_column("By", width=180),
    "at": safe.text_column("At (UTC)", width=130),
    "reason": safe.text_column("Reason"),
}


def render() -> None:
    """The default, the accounts that differ, and the form to change one."""
    st.subheader("Texts kept")
    st.caption(
        "Held to when events arrive: what is not kept never reaches the database. The detector reads the text in memory "
        "before, so every account is judged alike; the analyst sees less."
    )
    with session.asking():
        told = settings.content(session.client())
    st.metric("Kept of all other accounts", labels.CONTENT_MODES[told.default], help="DISTILLWATCH_CONTENT")
    if told.items:
        listing(told.items)
    else:
        st.caption("No account has a mode of its own.")
    if session.is_admin():
        change()


def listing(found: list[ContentOut]) -> None:
    """Accounts with a mode of their own; the chosen one can follow the default again."""
    chosen: list[ContentOut] = []
    safe.table(
        [as_row(account) for account in found],
        COLUMNS,
        key=f"content_{st.session_state.get(OPENED, 0):d}_{len(found):d}",
        on_open=(lambda index: chosen.append(found[index])) if session.is_admin() else None,
        max_pixels=420,
    )
    if not session.is_admin():
        return
    st.caption("Choose an account by its row to let it follow the default again.")
    for account in chosen:
        row = st.container(horizontal=True, vertical_alignment="center")
        with row:
            safe.text(account.account_id)
        if row.button("Follow the default", icon=":material/undo:"):
            with session.asking():
                settings.unset_content(session.client(), account.account_id)
            st.session_state[OPENED] = st.session_state.get(OPENED, 0) + 1
            session.note("content")
            st.rerun()


def change() -> None:
    """Set the mode of an account."""
    with st.form("content", border=True, clear_on_submit=True):
        row = st.columns([2, 2, 3, 1], vertical_alignment="bottom")
        account = row[0].text_input("Account", max_chars=256)
        mode = row[1].selectbox("Kept", list(get_args(ContentMode)), format_func=labels.CONTENT_MODES.__getitem__)
        reason = row[2].text_input("Reason", max_chars=4000, placeholder="Which contract or request asks for it")
        sent = row[3].form_submit_button("Set", type="primary", width="stretch")
    if not sent:
        return
    if not account.strip():
        st.warning("Name the account.", icon=":material/info:")
        return
    with session.asking():
        settings.set_content(session.client(), account.strip(), mode, reason)
    session.note("content")
    st.rerun()


def as_row(account: ContentOut) -> dict[str, safe.Cell]:
    """One line of the table."""
    state = f"follow since {words.when(account.swept_at)}" if account.swept_at else "are being brought to it"
    return {**account.model_dump(exclude={"swept_at"}), "mode": labels.CONTENT_MODES[account.mode], "state": state}
