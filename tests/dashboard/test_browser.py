"""A real Chromium on the real dashboard and the real service."""

from __future__ import annotations

import csv
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from api.services import bulk
from api.settings import Settings
from api.storage import cases
from dashboard import preload
from dashboard.ask import groupings, jobs, search, settings
from tests.api.builders import START
from tests.api.builders import account as finding_on
from tests.dashboard.conftest import Service, environment
from tests.dashboard.data import CAMPAIGN, GOOD_CUSTOMER, HARVESTER, OTHER_CAMPAIGN, hostile_account
from tests.dashboard.hostile import SCRIPT_MARK, hostile_text

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")]

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60
WAIT_MS = 120_000
SETTLE_MS = 1_500  # for what a page might still fetch after it is drawn
ROW_PIXELS, HEADER_PIXELS = 35, 35


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextmanager
def shown(service: Service, port: int, folder: Path | None = None) -> Iterator[str]:
    """The dashboard as it is run for real, started in ``folder``; its address."""
    arguments = ["--server.address", "127.0.0.1", "--server.port", str(port), "--browser.gatherUsageStats", "false"]
    command = [sys.executable, "-m", "streamlit", "run", str(APP), *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment(service), cwd=folder, **quiet)
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _healthy(address):
            assert process.poll() is None, "the dashboard did not start"
            assert time.monotonic() < deadline, "the dashboard did not start in time"
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(START_SECONDS)


@pytest.fixture(scope="module")
def dashboard(filled: Service) -> Iterator[str]:
    """A dashboard of the filled service; its address."""
    with shown(filled, free_port()) as address:
        yield address


def _healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/_stcore/health", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium with a fresh profile; what is expected of its pages may take as long as what is clicked."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class Watched:
    """A tab whose requests and console are remembered."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.violations: list[str] = []
        page.on("request", self._asked)
        page.on("console", self._said)
        page.set_default_timeout(WAIT_MS)

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.violations.append(message.text)

    def foreign_requests(self, address: str) -> list[str]:
        """Requests to anywhere but the dashboard; data: and blob: stay in the page."""
        home = urlsplit(address).netloc
        return [u for u in self.requests if urlsplit(u).scheme in {"http", "https"} and urlsplit(u).netloc != home]


@pytest.fixture
def tab(browser: Browser) -> Iterator[Watched]:
    """A fresh tab in a fresh context."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield Watched(context.new_page())
    context.close()


def sign_in(page: Page, address: str, key: str, path: str = "/") -> None:
    """Open a page and sign in."""
    page.goto(address + path)
    page.locator("input[type=password]").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Queue")).to_be_visible()


