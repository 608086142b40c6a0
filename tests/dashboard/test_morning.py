"""An analyst's morning in a real browser, with a lead as the second person, and the audit trail at its end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard import data
from tests.dashboard.conftest import Service, Sink, running
from tests.dashboard.data import CAMPAIGN, HARVESTER
from tests.dashboard.test_browser import (  # noqa: F401 - fixtures
    CHROMIUM,
    WAIT_MS,
    browser,
    click_row,
    dashboard,
    sign_in,
)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")]

CASES = 10


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[Service]:
    """A service of its own: nothing waits for approval there, and nobody may read prompts yet."""
    with running(tmp_path_factory.mktemp("morning"), sink, data.fill) as service:
        yield service


@pytest.fixture
def people(browser: Browser, dashboard: str, service: Service) -> Iterator[tuple[Page, Page]]:  # noqa: F811
    """The analyst's and the lead's windows, signed in."""
    contexts = [browser.new_context(viewport={"width": 1280, "height": 1000}) for _ in range(2)]
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.set_default_timeout(WAIT_MS)
    sign_in(pages[0], dashboard, service.keys["analyst"], "/?q=bystander_08")
    sign_in(pages[1], dashboard, service.keys["lead"], "/approvals")
    yield pages[0], pages[1]
    for context in contexts:
        context.close()


def decide(page: Page, verdict: str, reason: str) -> None:
    """Fill in the form and record it."""
    page.get_by_role("radiogroup", name="Verdict").get_by_text(verdict).click()
    page.get_by_role("textbox", name="Reason (required)").fill(reason)
    page.get_by_role("button", name="Record decision").click()


def approve(lead: Page, what: str) -> None:
    """Approve the one thing that waits."""
    lead.get_by_role("link", name="Queue").click()
    lead.get_by_role("link", name="Approvals").click()
    expect(lead.get_by_text(what)).to_be_visible()
    lead.get_by_role("textbox", name="Why", exact=True).last.fill("I looked at it as well")
    lead.keyboard.press("Enter")
    lead.get_by_role("button", name="Approve").click()
    expect(lead.get_by_text("Nothing waits for approval")).to_be_visible()


def command(service: Service, *words: str) -> str:
    """What a command of the service's operator says."""
    env = {**os.environ, "DISTILLWATCH_DATABASE_URL": service.database.url}
    done = subprocess.run([sys.executable, "-m", "api", *words], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_morning(people: tuple[Page, Page], service: Service, tmp_path: Path) -> None:
    """Ten cases triaged, prompts read with leave, a campaign acted on by two, a slip undone, the trail whole."""
    analyst, lead = people
    client = service.client("analyst")

    expect(analyst.get_by_text("1 to 10 of 10 cases")).to_be_visible()
    click_row(analyst, 0)
    analyst.wait_for_url("**/account?id=*")
    analyst.get_by_text("Go on after a decision").click()
    for number in range(CASES):
        here = analyst.url
        decide(analyst, "False positive: ordinary use", f"a tutor's own class, {number}")
        analyst.wait_for_url(lambda url, here=here: url != here)
        expect(analyst.get_by_text("The decision before this is recorded")).to_be_visible()
    assert {client.account(f"acct_bystander_{n:03d}").state for n in range(80, 90)} == {"dismissed"}

    analyst.get_by_role("button", name="Undo").first.click()
    expect(analyst.get_by_text("The decision before this is recorded")).to_be_hidden()
    assert [client.account(f"acct_bystander_{n:03d}").state for n in range(80, 90)].count("open") == 1

    analyst.get_by_role("button", name="Queue").click()
    analyst.get_by_role("textbox", name="Search").fill(HARVESTER)
    analyst.keyboard.press("Enter")
    expect(analyst.get_by_text("1 to 1 of 1 cases")).to_be_visible()
    click_row(analyst, 0)
    analyst.wait_for_url(f"**/account?id={HARVESTER}")
    expect(analyst.get_by_text("Masked: only words of its templates are legible")).to_be_attached()
    expect(analyst.get_by_text("•••••••").first).to_be_attached()
    assert analyst.get_by_text("Explain theorem").count() == 0
    analyst.get_by_text("Read in full").click()
    analyst.get_by_role("textbox", name="Why they must be read").fill("Which exam is it?")
    analyst.get_by_role("button", name="Ask to read").click()
    expect(analyst.get_by_text("waits for a second person")).to_be_visible()
    approve(lead, "Which exam is it?")
    analyst.get_by_text("Go on after a decision").click()  # anything shows the page anew
    expect(analyst.get_by_text("In full until")).to_be_visible()
    expect(analyst.get_by_text("Explain theorem").first).to_be_attached()

    analyst.get_by_role("link", name="Campaigns").click()
    expect(analyst.get_by_text("2 campaigns", exact=True)).to_be_visible()
    click_row(analyst, 0)
    analyst.wait_for_url(f"**/campaign?id={CAMPAIGN}")
    analyst.get_by_role("combobox", name="Gateways").click()
    analyst.get_by_role("option", name="Throttle: few requests a minute").click()
    decide(analyst, "True positive: it harvests", "one payment method, one queue of work")
    expect(analyst.get_by_text("waits for a second person, under Approvals")).to_be_visible()
    assert client.campaign(CAMPAIGN).decisions[0].actions[0].state == "pending"
    approve(lead, "one payment method, one queue of work")
    assert client.campaign(CAMPAIGN).decisions[0].actions[0].state == "live"

    out = tmp_path / "findings.jsonl"
    command(service, "export", "findings", "--out", str(out))
    assert HARVESTER in {json.loads(line).get("account_id") for line in out.read_text().splitlines()}
    assert "none changed" in command(service, "verify-audit")
    done = [e.action for e in service.client("auditor").audit(200, 0).items]
    assert done.count("account.dismiss") >= CASES
    assert {"account.undo", "unmasking.approve", "prompts.read", "campaign.confirm", "action.approve"} <= set(done)
