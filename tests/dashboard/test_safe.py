"""Text of a suspect comes out of safe.py as text."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from dashboard import safe
from tests.dashboard.hostile import hostile

SINK = "http://127.0.0.1:9"


class Tags(HTMLParser):
    """The tags and the text that a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(markup: str) -> Tags:
    """Parse markup as a browser would."""
    parser = Tags()
    parser.feed(str(markup))
    parser.close()
    return parser


@pytest.mark.parametrize("attack", hostile(SINK))
def test_markup_escapes_every_attack(attack: str) -> None:
    """A frame has its own tags and no other, whatever fills it."""
    page = seen(safe.markup("<p>{text}</p>", text=attack))
    assert page.tags == ["p"]
    assert page.text == safe.clean(attack)


@given(st.text(max_size=300))
def test_markup_escapes_any_text(text: str) -> None:
    """No text can add a tag or leave its quotes."""
    markup = safe.markup('<p title="{text}">{text}</p>', text=text)
    assert seen(markup).tags == ["p"]
    assert html.unescape(re.sub(r"^.*?>|</p>$", "", markup, flags=re.DOTALL)) == safe.clean(text)


@given(st.text(max_size=200))
def test_template_marks_slots_and_nothing_else(text: str) -> None:
    """A template's words stay words; only slots are marked."""
    page = seen(safe.template(text + "{…}"))
    assert page.tags[0] == "div"
    assert set(page.tags[1:]) == {"mark"}
    assert page.text == safe.clean(text + "{…}")


def test_frames_are_not_filled_twice() -> None:
    """Braces in a suspect's text are text, not places to fill."""
    assert safe.markup("<b>{a}{b}</b>", a="{b}", b="{a.__class__}") == "<b>{b}{a.__class__}</b>"


def test_only_markup_is_shown_as_html() -> None:
    """A plain string is refused where HTML is expected."""
    with pytest.raises(TypeError, match="markup"):
        safe.show("<b>x</b>")  # type: ignore[arg-type]


@given(st.text())
def test_clean_shows_what_is_invisible(text: str) -> None:
    """No control, direction-changing or zero-width character is left, save line breaks, tabs and emoji joiners."""
    left = {c for c in safe.clean(text) if safe.unicodedata.category(c) in safe._HIDDEN}
    assert left <= {"\n", "\t", "\r", "\u200d"}


def test_clean_names_hidden_characters_and_cuts() -> None:
    """A hidden character is shown as its code, and a long text says how much is missing."""
    assert safe.clean("a\u202eb\x00") == "a⟨U+202E⟩b⟨U+0000⟩"
    assert safe.clean("x" * 7_000).endswith("… 1,000 more characters")


def test_line_is_one_line() -> None:
    """A cell's text has no line breaks and a bounded length."""
    assert safe.line("a\n\n b\t c") == "a b c"
    assert safe.line("y" * 1_000) == "y" * 300 + "…"


def test_join_escapes_what_is_not_markup() -> None:
    """A string among markup is escaped."""
    assert safe.join([Markup("<b>"), "<i>"]) == "<b>&lt;i&gt;"  # type: ignore[list-item]


def test_cells_hold_plain_values_only() -> None:
    """Lists and objects, which tables render by other rules, are refused."""
    assert safe._cell(datetime(2026, 9, 7, 10, 15, tzinfo=UTC)) == "2026-09-07 10:15"
    with pytest.raises(TypeError, match="list"):
        safe._cell(["x"])  # type: ignore[arg-type]


@pytest.mark.parametrize("attack", [*hostile(SINK), "  =1+1", "\t=1+1", "\r\n@SUM(1)", "-2+3", "＝1+1", "\u200b=1"])
def test_no_formula_begins_a_cell_of_a_sheet(attack: str) -> None:
    """What a spreadsheet would compute is text there, and every cell stays in its place."""
    saved = safe.sheet([{"account_id": attack, "requests": -3, "harvest": 'a "quote", a comma'}]).decode("utf-8-sig")
    names, cells = csv.reader(io.StringIO(saved))
    assert names == ["account_id", "requests", "harvest"]
    assert cells[1:] == ["-3", 'a "quote", a comma']
    text = safe.clean(" ".join(attack.split()))
    assert cells[0] in (text, f"'{text}")
    assert not re.match(r"[\s=+\-@＝＋＠]", cells[0])


def test_a_sheet_without_rows() -> None:
    """Nothing to save is an empty table."""
    assert safe.sheet([]).decode("utf-8-sig").strip() == ""
