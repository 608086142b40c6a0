"""Driving the dashboard's pages without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard import session
from tests.dashboard.conftest import Path, Role, Service

CONSOLE = Path(__file__).parents[2] / "dashboard" / "console.py"
RUN_SECONDS = 30


def console() -> AppTest:
    """The dashboard before sign-in."""
    return AppTest.from_file(str(CONSOLE), default_timeout=RUN_SECONDS)


def sign_in(app: AppTest, key: str) -> AppTest:
    """Type a key and send it."""
    app.text_input[0].set_value(key)
    return app.button[0].click().run()


def page(service: Service, role: Role, name: str, unfolded: str = "", **query: str) -> AppTest:
    """A page, opened by someone who signed in with a key of this role; ``unfolded``: a part of it that is drawn once it is opened."""
    app = console()
    if unfolded:
        app.session_state[unfolded] = True
    app.session_state[session.KEY] = service.keys[role]
    app.session_state[session.ME] = service.client(role).me()
    return turn_to(app, name, **query)


def turn_to(app: AppTest, name: str, **query: str) -> AppTest:
    """Another page of the same session."""
    app.query_params.clear()
    for key, value in query.items():
        app.query_params[key] = value
    app._page_hash = calc_hash(name)  # AppTest.switch_page() knows pages in files only
    return app.run()


def all_text(app: AppTest) -> str:
    """What the page says in headings, notes, plain text and fixed frames."""
    said: list[Any] = [
        *app.title,
        *app.subheader,
        *app.caption,
        *app.text,
        *app.info,
        *app.error,
        *app.warning,
        *app.success,
    ]
    frames = [element.proto.body for element in app.get("html") if "<style>" not in element.proto.body]
    return "\n".join([*(str(element.value) for element in said), *frames])


def button(app: AppTest, label: str) -> Any:
    """The button of this label."""
    return next(b for b in app.button if b.label == label)


@contextmanager
def ticked(prefix: str, rows: list[int]) -> Iterator[None]:
    """Makes rows of a table chosen, which AppTest cannot do: the table is drawn, and says what a browser would of a click."""
    true = st.dataframe

    def drawn(*args: Any, key: str | None = None, **more: Any) -> Any:
        found = true(*args, key=key, **more)
        return {"selection": {"rows": rows, "cells": []}} if (key or "").startswith(prefix) else found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "dataframe", drawn)
        yield
