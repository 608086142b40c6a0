"""The dashboard as a web application: the pages of console.py behind a content security policy.

``streamlit run dashboard/app.py`` finds ``app`` here, and the theme and options in .streamlit/config.toml beside it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard import preload

INDEX = Path(st.__file__).parent / "static" / "index.html"


def inline_script_hashes(page: str) -> list[str]:
    """CSP sources of the page's inline scripts, so that these run and no other does."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts]


def policy() -> str:
    """The content security policy: nothing is fetched from, sent to, or framed by another origin."""
    scripts = " ".join(["'self'", *inline_script_hashes(INDEX.read_text(encoding="utf-8"))])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",  # Streamlit styles its components at run time
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'none'",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class Headers:
    """Puts the policy and its companions on every HTTP answer, and on a page what the browser is to read ahead."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": policy(),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }
        self.of_pages = {"Link": preload.link()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; add the headers where an HTTP answer starts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.update(self.of_pages)
            await send(message)

        await self.app(scope, receive, send_with_headers)


app = st.App(Path(__file__).resolve().with_name("console.py"), middleware=[Middleware(Headers)])
