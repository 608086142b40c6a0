"""Sign in with a key of the service."""

from __future__ import annotations

import streamlit as st

from dashboard import safe, session
from dashboard.client import ApiError, Forbidden, KeyRefused

NOT_LET_IN = "You are known to your organisation, but the service does not let you in."


def render() -> None:
    """Ask for a key and try it."""
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.title("distillwatch")
        st.caption("Which accounts, and groups of accounts, harvest the model's answers to train another one, and why.")
        by_provider()
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


def by_provider() -> None:
    """The way through an identity provider, where this dashboard has one."""
    if session.known_to_provider():
        try:
            with st.spinner("Asking the service …"):
                session.sign_in_by_provider()
        except ApiError as error:
            if isinstance(error, Forbidden | KeyRefused):
                st.error(NOT_LET_IN, icon=":material/error:")
                safe.text(error.detail)
            else:
                session.show_problem(error)
            if st.button("Sign in as somebody else", icon=":material/switch_account:"):
                st.logout()
        else:
            st.rerun()
    elif session.provider_is_set():
        if st.button(
            "Sign in with your organisation's account", type="primary", icon=":material/login:", width="stretch"
        ):
            st.login()
        st.caption("Or with a key:")
