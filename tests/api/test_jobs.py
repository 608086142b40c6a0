"""Audits, rehearsals and backtests: asked for over HTTP, done beside the worker, in a process of their own."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.base import Role
from api.schemas.jobs import AuditIn, JobDetail, SignalsSummary
from api.services.jobs import files, running
from api.services.jobs.runner import Runner
from api.services.masking import DOT
from api.settings import Settings
from api.storage import audit, cases, decisions, jobs
from api.storage.engine import Database
from api.worker import Worker
from detector.pipeline import Detector
from detector.signals import SIGNALS
from tests.api.test_worker import drain, put, small, traffic

Headers = dict[Role, dict[str, str]]
WAIT_SECONDS = 240
NOW = datetime(2026, 9, 7, tzinfo=UTC)


def ask(http: TestClient, headers: Headers, role: Role = "analyst", **body: Any) -> str:
    """Ask for a job; its id."""
    answer = http.post("/v1/jobs", headers=headers[role], json={"title": "a test", **body})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def look(http: TestClient, headers: Headers, job_id: str) -> JobDetail:
    """One job."""
    return JobDetail.model_validate(http.get(f"/v1/jobs/{job_id}", headers=headers["auditor"]).json())


def do(database: Database, settings: Settings) -> None:
    """Do the next job in this process, as the process of its own would."""
    row = jobs.claim(database, datetime.now(UTC))
    assert row is not None
    running.run(settings, database, row.job_id)


@pytest.fixture
def filled(database: Database, settings: Settings, detector: Detector) -> Worker:
    """A week of small traffic, assessed."""
    put(database, traffic()[0])
    worker = Worker(database, detector, small(settings))
    drain(worker)
    return worker


def test_an_audit_of_stored_events_agrees_with_the_stream(
    http: TestClient, headers: Headers, database: Database, settings: Settings, filled: Worker
) -> None:
    """The same accounts are flagged; the report's prompts are masked, in full with leave, and who reads it is in the audit trail."""
    job_id = ask(http, headers, kind="audit")
    assert look(http, headers, job_id).state == "queued"
    do(database, settings)
    done = look(http, headers, job_id)
    assert (done.state, done.error) == ("done", None)
    assert done.audit is not None
    flagged = {f.account_id for _, f in cases.findings(database) if f.verdict == "flag"}
    assert {a.account_id for a in done.audit.top} == flagged
    assert set(done.files) >= {
        "report.html",
        "report.json",
        "report.masked.html",
        "report.masked.json",
        "accounts.parquet",
    }

    def report(name: str, role: Role) -> Any:
        return http.get(f"/v1/jobs/{job_id}/files/{name}", headers=headers[role])

    before = audit.page(database, 1, 0)[1]
    got = report("report.masked.html", "auditor")
    assert (got.status_code, "attachment" in got.headers["content-disposition"]) == (200, True)
    assert b"<html" in got.content[:500]
    masked = report("report.masked.json", "auditor").json()
    assert audit.page(database, 1, 0)[1] == before
    for role in ("auditor", "analyst", "admin"):
        assert report("report.html", role).status_code == report("report.json", role).status_code == 403
    read = {"subject": "job", "subject_id": job_id, "reason": "what do they ask?"}
    assert http.post("/v1/unmaskings", json=read, headers=headers["auditor"]).status_code == 403
    asked = http.post("/v1/unmaskings", json=read, headers=headers["analyst"]).json()
    assert report("report.json", "analyst").status_code == 403
    http.post(
        f"/v1/approvals/unmasking/{asked['unmasking_id']}/approve", json={"reason": "needed"}, headers=headers["lead"]
    )
    full = report("report.json", "analyst").json()
    assert report("report.json", "lead").status_code == 403
    newest = audit.page(database, 1, 0)[0][0]
    assert (newest.action, newest.subject, newest.actor[:11]) == ("prompts.read", f"job {job_id}", "the analyst")
    assert newest.detail["file"] == "report.json"
    shown = http.get(f"/v1/jobs/{job_id}", headers=headers["analyst"]).json()
    assert shown["unmasking"]["state"] == "live"
    assert full["examples"].keys() == masked["examples"].keys() != set()
    for event_id, example in full["examples"].items():
        under = masked["examples"][event_id]
        assert (len(under["prompt"]), len(under["response"])) == (len(example["prompt"]), len(example["response"]))
        assert DOT in under["prompt"]
        assert under["prompt"] != example["prompt"]
        assert example["prompt"][:40] not in got.text
    slots = [s for f in (*masked["accounts"], *masked["campaigns"]) for t in f["templates"] for s in t["slot_examples"]]
    assert all(DOT in s for s in slots if any(c.isalnum() for c in s.replace(DOT, "")))
    assert http.get(f"/v1/jobs/{job_id}/files/..%2Ftest.db", headers=headers["admin"]).status_code == 404
    period = ask(http, headers, kind="audit", source={"since": "2020-01-01T00:00:00Z", "until": "2020-02-01T00:00:00Z"})
    do(database, settings)
    assert look(http, headers, period).error == "no event is stored of this period"


