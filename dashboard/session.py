"""Who is signed in, for how long the browser's session lasts; and failures of the service in clear words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import streamlit as st

from api.schemas.decisions import DecisionOut
from api.schemas.keys import Me
from dashboard import safe
from dashboard.ask import settings
from dashboard.client import ApiError, Broken, Client, Forbidden, KeyRefused, Missing, Refused, Unreachable
from dashboard.labels import DECIDED

KEY = "api_key"  # of st.session_state: lives in the server's memory for this session only, never in a cookie or URL
ME = "me"
FLASH = "flash"
BEFORE = "decision_before"  # the decision from which the page went on by itself
WAITING = " What gateways are to do waits for a second person, under Approvals."
NOTE = "note"
NOTES = {
    "retention": "Recorded. The worker deletes what is older within seconds, and from then on every hour.",
    "content": "Recorded. New events follow at once; what is stored already follows within minutes.",
    "person": "Recorded.",
    "removed": "Removed.",
    "test": "A test message is queued; the delivery log tells what became of it.",
    "again": "Queued once more.",
    "webhook": "Recorded.",
    "saved": "Saved.",
    "job": "The worker starts it as soon as it is free.",
    "grouping": "Recorded. The campaign is put together anew with the next assessment, within a minute.",
    "grouping_waits": "Recorded. It waits for a second person, under Approvals.",
    "grouping_back": "Taken back. The campaign is put together anew with the next assessment, within a minute.",
    "switch": "Switched. Gateways are told within seconds.",
    "signal": "Recorded. It holds from the next assessment on, within a minute.",
}

READERS = frozenset({"auditor", "gateway"})
"""Roles that decide nothing: their form is left out, since the service would refuse it. Permits nothing by itself."""

LEADS = frozenset({"lead", "admin"})
"""Roles that are offered approvals; the service refuses them to others anyway."""

TRAIL_READERS = frozenset({"lead", "admin", "auditor"})
"""Roles that see the audit trail in the menu; the service refuses it to others anyway."""

PROBLEMS: dict[type[ApiError], str] = {
    Unreachable: "The service does not answer. Does `distillwatch api` run, and does `DISTILLWATCH_API_URL` name it?",
    KeyRefused: "The service does not accept this key: it is wrong, expired or revoked. Ask for a new one.",
    Forbidden: "Your role may not do this. Ask an administrator if you need it.",
    Missing: "There is no such record: it was merged or deleted, or the address is mistyped.",
    Refused: "The service did not accept this.",
    Broken: "The service failed to answer properly. Try again; if it stays, look at its log and compare the versions.",
}


def signed_in() -> bool:
    """Whether this session has a key that the service accepted."""
    return KEY in st.session_state and ME in st.session_state


def sign_in(key: str) -> None:
    """Ask the service whose key this is and keep both for the session."""
    me = Client(key).me()
    st.session_state[KEY], st.session_state[ME] = key, me


def sign_in_by_provider() -> None:
    """Exchange what the identity provider said for a session of the service, and keep it."""
    sign_in(settings.open_session(str(st.user.tokens["id"])).key)


def provider_is_set() -> bool:
    """Whether this dashboard has an identity provider: the section [auth] of Streamlit's secrets."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def known_to_provider() -> bool:
    """Whether the browser's session came back from an identity provider."""
    return bool(st.user.get("is_logged_in", False))


def sign_out() -> None:
    """End the session with the service and with the provider, and forget everything seen with it."""
    if signed_in():
        with suppress(ApiError):  # it ends by itself
            settings.close_session(client())
    st.session_state.clear()
    if known_to_provider():
        st.logout()
        st.stop()  # a rerun would drop the order to go to the provider, and sign the person in again


def is_admin() -> bool:
    """Whether to offer what administrators change; whether it is done is the service's business."""
    return me().role == "admin"


def client() -> Client:
    """The service, as the signed-in person."""
    return Client(st.session_state[KEY])


def me() -> Me:
    """The signed-in person."""
    person: Me = st.session_state[ME]
    return person


def may_decide() -> bool:
    """Whether to offer the decision form; whether a decision is accepted is the service's business."""
    return me().role not in READERS


def may_approve() -> bool:
    """Whether to offer approvals and the switch; whether they are accepted is the service's business."""
    return me().role in LEADS


def may_read_trail() -> bool:
    """Whether to show the audit trail in the menu."""
    return signed_in() and me().role in TRAIL_READERS


@contextmanager
def asking() -> Iterator[None]:
    """Show that the service is being asked; show a failure in plain words and end the page there."""
    try:
        with st.spinner("Asking the service …"):
            yield
    except ApiError as error:
        show_problem(error)
        st.stop()


def show_problem(error: ApiError) -> None:
    """One failure: what it means and what to do, then the service's own words."""
    st.error(PROBLEMS[type(error)], icon=":material/error:")
    if error.detail:
        safe.show(safe.markup('<div class="dw-small">The service says: {text}</div>', text=error.detail))
    if isinstance(error, KeyRefused) and signed_in() and st.button("Sign in again"):
        sign_out()
        st.rerun()


def note(what: str) -> None:
    """Remember what was done, in fixed words, to be told after the page ran again."""
    st.session_state[NOTE] = what


def noted() -> None:
    """Tell what was done last, once."""
    if what := st.session_state.pop(NOTE, None):
        st.success(NOTES[what], icon=":material/check:")


def announce(record: str, decision: DecisionOut) -> None:
    """Remember the decision just made on a record."""
    st.session_state[FLASH] = record, decision


def forget_announcement() -> None:
    """The decision just made was taken back."""
    st.session_state.pop(FLASH, None)


def announcement(record: str) -> DecisionOut | None:
    """Confirm a decision just made on this record, until another is opened; the decision, if there was one."""
    made: tuple[str, DecisionOut] | None = st.session_state.get(FLASH)
    if made is None or made[0] != record:
        forget_announcement()
        return None
    waits = any(a.state == "pending" for a in made[1].actions)
    st.success(
        DECIDED[made[1].decision]
        + ". The decision and its reason are in the audit trail."
        + (WAITING if waits else ""),
        icon=":material/check:",
    )
    return made[1]


def is_mine(actor: str) -> bool:
    """Whether the service names the signed-in person so."""
    return actor.endswith(f"({me().key_id})")
