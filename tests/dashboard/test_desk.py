"""Audits, search and performance: what each role sees and does there, on the real service."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from api.schemas.base import Role
from api.schemas.jobs import AuditSummary, BacktestPoint, BacktestSummary, OverlapAccount, SignalOverlap, SignalsSummary
from api.services.likeness import FILE
from api.storage import jobs as stored
from dashboard.ask import jobs, quality, search
from dashboard.client import Forbidden
from dashboard.paging import token
from detector.likeness import Likeness
from detector.pipeline import Detector
from tests.api.test_worker import traffic
from tests.dashboard.conftest import Service
from tests.dashboard.data import HARVESTER
from tests.dashboard.pages import all_text, button, page
from tests.dashboard.test_settings import labels

READING: list[Role] = ["analyst", "lead", "admin", "auditor"]
DECIDING: set[Role] = {"analyst", "lead", "admin"}


@pytest.mark.parametrize("role", READING)
def test_each_role_is_offered_what_it_may_do(service: Service, role: Role) -> None:
    """Every page opens for every role; who decides nothing starts, saves and draws nothing."""
    for kind in jobs.KINDS:
        app = page(service, role, "audits", kind=kind)
        assert not app.exception
        assert not app.error
        assert ("Start" in labels(app)) == (role in DECIDING), kind
    for name, title in (("search", "Search"), ("performance", "Performance")):
        app = page(service, role, name)
        assert not app.exception
        assert [t.value for t in app.title] == [title]
    assert ("Draw at random" in labels(app)) == (role in DECIDING)


def test_the_service_refuses_auditors(service: Service) -> None:
    """The rules are the service's: what the page does not offer is refused past it too."""
    auditor = service.client("auditor")
    for change in (
        lambda: jobs.start(auditor, "backtest", {"title": "past the page"}),
        lambda: jobs.upload(auditor, "a.jsonl", b"{}"),
        lambda: search.save(auditor, "x", "a text", None, True),
        lambda: quality.draw(auditor, 1),
    ):
        with pytest.raises(Forbidden):
            change()


def test_a_job_is_started_followed_and_read(service: Service) -> None:
    """Asked for with a title, it waits; cancelled it says so; done, its figures and samples are shown; a lead removes it."""
    app = page(service, "analyst", "audits", kind="backtest")
    button(app, "Start").click().run()
    assert "Give it a title" in all_text(app)
    app.text_input[0].set_value("last month")
    button(app, "Start").click().run()
    assert not app.exception
    job_id = app.query_params["job"][0] if isinstance(app.query_params["job"], list) else app.query_params["job"]
    assert list(app.dataframe[0].value["state"]) == ["Waiting"]
    button(app, "Cancel it").click().run()
    assert list(app.dataframe[0].value["state"]) == ["Cancelled"]
    asked = jobs.start(service.client("analyst"), "backtest", {"title": "another"})
    point = BacktestPoint(
        share=0.001, current=True, flagged=9, confirmed=3, dismissed=1, unlabelled=5, missed=0, expected_false=1.2,
        expected_false_interval=(0, 4),
    )  # fmt: skip
    summary = BacktestSummary(
        accounts=120, since=None, until=None, seconds=1, points=[point], confirmed=[], dismissed=[], unlabelled=[]
    )
    now = datetime.now(UTC)
    claimed = stored.claim(service.database, now)
    assert claimed is not None
    assert claimed.job_id == asked.job_id
    stored.end(service.database, asked.job_id, "done", now, summary=summary.model_dump_json())
    app = page(service, "lead", "audits", kind="backtest", job=asked.job_id)
    assert not app.exception
    assert list(app.dataframe[1].value["expected"]) == ["1.2 (0 to 4)"]
    button(app, "Remove").click().run()
    jobs.remove(service.client("lead"), job_id)
    assert jobs.jobs(service.client("auditor"), "backtest", 10, 0).total == 0


def test_an_audits_report_is_read_in_full_with_leave(service: Service) -> None:
    """Masked it is there for all; in full it takes a reason and a second person, for who asked alone, and an auditor cannot ask."""
    masked, full = "Report, prompts masked (HTML)", "Report in full (HTML)"
    asked = jobs.start(service.client("analyst"), "audit", {"title": "the old log", "source": {}})
    now = datetime.now(UTC)
    claimed = stored.claim(service.database, now)
    assert claimed is not None
    assert claimed.job_id == asked.job_id
    folder = service.folder / "jobs" / asked.job_id
    folder.mkdir(parents=True)
    for name in ("report.html", "report.masked.html"):
        (folder / name).write_text("<html></html>")
    summary = AuditSummary(
        events=9, accounts=2, rejected=0, flagged=0, watched=0, campaigns=0, expected_false=0, seconds=1, top=[],
        shadow=["Grading"],
    )  # fmt: skip
    stored.end(service.database, asked.job_id, "done", now, summary=summary.model_dump_json())

    def seen(role: Role) -> AppTest:
        return page(service, role, "audits", kind="audit", job=asked.job_id)

    def offered(role: Role) -> set[str]:
        return {b.label for b in seen(role).get("download_button")}

    assert "without any say: Grading." in all_text(seen("auditor"))
    assert offered("auditor") == offered("analyst") == {masked}
    assert "Ask to read" not in labels(seen("auditor"))
    app = seen("analyst")
    app.text_input(key=f"unmask_reason_{token(asked.job_id)}").set_value("what do they ask?")
    button(app, "Ask to read").click().run()
    assert "waits for a second person" in all_text(seen("analyst"))
    leave = jobs.job(service.client("analyst"), asked.job_id).unmasking
    assert leave is not None
    service.client("lead").approve("unmasking", leave.unmasking_id, "needed")
    assert offered("analyst") == {masked, full}
    assert "Leave holds until" in all_text(seen("analyst"))
    assert offered("lead") == {masked}
    jobs.remove(service.client("lead"), asked.job_id)