def test_an_audit_of_a_file(http: TestClient, headers: Headers, database: Database, settings: Settings) -> None:
    """An uploaded file is audited like one on the command line, with the signals that did not count; what is no log fails in clear words."""
    log = b"\n".join(msgspec.json.encode(e) for e in traffic()[0][:300])
    sent = http.post("/v1/uploads?name=our%20log.jsonl", headers=headers["analyst"], content=log).json()
    assert (sent["name"], sent["bytes"]) == ("our log.jsonl", len(log))
    shadow = {"state": "shadow", "reason": "a trial"}
    assert http.put("/v1/signals/grading", json=shadow, headers=headers["lead"]).status_code == 200
    job_id = ask(http, headers, kind="audit", source={"upload_id": sent["upload_id"]})
    do(database, settings)
    done = look(http, headers, job_id)
    assert done.audit is not None, done.error
    assert done.audit.events == 300
    assert done.audit.shadow == [s.title for s in SIGNALS if s.name == "grading"]
    report = http.get(f"/v1/jobs/{job_id}/files/report.masked.html", headers=headers["auditor"]).text
    assert "Signals in shadow, which did not count</dt><dd>" + done.audit.shadow[0] in report
    for name, content, why in (("x.exe", b"x", "no format"), ("x.jsonl", b"", "empty")):
        answer = http.post(f"/v1/uploads?name={name}", headers=headers["analyst"], content=content)
        assert (answer.status_code, why in answer.json()["detail"]) == (422, True)
    assert not list(
        (settings.data_dir / "uploads").iterdir()
    )  # what has served is gone, what is refused was never kept
    for name, content, why in (
        ("a.parquet", b"noise", "no Parquet file"),
        ("a.jsonl", b'{"x": 1}', "not one row could be read (1 refused)"),
    ):
        noise = http.post(f"/v1/uploads?name={name}", headers=headers["analyst"], content=content).json()
        job_id = ask(http, headers, kind="audit", source={"upload_id": noise["upload_id"]})
        do(database, settings)
        failed = look(http, headers, job_id)
        assert (failed.state, failed.audit) == ("failed", None)
        assert why in (failed.error or "")


