"""People sign in through a real OpenID Connect provider on loopback, in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import oidc_provider_mock
import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.ask import settings
from tests.dashboard import data
from tests.dashboard.conftest import Service, Sink, running
from tests.dashboard.test_browser import CHROMIUM, WAIT_MS, browser, free_port, shown  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")]

CLIENT = "distillwatch"
ANN, STRANGER, UNVERIFIED = "ann@example.com", "stranger@example.com", "lea@example.com"
SECRETS = """[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a long random text, of this test alone"
client_id = "{client}"
client_secret = "known to both"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
client_kwargs = {{ scope = "openid email profile" }}
expose_tokens = ["id"]
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that knows three people; it has verified two addresses."""
    people = [
        oidc_provider_mock.User(sub=email, claims={"email": email, "email_verified": email != UNVERIFIED})
        for email in (ANN, STRANGER, UNVERIFIED)
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, sink: Sink, issuer: str) -> Iterator[Service]:
    """A service that believes this provider, and lets two people in."""
    folder = tmp_path_factory.mktemp("oidc")
    with running(folder, sink, data.fill, oidc_issuer=issuer, oidc_client_id=CLIENT) as service:
        settings.put_person(service.client("admin"), ANN, "lead")
        settings.put_person(service.client("admin"), UNVERIFIED, "admin")
        yield service


@pytest.fixture(scope="module")
def dashboard(filled: Service, issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard whose secrets name the provider; its address."""
    folder, port = tmp_path_factory.mktemp("dashboard"), free_port()
    (folder / ".streamlit").mkdir()
    secrets = SECRETS.format(port=port, client=CLIENT, issuer=issuer)
    (folder / ".streamlit" / "secrets.toml").write_text(secrets)
    with shown(filled, port, folder) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:  # noqa: F811
    """A tab of somebody who is signed in nowhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(WAIT_MS)
    yield tab
    context.close()


def sign_in_as(page: Page, email: str) -> None:
    """Go to the provider and say there who one is."""
    page.get_by_role("button", name="Sign in with your organisation's account").click()
    page.wait_for_url("http://localhost:*/**")
    page.get_by_role("button", name=email).first.click()
    page.wait_for_url("http://127.0.0.1:*/**")


def end_session(page: Page) -> None:
    """Agree at the provider that the session there ends as well."""
    page.wait_for_url("http://localhost:*/**")
    page.get_by_role("button", name="End session").click()
    page.wait_for_url("http://127.0.0.1:*/**")


def test_a_person_signs_in_with_the_role_of_the_service(page: Page, dashboard: str, service: Service) -> None:
    """Whoever the service knows is in, with the role that an administrator gave; signed out, they are asked again."""
    page.goto(dashboard)
    sign_in_as(page, ANN)
    expect(page.get_by_text("Flagged accounts")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text(ANN)).to_be_visible()
    expect(page.get_by_text("Lead analyst: decides, and approves what takes two people")).to_be_visible()
    assert {(e.actor, e.action) for e in service.client("auditor").audit(5, 0).items} >= {(ANN, "session.open")}
    page.get_by_role("button", name="Sign out").click()
    end_session(page)
    expect(page.get_by_role("button", name="Sign in with your organisation's account")).to_be_visible()


@pytest.mark.parametrize(
    ("email", "why"),
    [
        (STRANGER, "may not sign in here: an administrator can add"),
        (UNVERIFIED, "has not verified this e-mail address"),
    ],
)
def test_others_are_refused_in_clear_words(page: Page, dashboard: str, service: Service, email: str, why: str) -> None:
    """Whom nobody let in, or whose address is not verified, is told so, sees no case, and can sign in as somebody else."""
    page.goto(dashboard)
    sign_in_as(page, email)
    expect(page.get_by_text("the service does not let you in")).to_be_visible()
    expect(page.get_by_text(why)).to_be_visible()
    assert page.get_by_role("link", name="Queue").count() == 0
    page.get_by_role("button", name="Sign in as somebody else").click()
    end_session(page)
    sign_in_as(page, ANN)
    expect(page.get_by_text("Flagged accounts")).to_be_visible()
