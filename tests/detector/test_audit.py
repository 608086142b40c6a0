"""The batch audit end to end through the command line: outputs, exit codes, bad rows, engines."""

from __future__ import annotations

from pathlib import Path

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner

from detector.cli import app
from detector.simulate import PRESETS, simulate, write

RUN = CliRunner()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated log on disk."""
    folder = tmp_path_factory.mktemp("log")
    write(simulate(PRESETS["smoke"], 1), folder)
    return folder


@pytest.fixture(scope="module")
def audited(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its audit."""
    out = tmp_path_factory.mktemp("audit")
    result = RUN.invoke(app, ["audit", str(log / "events.jsonl"), "--out", str(out)])
    assert result.exit_code == 1, result.output
    return out


def test_every_account_has_a_row(log: Path, audited: Path) -> None:
    """accounts.parquet has one row for every account of the log, with risk in [0, 1] and a known verdict."""
    accounts = pl.read_parquet(audited / "accounts.parquet")
    labels = pl.read_parquet(log / "labels.parquet")
    events = pl.read_ndjson(log / "events.jsonl", infer_schema_length=None)
    assert accounts.columns == ["account_id", "risk", "verdict", "flagged_at", "campaign_id", "requests", "reasons"]
    assert set(accounts["account_id"]) == set(events["account_id"]) <= set(labels["account_id"])
    assert accounts["requests"].sum() == len(events)
    assert accounts["risk"].is_between(0, 1).all()
    assert set(accounts["verdict"]) <= {"flag", "watch", "clear"}
    assert accounts.filter(pl.col("verdict") == "flag")["flagged_at"].null_count() == 0


def test_reports_are_written(audited: Path) -> None:
    """report.json and report.html name the flagged accounts."""
    flagged = pl.read_parquet(audited / "accounts.parquet").filter(pl.col("verdict") == "flag")["account_id"].to_list()
    assert flagged
    page, document = (audited / "report.html").read_text(), msgspec.json.decode((audited / "report.json").read_bytes())
    assert all(a in page for a in flagged)
    assert document["run"]["events"] > 0


def test_the_evaluation_of_the_audit(log: Path, audited: Path) -> None:
    """evaluate finds that all that was planted is caught and no honest account flagged."""
    result = RUN.invoke(app, ["evaluate", str(audited), str(log)])
    assert result.exit_code == 0, result.output
    metrics = msgspec.json.decode((audited / "metrics.json").read_bytes())
    assert metrics["campaigns"]["rate"] == 1.0
    assert metrics["benign"]["k"] <= 1


def test_bad_rows_are_listed_and_stop_nothing(log: Path, tmp_path: Path) -> None:
    """rejected.jsonl lists file, line and reason; the other rows are audited; what is found decides on the exit code."""
    rows = (log / "events.jsonl").read_bytes().splitlines()[:50]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join([*rows[:20], b"{broken", b'{"event_id": "x"}', *rows[20:]]))
    result = RUN.invoke(app, ["audit", str(tmp_path / "log.jsonl"), "--out", str(tmp_path / "out")])
    accounts = pl.read_parquet(tmp_path / "out" / "accounts.parquet")
    assert result.exit_code == int((accounts["verdict"] == "flag").any()), result.output
    rejected = pl.read_ndjson(tmp_path / "out" / "rejected.jsonl")
    assert rejected["line"].to_list() == [21, 22]
    assert accounts["requests"].sum() == 50


def test_a_log_that_cannot_be_read_is_not_clean(tmp_path: Path) -> None:
    """Where not one row could be read the exit code is that of an error, and the reasons are in rejected.jsonl."""
    (tmp_path / "log.jsonl").write_text('{"event_id": "x"}\n{"event_id": "y"}\n')
    result = RUN.invoke(app, ["audit", str(tmp_path / "log.jsonl"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "not one row could be read (2 refused)" in " ".join(result.output.split())
    assert len(pl.read_ndjson(tmp_path / "out" / "rejected.jsonl")) == 2


def test_processes_find_the_same(log: Path, audited: Path, tmp_path: Path) -> None:
    """Split over files and processes, the audit gives the same risks."""
    rows = (log / "events.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "1.jsonl").write_bytes(b"".join(rows[::2]))
    (tmp_path / "log" / "2.jsonl").write_bytes(b"".join(rows[1::2]))
    result = RUN.invoke(app, ["audit", str(tmp_path / "log"), "--out", str(tmp_path / "out"), "--engine", "processes"])
    assert result.exit_code == 1, result.output
    one, two = (pl.read_parquet(p / "accounts.parquet").sort("account_id") for p in (audited, tmp_path / "out"))
    assert one.select("account_id", "verdict", pl.col("risk").round(9)).equals(
        two.select("account_id", "verdict", pl.col("risk").round(9))
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "nowhere.jsonl", "--out", "x"],
        ["audit", ".", "--format", "morse", "--out", "x"],
        ["simulate", "--out", "x", "--scenario", "none"],
        ["evaluate", "nowhere", "nothing"],
    ],
)
def test_errors_exit_with_two_and_a_sentence(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong input is exit code 2 with one line that says what is wrong."""
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2
    assert "error: " in result.output


def test_an_earlier_audit_leaves_no_profiles_behind(log: Path, tmp_path: Path) -> None:
    """What `--keep-profiles` wrote is gone with the next audit into the folder, and of an account that profiles lack it is said so."""
    rows = (log / "events.jsonl").read_bytes().splitlines()
    (tmp_path / "one.jsonl").write_bytes(b"\n".join(rows[:40]))
    (tmp_path / "two.jsonl").write_bytes(b"\n".join(rows[-400:]))
    out = tmp_path / "out"
    RUN.invoke(app, ["audit", str(tmp_path / "one.jsonl"), "--out", str(out), "--keep-profiles"])
    kept = (out / "profiles.bin").read_bytes()
    early = set(pl.read_parquet(out / "accounts.parquet")["account_id"])
    RUN.invoke(app, ["audit", str(tmp_path / "two.jsonl"), "--out", str(out)])
    assert not (out / "profiles.bin").exists()
    late = next(a for a in pl.read_parquet(out / "accounts.parquet")["account_id"] if a not in early)
    (out / "profiles.bin").write_bytes(kept)
    result = RUN.invoke(app, ["explain", late, "--audit", str(out)])
    assert result.exit_code == 2
    assert "is of another audit" in " ".join(result.output.split())


def test_a_folder_of_simulate_is_a_log(log: Path, tmp_path: Path) -> None:
    """What is true of the traffic lies beside it and is not read as a log."""
    result = RUN.invoke(app, ["audit", str(log), "--out", str(tmp_path)])
    assert result.exit_code == 1, result.output
    events = (log / "events.jsonl").read_bytes().count(b"\n")
    assert pl.read_parquet(tmp_path / "accounts.parquet")["requests"].sum() == events
    assert (tmp_path / "rejected.jsonl").read_bytes() == b""
