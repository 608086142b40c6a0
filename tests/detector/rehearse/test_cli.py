"""The command: its files, its words, its errors."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from detector.cli import app
from detector.rehearse.console import SHOWN_SPOTS, print_rehearsal
from detector.rehearse.plan import ACCOUNTS, BUDGET, COVERS, PARAPHRASES, REPEATS, Plan
from detector.rehearse.results import Disturbance
from detector.report.rehearsal import RehearsalRun
from detector.simulate import HARVESTS, Scenario, simulate, write
from tests.detector.rehearse.builders import outcome, rehearsal, shape

RUN = CliRunner()
SMALL = ["--family", "reasoning", "--accounts", "1,4", "--requests", "20", "--cover", "0,0.8", "--repeats", "1"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log of honest people on disk, with a row that cannot be read."""
    folder = tmp_path_factory.mktemp("log")
    write(simulate(Scenario(days=2, tenants={"chat_user": 40, "heavy_user": 2}), 6), folder)
    file = folder / "events.jsonl"
    file.write_bytes(file.read_bytes() + b"{broken\n")
    return file


def test_the_command_writes_its_files(log: Path, tmp_path: Path) -> None:
    """The page, the document and the table of campaigns are there and agree; the exit is 0 whatever is missed."""
    out = tmp_path / "new" / "rehearsal"
    result = RUN.invoke(app, ["rehearse", str(log), "--out", str(out), *SMALL])
    assert result.exit_code == 0, result.output
    table = pl.read_parquet(out / "rehearsal.parquet")
    document = msgspec.json.decode((out / "rehearsal.json").read_bytes())
    assert len(table) == len(document["shapes"]) == 4
    assert document["run"]["rejected"] == 1
    assert document["log"]["accounts"] == document["own_accounts"]["accounts"] == 42
    assert {s["cover"]: s["caught"]["k"] for s in document["shapes"] if s["accounts"] == 4} == dict(
        table.filter(pl.col("accounts") == 4).select("cover", pl.col("caught").cast(pl.Int64)).iter_rows()
    )
    assert table["signals"].dtype == pl.List(pl.String)
    assert "reasoning elicitation" in (out / "rehearsal.html").read_text().lower()
    for words in ("reasoning elicitation", "1×20", "Own accounts whose verdict the planting changed", "rehearsal.html"):
        assert words in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--family", "nonsense"], "unknown family nonsense: choose among sft_pairs"),
        (["--accounts", "1;5"], "--accounts 1;5: give numbers with commas between them, e.g. 1,5,25"),
        (["--cover", "80%"], "--cover 80%: give numbers with commas between them, e.g. 0,0.5,0.8"),
        (["--cover", "80"], "between 0 and 0.95"),
        (["--identity", "stolen"], "--identity stolen: choose one of shared, partly, unshared"),
        (["--budget", "10"], "raise the budget"),
        (["--calibration", "nowhere"], "holds no calibration"),
    ],
)
def test_wrong_options(arguments: list[str], words: str, log: Path, tmp_path: Path) -> None:
    """Each is exit 2 with a sentence that says what to write, and leaves no files."""
    result = RUN.invoke(app, ["rehearse", str(log), "--out", str(tmp_path / "out"), *arguments])
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (0, "is empty"),
        (None, "the log holds no events that can be read (1 row rejected)"),
        (1, "the log is too small: 1 request of 1 account."),
    ],
)
def test_wrong_logs(rows: int | None, words: str, log: Path, tmp_path: Path) -> None:
    """A log that is empty, holds nothing readable, or one account alone is exit 2 with what is wrong."""
    lines = log.read_bytes().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_bytes(b"{broken\n" if rows is None else b"".join(lines[:rows]))
    result = RUN.invoke(app, ["rehearse", str(tmp_path / "log.jsonl"), "--out", str(tmp_path / "out"), *SMALL])
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())


def test_help_names_the_defaults_of_the_plan() -> None:
    """What --help says the defaults are is what the plan has."""
    result = RUN.invoke(app, ["rehearse", "--help"], env={"COLUMNS": "200"})
    for values in (ACCOUNTS, [f"{c:g}" for c in COVERS], PARAPHRASES, (REPEATS,), (BUDGET,)):
        assert f"[default: {','.join(map(str, values))}]" in result.output
    assert f"all {len(HARVESTS)}" in result.output
    assert Plan().identity in result.output


def printed(width: int, *outcomes: object, **fields: object) -> str:
    """What the terminal shows of a rehearsal."""
    found = rehearsal(*outcomes, **fields)  # type: ignore[arg-type]
    run = RehearsalRun(files=["log.jsonl"], format="auto", rejected=2, bytes=1000, seconds=3.0, rehearsal=found)
    out = io.StringIO()
    print_rehearsal(Console(file=out, width=width, highlight=False), run, Path("out"))
    return out.getvalue().replace("\u00a0", " ")


@pytest.mark.parametrize("width", [50, 80, 100, 120, 200])
def test_the_table_fits_the_terminal(width: int) -> None:
    """On any terminal no line is broken off: narrow ones get symbols alone, wide ones the figures too."""
    grid = [shape(f, a, c) for f in HARVESTS for a in (1, 5, 25, 100) for c in (0.0, 0.5, 0.8)]
    text = printed(width, *(outcome(s, s.cover == 0) for s in grid))
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text.replace("… and", "")
    assert ("● 1/1" in text) == (width >= 120)
    assert "1×20" in text
    assert "100×20" in text


def test_what_to_know_is_said() -> None:
    """Skipped shapes, missing repeats, changed verdicts and the sentences beyond the shown ones are all told."""
    many = [outcome(shape("relay", n), False) for n in range(1, SHOWN_SPOTS + 4)]
    text = printed(
        140,
        *many,
        repeats=1,
        skipped=[shape("relay", 500)],
        disturbance=Disturbance(accounts=100, assessments=9, changed={"acct_1": 3}, newly_flagged=1),
    )
    for words in (
        "… and 3 more in the report",
        "1 shape left out as too large for this log (those of 500 accounts)",
        "enough for 1 of 3 repeats",
        "changed: 1 of 100, in 9 assessments",
        "2 rows not readable",
    ):
        assert words in text, words
