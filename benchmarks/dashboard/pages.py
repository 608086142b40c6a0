"""Time until each page stands in a real Chromium, from the press of the button or key that leads there.

A page stands when its last part has come: what is named for it below is visible, Streamlit runs no script any more, and
nothing in it has changed for a while (which is not counted). A table is drawn on a canvas, and writes what it shows into it once more
for screen readers, CANVAS_MS later: it stands so much earlier. What fades in has come when it begins to.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from playwright.sync_api import Page, expect, sync_playwright

from tests.dashboard.test_browser import CHROMIUM, FLAGS, HEADER_PIXELS, ROW_PIXELS, sign_in

ROUNDS = 6  # of all pages; the first, in which the browser also loads the parts of the program, is told by itself
QUIET_MS = 400
LOOK_MS = 50  # between two looks whether the page stands
HEADING, CAPTION = "h1, h2, h3, h4", "p"
FADE_MS = 700  # in which a table fades in, before it can be clicked
WAIT_MS = 120_000
ROWS = 100  # of the queue
TEXT = "Explain the theorem step by step, and put your whole reasoning into tags before the answer."

CANVAS_MS = 200  # after which a table writes what it has drawn into its canvas, for screen readers (glide-data-grid)

WATCH = """later => {
    window.dwStart = window.dwLast = performance.now();
    if (window.dwWatch) return;
    for (const kind of ['pointerdown', 'keydown'])  // not while Playwright still looks for where to click
        window.addEventListener(kind, () => { window.dwStart = window.dwLast = performance.now(); }, {capture: true});
    const drawn = change => change.target.parentElement?.closest('canvas') ?? change.target.closest?.('canvas');
    window.dwWatch = new MutationObserver(changes => {
        const at = performance.now() - (changes.every(drawn) ? later : 0);
        window.dwLast = Math.max(window.dwLast, at);
    });
    window.dwWatch.observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
STANDS = """([there, within, quiet]) => {
    const app = document.querySelector('[data-testid=stApp]');
    if (app.dataset.testScriptState !== 'notRunning' || performance.now() - window.dwLast <= quiet) return false;
    return [...app.querySelectorAll(within)].some(part => part.textContent.includes(there) && part.checkVisibility());
}"""  # looks at the page as little as it can: Playwright's own waiting reads all of it, on the core that is measured
TOOK = "() => (window.dwLast - window.dwStart) / 1000"


def measure(address: str, secret: str) -> dict[str, dict[str, float]]:
    """Seconds of each page: at first, then median and slowest."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        expect.set_options(timeout=WAIT_MS)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(WAIT_MS)
        sign_in(page, address, secret)
        times: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            _round(page, times)
        chromium.close()
    return {
        title: {"first": round(t[0], 3), "median": round(median(t[1:]), 3), "slowest": round(max(t[1:]), 3)}
        for title, t in times.items()
    }


def _round(page: Page, times: dict[str, list[float]]) -> None:
    """Every page once, in the order of an analyst's way."""

    def timed(title: str, act: Callable[[], None], there: str, within: str = HEADING) -> None:
        page.evaluate(WATCH, CANVAS_MS)
        act()
        page.wait_for_function(STANDS, arg=[there, within, QUIET_MS], polling=LOOK_MS)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
        times.setdefault(title, []).append(page.evaluate(TOOK))

    def link(name: str) -> Callable[[], None]:
        return lambda: page.get_by_role("link", name=name, exact=True).click()

    def choose(name: str) -> Callable[[], None]:
        return lambda: page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()

    def open_row(title: str, there: str) -> None:
        table = page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        page.wait_for_timeout(FADE_MS)
        timed(
            title,
            lambda: table.click(position={"x": 250, "y": HEADER_PIXELS + 2 * ROW_PIXELS + ROW_PIXELS // 2}),
            there,
        )

    def search() -> None:
        page.get_by_role("textbox", name="Ask like this").fill(TEXT)
        page.keyboard.press("Control+Enter")

    timed("campaigns", link("Campaigns"), "Campaigns")
    open_row("campaign", "Example requests")
    timed("queue", link("Queue"), "cases that match", CAPTION)
    for button, there in (("Next", f"{ROWS + 1} to"), ("Previous", f"1 to {ROWS}")):
        timed("a turn of the queue", page.get_by_role("button", name=button).click, there, CAPTION)
    open_row("account", "Related accounts")
    timed("approvals", link("Approvals"), "Approvals")
    timed("search, and accounts at the top", link("Search"), "Search")
    timed("search for accounts that ask alike", search, "Searched", CAPTION)
    timed("audits", link("Audits"), "Audits")
    for kind, one in (("Rehearsals", "Start a rehearsal"), ("Backtests", "Start a backtest")):
        timed(kind.lower(), choose(kind), one)
    timed("signals", choose("Signals"), "Start a comparison")
    timed("performance", link("Performance"), "By signal")
    timed("audit trail", link("Audit trail"), "Audit trail")
    timed("settings: keys", link("Settings"), "Keys")
    for section in ("People", "Retention", "Texts kept", "Alert routes", "Enforcement"):
        timed(f"settings: {section.lower()}", choose(section), section)
