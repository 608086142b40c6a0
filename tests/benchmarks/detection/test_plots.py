"""The plots show what the results say, are the same for the same results, and say what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.detection.baselines.measure import ALLOWED, CURVES, SHIPPED, STRICT, AtRate, Comparison
from benchmarks.detection.plots import AXES, OURS, Fold, Results, draw, percent
from detector.evaluate import Rate


def at(caught: int, settings: bool = True) -> AtRate:
    """Figures of a method that caught so many of 20 campaigns."""
    rate = Rate.of(caught, 20)
    curves = {
        "cover": {"0": Rate.of(5, 5), "0.8": Rate.of(caught // 4, 5)},
        "accounts": {"1": rate, "100": rate},
        "paraphrases": {"1": rate},
        "requests": {"1–20": rate, "over 500": rate},
    }
    return AtRate(rate, rate, Rate.of(3, 1000), Rate.of(1, 100), curves if settings else {})


def results(settings: bool = True) -> Results:
    """Ours and two other methods."""
    methods = {
        name: Comparison(0.9, 0.8, {str(ALLOWED): at(loose, settings), str(STRICT): at(strict, settings)})
        for name, loose, strict in (("PRADA", 1, 0), ("SEAT", 4, 2), (OURS, 19, 17))
    }
    methods[OURS].at[SHIPPED] = at(18, settings)
    families = {"reasoning": Rate.of(9, 10), "session_replay": Rate.of(4, 10)}
    seeds = {
        "1": Fold({"reasoning": Rate.of(5, 5), "session_replay": Rate.of(1, 5)}),
        "2": Fold({"reasoning": Rate.of(4, 5)}),
    }
    return Results(methods, Fold(families), seeds)


def words(path: Path) -> list[str]:
    """All texts of an SVG, in the order in which they are drawn."""
    return re.findall(r"<text[^>]*>([^<]+)</text>", path.read_text())


def test_the_pictures_say_what_the_results_say(tmp_path: Path) -> None:
    """Ours comes first, the others by what they catch; axes have units; intervals' values and counts are written out."""
    methods, curves, families = draw(results(), tmp_path)
    said = words(methods)
    assert [s for s in said if s in ("PRADA", "SEAT", OURS)] == [OURS, "SEAT", "PRADA"]
    assert {"95 %", "85 %", "20 %", "5 %", "0 %"} <= set(said)
    assert "Campaigns caught (of 20)" in said
    said = words(curves)
    assert {title for title, _ in AXES.values()} <= set(said)
    assert {axis for _, axis in AXES.values()} | {"campaigns caught (%)"} <= set(said)
    assert f"{OURS} (0.3 % of honest accounts flagged)" in said
    assert "SEAT, best of the others (0.3 % of honest accounts flagged)" in said
    said = words(families)
    assert {"session replay", "9/10", "4/10", "seed 1", "1/5", "all"} <= set(said)
    assert said.count("4/5") == 1


def test_folds_come_before_seeds(tmp_path: Path) -> None:
    """Where the results have folds, the heat map shows these."""
    shown = results()
    shown.by_fold = {"without_reasoning": Fold({"reasoning": Rate.of(7, 8)}), "without_relay": Fold({})}
    said = words(draw(shown, tmp_path)[-1])
    assert {"without reasoning", "7/8"} <= set(said)
    assert "seed 1" not in said


def test_folds_of_a_kind_are_one_column(tmp_path: Path) -> None:
    """Folds that differ in their number alone are added up."""
    shown = results()
    shown.by_fold = {
        "without families 1": Fold({"reasoning": Rate.of(1, 6)}),
        "without families 2": Fold({"reasoning": Rate.of(4, 7)}),
    }
    said = words(draw(shown, tmp_path)[-1])
    assert {"without families", "5/13"} <= set(said)
    assert "without families 1" not in said


def test_results_without_settings_have_no_curves(tmp_path: Path) -> None:
    """What the results do not tell is not drawn."""
    assert [p.name for p in draw(results(settings=False), tmp_path)] == [
        "detection-methods.svg",
        "detection-families.svg",
    ]


def test_same_results_give_the_same_files(tmp_path: Path) -> None:
    """Two runs differ in no byte, so that a commit shows a change of the figures only."""
    once, again = draw(results(), tmp_path / "a"), draw(results(), tmp_path / "b")
    assert [p.read_bytes() for p in once] == [p.read_bytes() for p in again]


def test_the_curves_are_those_that_are_measured() -> None:
    """Every measured curve has its axis."""
    assert tuple(AXES) == CURVES


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.00117, "0.12 %"), (0.0095, "0.95 %"), (0.031, "3 %"), (1.0, "100 %")]
)
def test_percents_are_short(share: float, text: str) -> None:
    """Two digits below one percent, whole percents above."""
    assert percent(share) == text


def test_the_command_draws_a_file(tmp_path: Path) -> None:
    """Results written as JSON become pictures, as PNG when asked for."""
    (tmp_path / "results.json").write_bytes(msgspec.json.encode(results()))
    run = command("--results", tmp_path / "results.json", "--out", tmp_path, "--format", "png")
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.split()) == 3
    assert all(Path(p).read_bytes().startswith(b"\x89PNG") for p in run.stdout.split())


@pytest.mark.parametrize("content", [None, b"{", b"{}", b'{"methods": {}, "all": {"families": {}}}'])
def test_bad_results_get_a_clear_error(tmp_path: Path, content: bytes | None) -> None:
    """A missing file, no JSON, or other JSON: the message names the file and the command that makes it."""
    file = tmp_path / "results.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises((FileNotFoundError, ValueError), match=r"results\.json.*benchmarks\.detection\.run"):
        Results.read(file)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the module as a user would."""
    root = Path(__file__).parents[3]
    words = [sys.executable, "-m", "benchmarks.detection.plots", *map(str, arguments)]
    return subprocess.run(words, cwd=root, capture_output=True, text=True)
