"""Settings: who is signed in, and a section for each topic."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import enforcing, labels, safe, session
from dashboard.views.settings import alerts, content, keys, people, retention

SECTION = "section"  # of the address
SECTIONS = {
    "keys": "Keys",
    "people": "People",
    "retention": "Retention",
    "texts": "Texts kept",
    "alerts": "Alert routes",
    "enforcement": "Enforcement",
}
RENDER: dict[str, Callable[[], None]] = {
    "keys": keys.render,
    "people": people.render,
    "retention": retention.render,
    "texts": content.render,
    "alerts": alerts.render,
    "enforcement": enforcing.render,
}


def render() -> None:
    """The signed-in person, then the chosen section."""
    st.title("Settings")
    me = session.me()
    facts, way_out = st.columns([5, 1], vertical_alignment="center")
    with facts:
        safe.show(
            safe.markup(
                '<div class="dw-facts"><div><span class="dw-small">Signed in as</span><br>{name}</div>'
                '<div><span class="dw-small">Role</span><br>{role}</div>'
                '<div><span class="dw-small">Key id</span><br>{key}</div></div>',
                name=safe.line(me.name),
                role=labels.ROLES[me.role],
                key=me.key_id,
            )
        )
    if way_out.button("Sign out", icon=":material/logout:", width="stretch"):
        session.sign_out()
        st.rerun()
    asked = st.query_params.get(SECTION, "")
    if SECTION not in st.session_state:
        st.session_state[SECTION] = asked if asked in SECTIONS else "keys"
    chosen = st.segmented_control(
        "Section",
        list(SECTIONS),
        format_func=SECTIONS.__getitem__,
        key=SECTION,
        label_visibility="collapsed",
        required=True,
    )
    chosen = chosen or "keys"
    if chosen != asked:
        st.query_params[SECTION] = chosen
    session.noted()
    RENDER[chosen]()
