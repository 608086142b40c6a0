"""Has the browser read the parts of Streamlit that draw tables and charts while a person signs in, not when the first case opens.

Streamlit loads each part of its program when a page first needs it. The page itself is one file for all pages, so an HTTP
header names the parts (https://html.spec.whatwg.org/multipage/links.html#link-type-modulepreload).
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"
PARTS = ("arrowFormatUtils", "DataFrame", "ArrowVegaLiteChart", "embed", "vega-interpreter", "EChartsChart")
"""Names of files, without the hash of their content that follows the name: tables, Vega charts, the graph of a campaign."""


def files() -> list[str]:
    """The parts' files in this version of Streamlit; one that it does not have is left out."""
    return [path.name for part in PARTS for path in SCRIPTS.glob(f"{part}.*.js")]


class Preload:
    """Names the parts in the answer that is the page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.link = ", ".join(f"<./static/js/{name}>; rel=modulepreload" for name in files())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; add the header where a page starts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_link(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["Link"] = self.link
            await send(message)

        await self.app(scope, receive, send_with_link)
