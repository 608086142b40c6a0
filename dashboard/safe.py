"""The one way for text that a suspect may have written onto the page.

Account ids, prompts, user agents, template words and reasons come from the people under suspicion. Streamlit renders
most text as markdown, so such text never meets it: it goes through here, as plain text, as a table's text cell, or
escaped inside a fixed frame of HTML. A test on the syntax tree of all other modules forbids every other way.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st
from markupsafe import Markup

from dashboard import words
from dashboard.charts import Layers

MAX_CHARS = 6_000  # of one text on the page; a prompt of a megabyte would stall the browser
MAX_LINE_CHARS = 300  # of a text in a table cell or a line
TABLE_ROW_PIXELS = 35
TABLE_MAX_PIXELS = 640
GRAPH_PIXELS = 460
LED = "rows_led"  # of st.session_state: how many rows were followed to another page

FORMULA = ("=", "+", "-", "@", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}", "\N{FULLWIDTH COMMERCIAL AT}")
"""Beginnings that make spreadsheets read a cell as a formula."""

_STYLE = Path(__file__).with_name("style.css")
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
_SLOT = re.compile(r"(\{…\})")

Cell = str | int | float | datetime | None


def clean(text: str, limit: int = MAX_CHARS) -> str:
    """Text whose invisible and direction-changing characters are shown as codes, cut to ``limit`` characters."""
    shown = text[:limit]
    if not shown.isprintable():  # most texts are, which is told many times as fast as character by character
        shown = "".join(c if c in "\n\t" or unicodedata.category(c) not in _HIDDEN else _code(c) for c in shown)
    if len(text) > limit:
        shown += f"\n… {len(text) - limit:,} more characters"
    return shown


def _code(character: str) -> str:
    # The joiner of emoji and of Indic scripts is honest use; carriage returns come from Windows.
    if character in "\u200d\r":
        return character
    return f"⟨U+{ord(character):04X}⟩"


def line(text: str, limit: int = MAX_LINE_CHARS) -> str:
    """Text on one line, for a table cell or a heading."""
    flat = " ".join(text[: limit * 10].split())
    shown = clean(flat, limit + 1)[: limit + 1]
    return shown if len(shown) <= limit else shown[:limit] + "…"


def text(value: str) -> None:
    """Show one plain line or paragraph."""
    st.text(clean(value))


def block(value: str, height: int | None = None) -> None:
    """Show a long text as it is, in fixed-width letters, wrapped, scrolling beyond ``height`` pixels."""
    tall = height is not None and (len(value) > height * 4 or value.count("\n") > height // 24)
    st.code(clean(value), language=None, wrap_lines=True, height=height if tall and height else "content")


def markup(frame: str, **values: Cell | Markup) -> Markup:
    """Fill a fixed frame of HTML; every value that is not itself markup is cleaned and escaped.

    Braces stand in the text of elements; inside (quoted) attributes only for numbers and our own enumerations.
    """
    return Markup(frame).format(
        **{name: clean(v) if isinstance(v, str) and not isinstance(v, Markup) else v for name, v in values.items()}
    )


def join(parts: Sequence[Markup]) -> Markup:
    """Markup after markup."""
    return Markup("").join(parts)


def show(html: Markup) -> None:
    """Put markup on the page. Anything but :func:`markup`'s result is refused."""
    if not isinstance(html, Markup):
        raise TypeError("only safe.markup(...) may be shown as HTML")
    st.html(str(html))


def style() -> None:
    """The few rules of CSS behind the frames of HTML."""
    st.html(_STYLE)


def template(words_and_slots: str) -> Markup:
    """A template's constant words with its slots marked."""
    parts = [
        markup('<mark class="dw-slot">{slot}</mark>', slot=part)
        if _SLOT.fullmatch(part)
        else markup("{words}", words=part)
        for part in _SLOT.split(clean(words_and_slots))
    ]
    return markup('<div class="dw-template">{parts}</div>', parts=join(parts))


def text_column(label: str, width: Any = None, help: str | None = None) -> Any:
    """A column of plain text."""
    return st.column_config.TextColumn(label, width=width, help=help)


def number_column(label: str, width: Any = None, format: str = "localized", help: str | None = None) -> Any:
    """A column of numbers, right-aligned, with thousands separators."""
    return st.column_config.NumberColumn(label, width=width, format=format, help=help)


def money_column(label: str, width: Any = None, help: str | None = None) -> Any:
    """A column of estimated amounts."""
    return st.column_config.NumberColumn(label, width=width, format="%.2f", help=help)


def in_currency(column: Any, currency: str) -> Any:
    """A column of amounts with the currency in its heading."""
    return {**column, "label": line(f"{column['label']} ({currency})", 40)}


def share_column(label: str, width: Any = None, help: str | None = None) -> Any:
    """A column of percentages 0..100 as bars."""
    return st.column_config.ProgressColumn(
        label, width=width, min_value=0.0, max_value=100.0, format="%.1f %%", help=help
    )