def click_row(page: Page, row: int) -> None:
    """Click a row of the page's first table, which is drawn on a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(700)  # the table fades in
    table.click(position={"x": 250, "y": HEADER_PIXELS + ROW_PIXELS * row + ROW_PIXELS // 2})


def test_what_draws_cases_is_read_before_the_first_one(tab: Watched, dashboard: str) -> None:
    """The sign-in page already asks for the parts that draw tables and charts, each of which this version of Streamlit has."""
    parts = preload.files()
    assert [name.split(".")[0] for name in parts] == list(preload.PARTS)
    tab.page.goto(dashboard)
    expect(tab.page.locator("input[type=password]")).to_be_visible()
    assert {Path(urlsplit(url).path).name for url in tab.requests} >= set(parts)
    assert tab.violations == []


def test_an_analyst_confirms_the_harvester(tab: Watched, dashboard: str, service: Service) -> None:
    """Sign in, find the account, open it by its row, confirm it, go on to the next case."""
    page = tab.page
    sign_in(page, dashboard, service.keys["analyst"])
    page.get_by_role("textbox", name="Search").fill(HARVESTER)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 to 1 of 1 cases")).to_be_visible()
    assert f"q={HARVESTER}" in page.url
    click_row(page, 0)
    page.wait_for_url(f"**/account?id={HARVESTER}")
    expect(page.get_by_text("Reasoning elicitation").first).to_be_visible()
    page.get_by_role("radiogroup", name="Verdict").get_by_text("True positive: it harvests").click()
    page.get_by_role("textbox", name="Reason (required)").fill("One frame, 361 fillings, none twice.")
    page.get_by_role("button", name="Record decision").click()
    expect(page.get_by_text("The decision and its reason are in the audit trail")).to_be_visible()
    assert service.client("analyst").account(HARVESTER).state == "confirmed"
    page.get_by_role("button", name="Next open case").click()
    page.wait_for_url(lambda url: "/account?id=" in url and HARVESTER not in url)


def test_filters_survive_the_way_to_a_case_and_back(tab: Watched, dashboard: str, service: Service) -> None:
    """A filtered queue is a link; coming back from a case shows the same queue, and the next page is quick to turn."""
    page = tab.page
    sign_in(page, dashboard, service.keys["analyst"], "/?sort=requests")
    expect(page.get_by_text("1 to 100 of")).to_be_visible()
    click_row(page, 3)
    page.wait_for_url("**/account?id=*")
    page.get_by_role("button", name="Queue").click()
    page.wait_for_url("**/?sort=requests")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("101 to")).to_be_visible()


def test_an_administrator_revokes_a_key(tab: Watched, dashboard: str, service: Service) -> None:
    """A key is chosen by its row, confirmed by its name, and works no more."""
    made = service.client("admin").make_key("Somebody who left", "analyst")
    row = [key.key_id for key in service.client("admin").all_keys()].index(made.key_id)
    sign_in(tab.page, dashboard, service.keys["admin"], "/settings")
    expect(tab.page.get_by_text("Choose a key")).to_be_visible()
    click_row(tab.page, row)
    expect(tab.page.get_by_text(f"Somebody who left (analyst, {made.key_id})")).to_be_visible()
    tab.page.get_by_role("button", name="Revoke this key").click()
    expect(tab.page.get_by_role("button", name="Revoke this key")).to_be_hidden()
    assert next(k for k in service.client("admin").all_keys() if k.key_id == made.key_id).revoked_at is not None


def test_campaign_members_open(tab: Watched, dashboard: str, service: Service) -> None:
    """A campaign opens by its row, and a member by its row there."""
    page = tab.page
    sign_in(page, dashboard, service.keys["lead"], "/campaigns")
    expect(page.get_by_text("2 campaigns", exact=True)).to_be_visible()
    click_row(page, 0)
    page.wait_for_url(f"**/campaign?id={CAMPAIGN}")
    expect(page.get_by_text("What ties them")).to_be_visible()
    expect(page.get_by_text("Shared payment22.1 bits · 2 of 3 accounts")).to_be_visible()
    expect(page.get_by_text("One work queue9.6 · 3 of 3 accounts")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(700)  # the table fades in
    table.click(position={"x": 18, "y": HEADER_PIXELS + ROW_PIXELS * 2 + ROW_PIXELS // 2})  # its box to tick
    page.get_by_role("button", name="Open the account").click()
    page.wait_for_url(f"**/account?id={GOOD_CUSTOMER}")


def test_members_are_split_off(tab: Watched, dashboard: str, service: Service) -> None:
    """Ticked members are split off after a look at what would come of it; one click takes it back."""
    page = tab.page
    sign_in(page, dashboard, service.keys["lead"], f"/campaign?id={OTHER_CAMPAIGN}")
    expect(page.get_by_text("What ties them", exact=True)).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(700)  # the table fades in
    table.click(position={"x": 18, "y": HEADER_PIXELS + ROW_PIXELS // 2})  # its box to tick
    page.get_by_text("Split off the ticked members").click()
    expect(page.get_by_text("too few to be a campaign: in none")).to_be_visible(timeout=WAIT_MS)
    page.get_by_role("textbox", name="Reason", exact=True).fill("a class of students")
    page.get_by_role("button", name="Split off").click()
    expect(page.get_by_text("a class of students")).to_be_visible(timeout=WAIT_MS)
    (made,) = groupings.of(service.client("lead"), OTHER_CAMPAIGN)
    assert (made.state, made.sides) == ("live", [1, 4])
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Taken back.")).to_be_visible(timeout=WAIT_MS)
    assert groupings.of(service.client("lead"), OTHER_CAMPAIGN)[0].state == "ended"


def test_a_bulk_decision_is_followed(tab: Watched, dashboard: str, service: Service) -> None:
    """Its state and its accounts are shown anew while it goes on and at its end, without a click."""
    analyst, lead = service.client("analyst"), service.client("lead")
    decision = {"decision": "need_more", "verdict_id": 7, "reason": "which product is it?"}
    made = analyst.ask_bulk({"q": "bystander_02"}, decision, 10)
    page = tab.page
    sign_in(page, dashboard, service.keys["analyst"], "/?q=bystander_02")
    page.get_by_text("see bulk decisions").click()
    expect(page.locator("td", has_text="Waits for a second person").first).to_be_attached()
    lead.approve("bulk", made.bulk_id, "agreed")
    expect(page.locator("td", has_text="Under way").first).to_be_attached()
    while bulk.step(service.database, Settings()):
        pass
    expect(page.locator("td", has_text="Finished").first).to_be_attached()
    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    page.wait_for_timeout(700)  # the table fades in
    table.click(position={"x": 250, "y": HEADER_PIXELS + ROW_PIXELS // 2})
    expect(page.get_by_text("10 decided, 0 failed, of 10")).to_be_visible()


@pytest.fixture
def attacked(service: Service) -> Iterator[str]:
    """The attacker's account, with hostile text also in what people wrote of it; gone again at the end."""
    account, attack = hostile_account(service.sink.url), hostile_text(service.sink.url).replace("\0", "")
    admin, analyst = service.client("admin"), service.client("analyst")
    analyst.decide_account(account, "need_more", attack[:3_900])
    until = datetime.now(UTC) + timedelta(days=1)
    asked = analyst.make_exception(account, "reasoning_elicitation", attack[:3_900], until)
    query = search.save(admin, attack[:190], attack, None, False)
    job = jobs.start(admin, "backtest", {"title": attack[:190]})
    key = admin.make_key(attack[:190], "gateway")
    settings.set_content(admin, account, "none", attack[:3_900])
    settings.put_person(admin, attack[:190].replace("\n", " "), "auditor")
    route = settings.make_webhook(admin, attack[:190], "https://1.1.1.1/in", "native", ["account.flagged"])
    yield account
    admin.end("exception", asked.exception_id, "the end of the test")
    search.forget(admin, query.query_id)
    jobs.cancel(admin, job.job_id)
    jobs.remove(admin, job.job_id)
    admin.revoke_key(key.key_id)
    settings.unset_content(admin, account)
    settings.remove_person(admin, attack[:190].replace("\n", " "))
    settings.remove_webhook(admin, route.webhook_id)


