"""People who sign in through the identity provider."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from api.schemas.people import PersonOut, PersonRole
from dashboard import labels, safe, session, words
from dashboard.ask import settings

OPENED = "people_opened"
COLUMNS = {
    "person": safe.text_column("Person", width=320),
    "role": safe.text_column("Role", width=300),
    "seen_at": safe.text_column("Last sign-in (UTC)", width=150),
    "created_at": safe.text_column("Added (UTC)", width=150),
    "created_by": safe.text_column("Added by"),
}


def render() -> None:
    """Who may sign in, and as what."""
    st.subheader("People")
    with session.asking():
        provider = settings.sign_in_options().provider
        if not session.may_read_trail():
            st.caption("Leads, auditors and administrators see here who may sign in.")
            return
        found = settings.people(session.client())
    if provider is None:
        st.info(
            "No identity provider is set, so everybody signs in with a key. Set `DISTILLWATCH_OIDC_ISSUER` and "
            "`DISTILLWATCH_OIDC_CLIENT_ID` for the service, and the section `[auth]` in the dashboard's secrets.",
            icon=":material/info:",
        )
    if found:
        listing(found)
    else:
        st.caption("Nobody was added yet.")
    if session.is_admin():
        add()


def listing(found: list[PersonOut]) -> None:
    """All people; the chosen one can be removed."""
    chosen: list[PersonOut] = []
    safe.table(
        [as_row(person) for person in found],
        COLUMNS,
        key=f"people_{st.session_state.get(OPENED, 0):d}_{len(found):d}",
        on_open=(lambda index: chosen.append(found[index])) if session.is_admin() else None,
        max_pixels=420,
    )
    if not session.is_admin():
        return
    st.caption("Choose a person by their row to remove them. To change a role, add the person again with the new one.")
    for person in chosen:
        row = st.container(horizontal=True, vertical_alignment="center")
        with row:
            safe.text(person.person)
        if row.button("Remove and end their sessions", icon=":material/person_remove:"):
            with session.asking():
                settings.remove_person(session.client(), person.person)
            st.session_state[OPENED] = st.session_state.get(OPENED, 0) + 1
            session.note("removed")
            st.rerun()


def add() -> None:
    """Let a person in."""
    with st.form("add_person", border=True, clear_on_submit=True):
        row = st.columns([2, 2, 1], vertical_alignment="bottom")
        name = row[0].text_input(
            "Person", max_chars=200, placeholder="name@example.com", help="As the identity provider names them"
        )
        role = row[1].selectbox("Role", list(get_args(PersonRole)), format_func=labels.ROLES.__getitem__)
        if row[2].form_submit_button("Add person", type="primary", width="stretch"):
            with session.asking():
                settings.put_person(session.client(), name, role)
            session.note("person")
            st.rerun()


def as_row(person: PersonOut) -> dict[str, safe.Cell]:
    """One line of the table."""
    return {**person.model_dump(), "role": labels.ROLES[person.role], "seen_at": words.when(person.seen_at)}