def table(
    rows: Sequence[Mapping[str, Cell]],
    columns: Mapping[str, Any],
    *,
    key: str,
    on_open: Callable[[int], None] | None = None,
    leads_to: Callable[[int], None] | None = None,
    on_choose: Callable[[list[int]], None] | None = None,
    max_pixels: int = TABLE_MAX_PIXELS,
) -> None:
    """Show rows as a table of plain cells. With ``on_open``, a click in a row opens it by its index, beside the table; with
    ``leads_to`` on another page, and no row is chosen on return; with ``on_choose`` rows can be ticked, and it gets their indices."""
    frame = pd.DataFrame([{name: _cell(row.get(name)) for name in columns} for row in rows], columns=list(columns))
    height = min(max_pixels, (len(rows) + 1) * TABLE_ROW_PIXELS + 3)
    shared: dict[str, Any] = {
        "hide_index": True,
        "column_config": dict(columns),
        "height": height,
        "row_height": TABLE_ROW_PIXELS,
    }
    if on_choose is not None:
        ticked = st.dataframe(frame, key=key, on_select="rerun", selection_mode="multi-row", **shared)
        on_choose([row for row in ticked["selection"].get("rows", []) if row < len(rows)])
        return
    if leads_to is not None:
        on_open, key = partial(_lead, leads_to), f"{key}_{st.session_state.get(LED, 0):d}"
    if on_open is None:
        st.dataframe(frame, key=key, **shared)
        return
    event = st.dataframe(frame, key=key, on_select="rerun", selection_mode=["single-row", "single-cell"], **shared)
    selection = event["selection"]
    chosen = [*selection.get("rows", []), *(row for row, _ in selection.get("cells", []))]
    if chosen and chosen[0] < len(rows):
        on_open(chosen[0])


def _lead(to: Callable[[int], None], index: int) -> None:
    """Leave the page for what a row leads to; the tables that lead elsewhere get new keys."""
    st.session_state[LED] = st.session_state.get(LED, 0) + 1
    to(index)


def _cell(value: Cell) -> Cell:
    if isinstance(value, str):
        return line(value)
    if isinstance(value, datetime):
        return words.when(value)
    if value is None:
        return ""
    if isinstance(value, int | float):
        return value
    raise TypeError(f"a table cell holds text, numbers or times, not {type(value).__name__}")


def graph(option: Mapping[str, Any], description: str, key: str) -> None:
    """Show an ECharts graph. Its labels are numbers and our own words: who a number is says the table beside it."""
    st.echarts_chart(dict(option), height=GRAPH_PIXELS, key=key, alt=description)


def choose(label: str, values: Sequence[str], key: str, placeholder: str | None = None) -> str | None:
    """A choice among texts of others, such as names of files: shown as plain text by a select box, which renders no markdown.

    With a ``placeholder`` nothing is chosen at first.
    """
    shown = [line(value) for value in values]
    first = 0 if placeholder is None else None
    index = st.selectbox(
        label, range(len(values)), index=first, format_func=shown.__getitem__, key=key, placeholder=placeholder
    )
    return None if index is None else values[index]


def choose_named(label: str, names: Mapping[str, str], key: str, on_change: Callable[[], None]) -> str | None:
    """A choice among records by their names, which others wrote; nothing is chosen at first."""
    shown = {record: line(name) for record, name in names.items()}
    return st.selectbox(
        label,
        list(shown),
        index=None,
        format_func=shown.__getitem__,
        key=key,
        on_change=on_change,
        placeholder="None chosen",
    )


def download(label: str, load: Callable[[], bytes], name: str, key: str) -> None:
    """A button that fetches a file when it is clicked, under a fixed name, as a download that no browser opens by itself."""
    st.download_button(
        label,
        load,
        file_name=name,
        mime="application/octet-stream",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def sheet(rows: Sequence[Mapping[str, Cell]]) -> bytes:
    """Rows as CSV for a spreadsheet, under the names of the API; no cell of text can begin a formula there."""
    out = io.StringIO()
    names = list(rows[0]) if rows else []
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([names, *([_inert(row.get(name)) for name in names] for row in rows)])
    return out.getvalue().encode(
        "utf-8-sig", "replace"
    )  # with its mark: else some spreadsheets take it for another encoding


def _inert(value: Cell) -> Cell:
    """A cell that a spreadsheet shows as it is: before what begins a formula stands an apostrophe, as OWASP advises."""
    if not isinstance(value, str):
        return _cell(value)
    flat = clean(" ".join(value.split()))
    return f"'{flat}" if flat.startswith(FORMULA) else flat


def chart(figure: Layers, description: str) -> None:
    """Show an Altair chart. Its titles and field names are ours; data reach the page as data."""
    st.altair_chart(figure, width="stretch", alt=description)