def test_files_on_the_server_stay_in_their_folder(settings: Settings, headers: Headers, tmp_path: Path) -> None:
    """Only logs of the folder that the operator set can be named, by no path and no link out of it."""
    root = tmp_path / "logs"
    root.mkdir()
    (root / "a.jsonl").write_text("{}")
    (tmp_path / "secret.jsonl").write_text("{}")
    (root / "out.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with TestClient(create_app(settings.model_copy(update={"audit_dir": root}))) as http:
        listed = http.get("/v1/files", headers=headers["analyst"]).json()
        assert [f["file"] for f in listed] == ["a.jsonl"]
        for name, status in (
            ("a.jsonl", 202),
            ("../secret.jsonl", 422),
            ("out.jsonl", 422),
            (str(tmp_path / "secret.jsonl"), 422),
        ):
            body = {"kind": "audit", "title": "t", "source": {"file": name}}
            assert http.post("/v1/jobs", headers=headers["analyst"], json=body).status_code == status, name
    assert files.on_server(settings) == []


def test_a_backtest_counts_what_people_found(
    http: TestClient, headers: Headers, database: Database, settings: Settings, filled: Worker
) -> None:
    """Looser thresholds flag no less; confirmed, dismissed and unlabelled add up; the one that holds flags what is flagged."""
    flagged = [f.account_id for _, f in cases.findings(database) if f.verdict == "flag"]
    assert len(flagged) > 2
    decisions.decide(database, "account", flagged[0], "confirm", "seen", "test")
    job_id = ask(http, headers, kind="backtest", shares=[0.0005, 0.01])
    do(database, settings)
    done = look(http, headers, job_id).backtest
    assert done is not None
    assert [p.share for p in done.points] == [0.0005, 0.001, 0.01]
    assert all(p.flagged == p.confirmed + p.dismissed + p.unlabelled for p in done.points)
    assert sorted(p.flagged for p in done.points) == [p.flagged for p in done.points]
    current = next(p for p in done.points if p.current)
    assert (current.flagged, current.confirmed, current.missed) == (len(flagged), 1, 0)
    assert [a.account_id for a in done.confirmed] == [flagged[0]]
    assert {a.account_id for a in done.unlabelled} >= set(flagged[1:])


@pytest.mark.parametrize(
    "database_url", ["sqlite"], indirect=True
)  # what is stored of a job is tested on both by others
def test_a_comparison_tells_what_hangs_on_each_signal(
    http: TestClient, headers: Headers, database: Database, settings: Settings, filled: Worker
) -> None:
    """What would be lost without a live signal is what it adds once it is in shadow, by what people found of it."""
    flagged = {f.account_id for _, f in cases.findings(database) if f.verdict == "flag"}

    def compare() -> SignalsSummary:
        job_id = ask(http, headers, kind="signals")
        do(database, settings)
        done = look(http, headers, job_id)
        assert done.signals is not None, done.error
        assert done.files == ["signals.json"]
        return done.signals

    first = compare()
    assert first.flagged == len(flagged)
    assert {s.state for s in first.signals} == {"live"}
    assert len(first.shared) == len(first.signals) == sum(s.direction == "for" for s in SIGNALS)
    most = max(first.signals, key=lambda s: s.only)
    assert most.only == len(most.samples) == most.unlabelled > 0
    assert {a.account_id for a in most.samples} <= flagged
    decisions.decide(database, "account", most.samples[0].account_id, "confirm", "seen", "test")
    http.put(f"/v1/signals/{most.signal}", json={"state": "shadow", "reason": "a trial"}, headers=headers["lead"])
    second = compare()
    assert second.flagged == first.flagged - most.only
    again = next(s for s in second.signals if s.signal == most.signal)
    assert (again.state, again.only, again.confirmed, again.unlabelled) == ("shadow", most.only, 1, most.only - 1)
    assert (again.strong, again.anyway) == (most.strong, most.anyway)
    assert again.samples[0].state == "confirmed"
    job_id = ask(http, headers, kind="backtest")
    do(database, settings)
    backtest = look(http, headers, job_id).backtest
    assert backtest is not None
    assert next(p for p in backtest.points if p.current).flagged == second.flagged


def test_a_rehearsal_tells_blind_spots(
    http: TestClient, headers: Headers, database: Database, settings: Settings, filled: Worker
) -> None:
    """Every planted campaign is told of, and nothing of it is stored among the events or findings."""
    before = {f.account_id for _, f in cases.findings(database)}
    plan = {"families": ["reasoning"], "accounts": [1], "covers": [0.0], "repeats": 1}
    job_id = ask(http, headers, kind="rehearsal", **plan)
    do(database, settings)
    done = look(http, headers, job_id)
    assert done.rehearsal is not None, done.error
    assert (done.rehearsal.planted, len(done.rehearsal.shapes)) == (1, 1)
    assert "rehearsal.html" in done.files
    assert {f.account_id for _, f in cases.findings(database)} == before
    unknown = http.post(
        "/v1/jobs", headers=headers["lead"], json={"kind": "rehearsal", "title": "t", "families": ["x"]}
    )
    assert unknown.status_code == 422


def test_who_may_do_what(http: TestClient, headers: Headers) -> None:
    """Analysts start and cancel, leads remove, auditors read; a gateway does nothing of it."""
    body = {"kind": "backtest", "title": "t"}
    for role, status in (("auditor", 403), ("gateway", 403), ("analyst", 202)):
        assert http.post("/v1/jobs", headers=headers[role], json=body).status_code == status  # type: ignore[index]
    job_id = http.get("/v1/jobs", headers=headers["auditor"]).json()["items"][0]["job_id"]
    path = f"/v1/jobs/{job_id}"
    assert http.get(path, headers=headers["gateway"]).status_code == 403
    assert http.post(f"{path}/cancel", headers=headers["auditor"]).status_code == 403
    assert http.delete(path, headers=headers["lead"]).status_code == 409  # it waits
    assert http.post(f"{path}/cancel", headers=headers["analyst"]).json()["state"] == "cancelled"
    assert http.post(f"{path}/cancel", headers=headers["analyst"]).status_code == 409
    assert http.delete(path, headers=headers["analyst"]).status_code == 403
    assert http.delete(path, headers=headers["lead"]).status_code == 204
    assert http.get(path, headers=headers["lead"]).status_code == 404
    for role in ("auditor", "gateway"):
        assert http.post("/v1/uploads?name=a.jsonl", headers=headers[role], content=b"{}").status_code == 403  # type: ignore[index]


def test_impossible_sources_are_refused(http: TestClient, headers: Headers) -> None:
    """What cannot be read is refused when it is asked for, not when it is done."""
    sources: list[dict[str, str]] = [
        {"upload_id": "0" * 32},
        {"upload_id": "../../etc"},
        {"file": "a.jsonl"},
        {"upload_id": "0" * 32, "file": "a"},
        {"since": "2026-09-08T00:00:00Z", "until": "2026-09-07T00:00:00Z"},
        {"since": "2026-09-08T00:00:00"},
        {"format": "no such"},
    ]
    for source in sources:
        body = {"kind": "audit", "title": "t", "source": source}
        assert http.post("/v1/jobs", headers=headers["analyst"], json=body).status_code == 422, source


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_job_survives_its_worker_and_its_own_death(
    database: Database, settings: Settings, detector: Detector
) -> None:
    """Stopped with the worker it waits; killed it starts again; at last it is done. It is never done twice at once."""
    put(database, traffic()[0])
    drain(Worker(database, detector, small(settings)))
    job_id = jobs.create(database, AuditIn(kind="audit", title="t"), "test", datetime.now(UTC)).job_id

    def state() -> Any:
        return jobs.get(database, job_id)

    runner = Runner(database, settings)
    runner.step()
    assert state().state == "running"
    runner.close()
    assert (state().state, state().attempts) == ("queued", 0)
    runner = Runner(database, settings)
    runner.step()
    assert jobs.claim(database, datetime.now(UTC)) is None
    assert runner._process is not None
    os.kill(runner._process.pid, signal.SIGKILL)
    until(lambda: runner.step() and state().state == "queued")
    until(lambda: (runner.step(), state().state == "done")[1])
    assert state().attempts == 2
    assert json.loads(state().summary)["events"] == len(traffic()[0])


def test_a_job_that_always_dies_is_given_up(database: Database) -> None:
    """After some starts whose process fell silent a job fails, with a hint; one that is cancelled while it runs stops."""
    first = jobs.create(database, AuditIn(kind="audit", title="t"), "test", NOW).job_id
    now = NOW
    for _ in range(jobs.MAX_ATTEMPTS):
        claimed = jobs.claim(database, now)
        assert claimed is not None
        now += jobs.SILENT + timedelta(seconds=1)
    assert jobs.claim(database, now) is None
    row = jobs.get(database, first)
    assert row is not None
    assert (row.state, "memory" in row.error) == ("failed", True)
    second = jobs.create(database, AuditIn(kind="audit", title="t"), "test", now).job_id
    jobs.claim(database, now)
    assert jobs.tell(database, second, "reading", 0.5, now)
    jobs.cancel(database, second, "test", now)
    assert not jobs.tell(database, second, "reading", 0.6, now)
