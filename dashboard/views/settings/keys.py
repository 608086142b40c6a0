"""Keys: make one, revoke one."""

from __future__ import annotations

import streamlit as st

from api.schemas.base import Role
from api.schemas.keys import KeyCreated, KeyOut
from dashboard import labels, safe, session, words

MADE = "made_key"  # a new key with its secret, until it was shown once
CHOSEN = "chosen_key"

COLUMNS = {
    "name": safe.text_column("Name", width=240),
    "role": safe.text_column("Role", width=310),
    "key_id": safe.text_column("Key id", width=140),
    "created_at": safe.text_column("Created (UTC)", width=150),
    "revoked_at": safe.text_column("Revoked (UTC)", width=150),
}


def render() -> None:
    """The keys, for administrators."""
    st.subheader("Keys")
    if not session.is_admin():
        st.caption("Administrators see and manage the keys here.")
        return
    manage()


def manage() -> None:
    """All keys; make one, revoke one."""
    client = session.client()
    made: KeyCreated | None = st.session_state.pop(MADE, None)
    if made:
        st.success("The key is created. Copy it now: only its hash is stored, and it is not shown again.")
        safe.block(made.key)
    with session.asking():
        keys = client.all_keys()

    def choose(index: int) -> None:
        st.session_state[CHOSEN] = keys[index].key_id

    st.caption("Choose a key by its row to revoke it.")
    st.session_state[CHOSEN] = None
    safe.table([as_row(key) for key in keys], COLUMNS, key=f"keys_{len(keys):d}", on_open=choose, max_pixels=420)
    for key in keys:
        if key.key_id == st.session_state[CHOSEN] and key.revoked_at is None:
            revoke(key)
    with st.form("make_key", border=True, clear_on_submit=True):
        row = st.columns([2, 2, 1], vertical_alignment="bottom")
        name = row[0].text_input("Name of a new key", max_chars=200, placeholder="Whose or what for")
        role: Role = row[1].selectbox("Role", list(labels.ROLES), format_func=labels.ROLES.__getitem__)
        if row[2].form_submit_button("Create key", type="primary", width="stretch"):
            with session.asking():
                st.session_state[MADE] = client.make_key(name.strip(), role)
            st.rerun()


def revoke(key: KeyOut) -> None:
    """Ask once more, then revoke."""
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        safe.text(f"{key.name} ({key.role}, {key.key_id})")
    if row.button("Revoke this key", icon=":material/block:"):
        with session.asking():
            session.client().revoke_key(key.key_id)
        st.rerun()


def as_row(key: KeyOut) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {**key.model_dump(), "role": labels.ROLES[key.role], "revoked_at": words.when(key.revoked_at)}
