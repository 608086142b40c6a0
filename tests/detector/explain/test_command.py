"""The command explain: from a log and from an audit, for people and for programs, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from detector.cli import app
from detector.simulate import PRESETS, simulate, write


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["explain", *arguments])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated log on disk."""
    folder = tmp_path_factory.mktemp("log")
    write(simulate(PRESETS["smoke"], 1), folder)
    return folder / "events.jsonl"


@pytest.fixture(scope="module")
def audit(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its audit, profiles kept."""
    out = tmp_path_factory.mktemp("audit")
    result = CliRunner().invoke(app, ["audit", str(log), "--out", str(out), "--keep-profiles"])
    assert result.exit_code == 1, result.output
    return out


@pytest.fixture
def bare(audit: Path, tmp_path: Path) -> Path:
    """The audit as it is without ``--keep-profiles``."""
    for file in ("accounts.parquet", "report.json"):
        (tmp_path / file).write_bytes((audit / file).read_bytes())
    return tmp_path


def some(audit: Path, verdict: str) -> str:
    """The account of a verdict that made the most requests."""
    accounts = pl.read_parquet(audit / "accounts.parquet").filter(pl.col("verdict") == verdict)
    return str(accounts.sort("requests", "account_id", descending=True)["account_id"][0])


def rounded(value: Any) -> Any:
    """The same JSON with floats to nine digits: some are sums in the order of the rows."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def decoded(result: Result) -> dict[str, Any]:
    """The JSON on standard output."""
    return msgspec.json.decode(result.stdout)


@pytest.mark.parametrize(("verdict", "code"), [("flag", 1), ("clear", 0)])
def test_log_and_audit_explain_alike(log: Path, audit: Path, verdict: str, code: int) -> None:
    """The log and its audit with profiles give the same explanation; the exit code tells whether the account is flagged."""
    account = some(audit, verdict)
    one, two = run(account, str(log), "--json"), run(account, "--audit", str(audit), "--json")
    assert (one.exit_code, two.exit_code) == (code, code), one.output + two.output
    a, b = decoded(one), decoded(two)
    assert a["account"]["verdict"] == verdict
    assert [t["template_id"] for t in a["account"].pop("templates")] or verdict == "clear"
    b["account"].pop("templates")
    assert rounded(a) == rounded(b)


def test_a_person_reads_it(log: Path, audit: Path) -> None:
    """Progress, verdict, evidence, templates in words and what would change the verdict are printed."""
    account = some(audit, "flag")
    result = run(account, str(log))
    assert result.exit_code == 1, result.output
    for words in (
        "reading: done",
        account,
        "FLAG",
        "Evidence for",
        "Evidence against",
        "Templates",
        "What would change",
    ):
        assert words in result.output, words


def test_an_audit_without_profiles_tells_what_it_can(audit: Path, bare: Path) -> None:
    """The reasons of a flagged account come from the report; what would change the verdict needs the profile, and it is said how to get it."""
    result = run(some(audit, "flag"), "--audit", str(bare))
    assert result.exit_code == 1, result.output
    assert "Evidence for" in result.output
    assert "--keep-profiles" in result.output
    result = run(some(audit, "clear"), "--audit", str(bare))
    assert result.exit_code == 2
    assert "--keep-profiles" in result.output


def test_another_calibration_is_noticed(audit: Path, bare: Path) -> None:
    """Where the assessment repeated gives another risk than the audit did, it is an error and no explanation."""
    account = some(audit, "flag")
    (bare / "profiles.bin").write_bytes((audit / "profiles.bin").read_bytes())
    accounts = pl.read_parquet(bare / "accounts.parquet")
    accounts.with_columns(pl.col("risk") * 0.9).write_parquet(bare / "accounts.parquet")
    result = run(account, "--audit", str(bare))
    assert result.exit_code == 2
    assert "--calibration" in result.output


def test_an_unknown_account_names_the_nearest(audit: Path) -> None:
    """A mistyped id is an error that names ids like it."""
    account = some(audit, "flag")
    result = run(account[:-1], "--audit", str(audit))
    assert result.exit_code == 2
    assert account in result.output


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["acct_1"], "--audit"),
        (["acct_1", "log.jsonl", "--audit", "x"], "--audit"),
        (["acct_1", "nowhere.jsonl"], "nowhere.jsonl"),
        (["acct_1", "--audit", "nowhere"], "holds no audit"),
    ],
)
def test_errors_say_what_to_do(arguments: list[str], hint: str) -> None:
    """Wrong input is exit code 2 and one sentence."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "error: " in result.output
    assert hint in result.output
