"""Has the browser read the parts of Streamlit that draw tables and charts while a person signs in, not when the first case opens.

Streamlit loads each part of its program when a page first needs it. The page itself is one file for all pages, so an HTTP
header names the parts (https://html.spec.whatwg.org/multipage/links.html#link-type-modulepreload).
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"
PARTS = ("arrowFormatUtils", "DataFrame", "ArrowVegaLiteChart", "embed", "vega-interpreter", "EChartsChart")
"""Names of files, without the hash of their content that follows the name: tables, Vega charts, the graph of a campaign."""


def files() -> list[str]:
    """The parts' files in this version of Streamlit; one that it does not have is left out."""
    return [path.name for part in PARTS for path in SCRIPTS.glob(f"{part}.*.js")]


def link() -> str:
    """The header ``Link`` of a page."""
    return ", ".join(f"<./static/js/{name}>; rel=modulepreload" for name in files())
