"""Settings: who is signed in, and for administrators the keys of the service."""

from __future__ import annotations

import streamlit as st

from api.schemas import KeyOut
from dashboard import safe, session, words

COLUMNS = {
    "name": safe.text_column("Name", width=240),
    "role": safe.text_column("Role", width=120),
    "key_id": safe.text_column("Key id", width=220),
    "created_at": safe.text_column("Created (UTC)", width=150),
    "revoked_at": safe.text_column("Revoked (UTC)", width=150),
}


def render() -> None:
    """The signed-in person, then the keys."""
    st.title("Settings")
    me = session.me()
    st.subheader("Signed in")
    safe.show(
        safe.markup(
            '<div class="dw-facts"><div><span class="dw-small">Name</span><br>{name}</div>'
            '<div><span class="dw-small">Role</span><br>{role}</div>'
            '<div><span class="dw-small">Key id</span><br>{key}</div></div>',
            name=safe.line(me.name),
            role=words.ROLES[me.role],
            key=me.key_id,
        )
    )
    if st.button("Sign out", icon=":material/logout:"):
        session.sign_out()
        st.rerun()
    st.subheader("Keys")
    if me.role != "admin":
        st.caption("Administrators see and manage the keys here.")
        return
    with session.asking():
        keys = session.client().keys()
    st.caption(
        "Only hashes of keys are stored. Make and revoke keys with `distillwatch keys` on the service's machine."
    )
    safe.table([as_row(key) for key in keys], COLUMNS, key="keys")


def as_row(key: KeyOut) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {**key.model_dump(), "revoked_at": words.when(key.revoked_at)}
