"""report.html in a real Chromium: a suspect's text asks nothing, runs nothing, and stays text."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from detector.report.page import render
from tests.dashboard.conftest import Sink, sink  # noqa: F401 - a fixture
from tests.dashboard.hostile import SCRIPT_MARK, hostile_text
from tests.dashboard.test_browser import CHROMIUM, SETTLE_MS, assert_inert, browser  # noqa: F401 - a fixture
from tests.detector.report.builders import findings

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_hostile_report_asks_nothing_and_runs_nothing(
    browser: Browser,  # noqa: F811
    sink: Sink,  # noqa: F811
    tmp_path: Path,
    scheme: str,
) -> None:
    """Every text of a report whose every text is an attack is on the page as it was written; nothing leaves the page."""
    path = tmp_path / "report.html"
    path.write_text(render(*findings(hostile_text(sink.url))), encoding="utf-8")
    page = browser.new_page(color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.wait_for_timeout(SETTLE_MS)
    said = page.evaluate("document.body.textContent")
    assert f"<script>window.{SCRIPT_MARK}=2</script>" in said
    assert f"![x]({sink.url}/markdown.png)" in said
    assert_inert(page, sink.url)
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert sink.asked == []


def test_the_policy_of_the_report_stops_what_gets_through(browser: Browser, sink: Sink, tmp_path: Path) -> None:  # noqa: F811
    """Even a script or an image that is put into the file between its parts is stopped by the page's own policy."""
    whole = render(*findings())
    forced = f"<img src={sink.url}/forced.png><script>window.{SCRIPT_MARK}=1</script><script src={sink.url}/forced.js></script>"
    path = tmp_path / "report.html"
    path.write_text(whole.replace("</body>", forced + "</body>"), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_timeout(SETTLE_MS)
    assert page.locator("img[src$='forced.png']").count() == 1
    assert page.evaluate(f"window.{SCRIPT_MARK}") is None
    page.close()
    assert sink.asked == []