def test_a_lead_puts_a_signal_into_shadow(service: Service) -> None:
    """With a reason it is in shadow and heads the list with who and why, live again it is as before; others have no button."""
    for role in ("analyst", "auditor"):
        assert "Put into shadow" not in labels(page(service, role, "audits", kind="signals"))  # type: ignore[arg-type]
    app = page(service, "lead", "audits", kind="signals")
    assert set(app.dataframe[0].value["state"]) == {"Live"}
    button(app, "Put into shadow").click().run()
    assert "did not accept" in all_text(app)
    for label, state in (("Put into shadow", "◐ In shadow"), ("Make live", "Live")):
        app = page(service, "lead", "audits", kind="signals")
        index = [o.startswith("Grading") for o in app.selectbox(key="signal_chosen").options].index(True)
        app.selectbox(key="signal_chosen").select_index(index).run()
        app.text_input(key="signal_reason").set_value("too many teachers")
        button(app, label).click().run()
        assert not app.exception
        shown = app.dataframe[0].value.set_index("title").filter(like="Grading", axis=0)
        assert (shown["state"].iloc[0], shown["reason"].iloc[0]) == (state, "too many teachers")
    assert "0 in shadow" in all_text(app)


def test_a_comparison_of_signals_is_read(service: Service) -> None:
    """What would be lost and added in words, pairs as a picture and a table, and the accounts behind the chosen signal."""
    signals = [
        SignalOverlap(
            signal="grading", title="Grading", state="live", strong=9, anyway=6, only=2, confirmed=1, dismissed=0,
            unlabelled=1, samples=[OverlapAccount(account_id=HARVESTER, requests=120, state="open")],
        ),
        SignalOverlap(
            signal="logprobs", title="Log-probabilities", state="shadow", strong=4, anyway=4, only=0, confirmed=0,
            dismissed=0, unlabelled=0, samples=[],
        ),
    ]  # fmt: skip
    summary = SignalsSummary(
        accounts=120, flagged=8, since=None, until=None, seconds=1, strong_from=0.99, signals=signals,
        shared=[[1.0, 0.3], [0.3, 1.0]],
    )  # fmt: skip
    analyst = service.client("analyst")
    asked = jobs.start(analyst, "signals", {"title": "in autumn"})
    now = datetime.now(UTC)
    claimed = stored.claim(service.database, now)
    assert claimed is not None
    assert claimed.job_id == asked.job_id
    stored.end(service.database, asked.job_id, "done", now, summary=summary.model_dump_json())
    app = page(service, "analyst", "audits", kind="signals", job=asked.job_id)
    assert not app.exception
    tables = [frame.value for frame in app.dataframe]
    overlap = next(t for t in tables if "meaning" in t)
    assert list(overlap["meaning"]) == ["Live, it would add no flag", "In shadow, 2 flags would be lost"]
    assert [list(t["share"]) for t in tables if "share" in t] == [[30.0]]
    assert [list(t["account_id"]) for t in tables if "account_id" in t] == [[HARVESTER]]
    jobs.remove(service.client("lead"), asked.job_id)


def test_search_finds_saves_and_shares(service: Service, detector: Detector) -> None:
    """Without an index the page says why; with one it finds by text and by account, and keeps a query for others."""
    app = page(service, "analyst", "search", like=HARVESTER)
    assert "no index yet" in all_text(app)
    events = traffic()[0]
    made = Likeness.build(detector.profile(detector.features(events)), detector.codebook.centroids)
    path = service.folder / FILE
    path.write_bytes(made.to_bytes())
    try:
        app = page(service, "analyst", "search")
        app.text_area[0].set_value("Explain this theorem step by step")
        app.run()
        assert not app.exception
        assert len(app.dataframe) == 2  # alike, and at the top
        app.text_input[1].set_value("by steps")
        app.checkbox[0].check()
        button(app, "Save").click().run()
        assert [(q.name, q.mine) for q in search.queries(service.client("lead"))] == [("by steps", False)]
        app = page(service, "lead", "search", like=events[0].account_id)
        assert events[0].account_id not in set(app.dataframe[0].value["account_id"])
        search.forget(service.client("lead"), search.queries(service.client("lead"))[0].query_id)
    finally:
        path.unlink()


def test_samples_are_drawn_and_listed(service: Service) -> None:
    """Drawn at random, the accounts are listed for review, and the draw is in the trail."""
    app = page(service, "analyst", "performance")
    app.number_input[0].set_value(3)
    button(app, "Draw at random").click().run()
    assert not app.exception
    assert len(quality.samples(service.client("auditor")).items) == 3
    assert service.client("auditor").audit(1, 0).items[0].action == "sample.draw"