@pytest.mark.timeout(900)
def test_hostile_text_asks_nothing_and_runs_nothing(
    tab: Watched, dashboard: str, service: Service, attacked: str
) -> None:
    """Markdown images, HTML, scripts, links and formulas of a suspect stay text on every page and in every state."""
    page, sink = tab.page, service.sink
    account = quote(attacked, safe="")
    pages = [
        "/",
        "/campaigns",
        f"/campaign?id={CAMPAIGN}",
        f"/account?id={account}",
        "/approvals",
        f"/search?like={account}",
    ]
    pages += ["/audits?kind=backtest", "/audits?kind=signals", "/performance", "/audit"]
    pages += [f"/settings?section={s}" for s in ("keys", "people", "retention", "texts", "alerts", "enforcement")]
    for path in pages:
        sign_in(page, dashboard, service.keys["admin"], path)
        page.wait_for_timeout(SETTLE_MS)
        _scroll_through(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert_inert(page, sink.url)
    unknown = quote("nobody " + hostile_text(sink.url)[:200], safe="")
    sign_in(page, dashboard, service.keys["admin"], f"/account?id={unknown}")
    expect(page.get_by_text("There is no such record")).to_be_visible()
    assert_inert(page, sink.url)
    assert sink.asked == []
    assert tab.foreign_requests(dashboard) == []
    assert tab.violations == []


def test_the_sink_would_notice(tab: Watched, service: Service) -> None:
    """The check above can fail: a page that does render the text asks the sink and runs the script."""
    before = len(service.sink.asked)
    tab.page.set_content(f"<img src=x onerror=window.{SCRIPT_MARK}=1><img src={service.sink.url}/control.png>")
    tab.page.wait_for_timeout(SETTLE_MS)
    assert service.sink.asked[before:] == ["/control.png"]
    assert tab.page.evaluate(f"window.{SCRIPT_MARK}") == 1
    del service.sink.asked[before:]


def test_the_policy_stops_what_gets_through(tab: Watched, dashboard: str, service: Service) -> None:
    """Even an image or script forced into the page is stopped by the content security policy."""
    page = tab.page
    sign_in(page, dashboard, service.keys["analyst"])
    before = len(service.sink.asked)
    page.evaluate(
        """sink => {
            const html = `<img src="${sink}/forced.png"><iframe src="${sink}/forced.html"></iframe>`;
            document.body.insertAdjacentHTML('beforeend', html);
            for (const text of ['window.dwPwned = 1', '']) {
                const script = document.createElement('script');
                if (text) script.textContent = text; else script.src = sink + '/forced.js';
                document.body.append(script);
            }
            fetch(sink + '/fetch').catch(() => {});
        }""",
        service.sink.url,
    )
    page.wait_for_timeout(SETTLE_MS)
    assert service.sink.asked[before:] == []
    assert page.evaluate(f"window.{SCRIPT_MARK}") is None
    assert len(tab.violations) >= 4


def test_headers(dashboard: str) -> None:
    """Every answer carries the policy: pictures from the dashboard alone, no frames, no foreign scripts."""
    for path in ("/", "/account?id=x", "/_stcore/health"):
        headers = httpx.get(dashboard + path, trust_env=False).headers
        assert "img-src 'self' data: blob:" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-eval" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_tables_have_no_export_of_their_own(tab: Watched, dashboard: str, service: Service) -> None:
    """No button saves a table as CSV, so that no formula of a suspect reaches a spreadsheet that way."""
    page = tab.page
    sign_in(page, dashboard, service.keys["analyst"])
    page.get_by_test_id("stDataFrame").first.hover()  # the queue; what became of a bulk decision may stand below
    toolbar = page.get_by_test_id("stElementToolbarButton")
    expect(toolbar.first).to_be_visible()
    names = [b.get_attribute("aria-label") or b.inner_text() for b in toolbar.get_by_role("button").all()]
    assert names
    assert not [n for n in names if "download" in n.lower() or "csv" in n.lower()]


def test_saved_rows_hold_no_formula(tab: Watched, dashboard: str, service: Service) -> None:
    """The queue's rows are saved as a table in which a suspect's formula is text."""
    account = f'=HYPERLINK("{service.sink.url}/saved","open")'
    with service.database.write() as connection:
        cases.store(connection, [finding_on(account, 0.6)], START)
    page = tab.page
    sign_in(page, dashboard, service.keys["analyst"], "/?q=HYPERLINK")
    expect(page.get_by_text("1 to 1 of 1 cases")).to_be_visible()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save these rows").click()
    with Path(saving.value.path()).open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["account_id"] == f"'{account}"
    assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("width", [1280, 1920])
def test_pages_fit_the_screen(browser: Browser, dashboard: str, service: Service, width: int) -> None:
    """No page scrolls sideways."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    for path in ("/", f"/account?id={HARVESTER}", f"/campaign?id={CAMPAIGN}"):
        sign_in(page, dashboard, service.keys["auditor"], path)
        page.wait_for_timeout(SETTLE_MS)
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    page.close()


def _scroll_through(page: Page) -> None:
    """Bring everything into view once, for what loads late."""
    main = page.get_by_test_id("stMain")
    for y in range(0, int(main.evaluate("e => e.scrollHeight")), 700):
        main.evaluate("(e, y) => e.scrollTo(0, y)", y)
        page.wait_for_timeout(120)


def assert_inert(page: Page, sink: str) -> None:
    """No script of the suspect ran, and no element of the page points to the sink or to a script."""
    assert page.evaluate(f"window.{SCRIPT_MARK}") is None
    pointing = page.evaluate(
        """sink => [...document.querySelectorAll('*')]
            .flatMap(e => [...e.attributes].map(a => [e.tagName, a.name, a.value]))
            .filter(([, name]) => ['src', 'href', 'srcset', 'style', 'xlink:href', 'action', 'data'].includes(name))
            .filter(([, , value]) => value.includes(sink) || value.toLowerCase().includes('javascript:'))""",
        sink,
    )
    assert pointing == []
