"""No module of the dashboard but safe.py can put a suspect's text where Streamlit would render it.

The check reads the syntax tree. Elements that render whatever they get are safe.py's alone. Labels, headings and notes,
which Streamlit renders as markdown, take fixed words and numbers only: literals, CONSTANTS, words.*(), and f-strings
whose every value has a numeric format, which Python itself refuses for text.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).parents[2] / "dashboard"
SAFE = DASHBOARD / "safe.py"
MODULES = [p for p in sorted(DASHBOARD.rglob("*.py")) if p != SAFE and "streamlit" in p.read_text(encoding="utf-8")]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ONLY_IN_SAFE = _names("""
    AudioColumn Column ImageColumn JsonColumn LinkColumn ListColumn MarkdownColumn TextColumn VideoColumn
    altair_chart area_chart audio bar_chart chat_message code component data_editor dataframe declare_component
    download_button echarts_chart echo exception graphviz_chart help html iframe image json latex line_chart link_button logo map
    markdown mermaid_chart pdf plotly_chart pydeck_chart pyplot scatter_chart table text vega_lite_chart video write write_stream
""")
LABELLED = _names("""
    Page badge button caption chart checkbox date_input dialog error expander form_submit_button header info metric
    number_column number_input page_link popover set_page_config share_column slider spinner status subheader
    success tabs text_area text_column text_input title toast toggle warning
""")
CHOICES = _names("""
    menu_button multiselect pills radio segmented_control select_slider selectbox
""")
WORDED = _names("""
    body caption captions delta help icon label page_title placeholder title value
""")
NUMERIC = re.compile(r"[^s]*([dfge%]|,)")


def violations(source: str) -> list[str]:
    """What a module does that only safe.py may, by line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamlit"):
            if {alias.name for alias in node.names} != {"DeltaGenerator"}:
                found.append(f"line {node.lineno}: import streamlit as st, not parts of it")
        elif isinstance(node, ast.Import) and any(
            a.name.startswith("streamlit") and a.asname != "st" for a in node.names
        ):
            found.append(f"line {node.lineno}: import streamlit as st, not under another name")
        elif isinstance(node, ast.Name) and node.id in {"getattr", "eval", "exec", "__import__"}:
            found.append(f"line {node.lineno}: {node.id} hides what is called")
        elif isinstance(node, ast.Call):
            found += [f"line {node.lineno}: {what}" for what in _call(node)]
    return found


def _call(node: ast.Call) -> list[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    on_safe = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "safe"
    keywords = {k.arg: k.value for k in node.keywords}
    if {"unsafe_allow_html", "unsafe_allow_javascript"} & keywords.keys() or None in keywords:
        return ["unsafe_allow_… or ** arguments"]
    if name in ONLY_IN_SAFE and not on_safe:
        return [f"{name} belongs into safe.py"]
    if name in {"markup", "Markup"} and not (node.args and isinstance(node.args[0], ast.Constant)):
        return ["the frame of markup is not a literal"]
    if name == "quantity" and not isinstance(node.args[1], ast.Constant):
        return ["the unit is not a literal"]
    texts = [keywords[k] for k in WORDED & keywords.keys()] if name in LABELLED | CHOICES else []
    if name in {"chart", "Page"}:  # a figure or a function comes first
        texts += node.args[1:]
    elif name in LABELLED:
        texts += node.args
    elif name in CHOICES:
        texts += node.args[:1]
        fixed = keywords.get("format_func")
        if not (isinstance(fixed, ast.Attribute) and fixed.attr == "__getitem__"):
            return [f"{name} without format_func=….__getitem__: its choices are no closed vocabulary"]
    return [f"{name} takes fixed words and numbers, not {ast.unparse(t)}" for t in texts if not _fixed(t)]


def _fixed(node: ast.expr) -> bool:
    """Whether an expression can only be fixed words and numbers."""
    match node:
        case ast.Constant():
            return True
        case ast.JoinedStr(values=values):
            return all(_fixed(v) for v in values)
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(spec))])):
            return NUMERIC.fullmatch(spec) is not None
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return _fixed(left) and _fixed(right)
        case ast.IfExp(body=body, orelse=orelse):
            return _fixed(body) and _fixed(orelse)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="words"))):
            return True
        case ast.Subscript(value=value):
            return _fixed(value)
        case ast.Attribute(value=ast.Name(), attr=name) | ast.Name(id=name):
            return name.isupper()
    return False


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(DASHBOARD)))
def test_text_reaches_the_page_through_safe_alone(path: Path) -> None:
    """No element outside safe.py can be fed text of a suspect."""
    assert violations(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "st.markdown('fixed')",
        "st.write(case.account_id)",
        "row[0].text(case.account_id)",
        "st.title(case.account_id)",
        "st.title(f'Account {case.account_id}')",
        "st.title(f'Account {case.account_id:s}')",
        "st.title('Account ' + case.account_id)",
        "st.button('Open', help=case.harvest)",
        "column.metric('Requests', case.account_id)",
        "st.tabs([case.account_id])",
        "st.expander(case.top_reason)",
        "st.error(str(error))",
        "st.radio('Account', ids)",
        "st.radio('Account', ids, format_func=str)",
        "st.caption('x', unsafe_allow_html=True)",
        "st.caption(**values)",
        "st.html('<b>fixed</b>')",
        "st.image(url)",
        "st.dataframe(rows)",
        "st.column_config.LinkColumn('Account')",
        "safe.text_column(case.account_id)",
        "safe.markup(case.harvest)",
        "safe.markup(f'<b>{case.harvest}</b>')",
        "Markup(case.harvest)",
        "words.quantity(3, case.account_id)",
        "getattr(st, 'markdown')('x')",
        "from streamlit import markdown",
        "import streamlit",
        "import streamlit.components.v1 as components",
    ],
)
def test_ways_around_are_found(line: str) -> None:
    """The check sees each way by which text of a suspect could reach markdown or HTML."""
    assert violations(line)


@pytest.mark.parametrize(
    "line",
    [
        "st.title('Queue')",
        "st.metric('Open cases', f'{overview.open_cases:,d}')",
        "st.caption(f'{share:.0%} of {n:,} in ' + words.duration(3))",
        "st.error(PROBLEMS[type(error)])",
        "st.radio('Decision', list(labels.DECISIONS), format_func=labels.DECISIONS.__getitem__)",
        "safe.text(case.account_id)",
        "safe.markup('<b>{harvest}</b>', harvest=case.harvest)",
    ],
)
def test_honest_use_passes(line: str) -> None:
    """Fixed words, numbers, and safe.py itself are fine."""
    assert not violations(line)
