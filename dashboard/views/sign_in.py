"""Sign in with a key of the service."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.client import ApiError


def render() -> None:
    """Ask for a key and try it."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title("distillwatch")
        st.caption("Which accounts, and groups of accounts, harvest the model's answers to train another one, and why.")
        with st.form("sign_in", border=True):
            key = st.text_input(
                "Key",
                type="password",
                autocomplete="off",
                help="The service prints the first administrator's key once, at its first start.",
            )
            sent = st.form_submit_button("Sign in", type="primary")
        st.caption(
            "The key is kept for this browser session only, in the dashboard's memory. Reloading the page asks again."
        )
        if not sent:
            return
        if not key.strip():
            st.warning("Enter a key first.", icon=":material/info:")
            return
        try:
            with st.spinner("Asking the service …"):
                session.sign_in(key.strip())
        except ApiError as error:
            session.show_problem(error)
        else:
            st.rerun()
