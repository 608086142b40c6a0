"""rehearsal.html, .json and .parquet: whole, harmless, and true to the rehearsal."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import polars as pl
import pytest

from detector.rehearse.plan import Plan
from detector.rehearse.results import Disturbance, Rehearsal
from detector.report.rehearsal import MAX_CHANGED, RehearsalRun, document, render, write_rehearsal
from detector.simulate import HARVESTS
from tests.detector.rehearse.builders import outcome, rehearsal, shape
from tests.detector.report.html import Page
from tests.detector.report.test_page import HIDDEN, HOSTILE, LOADING

GRID = [shape(f, a, c) for f in ("grader", "logprobs", "relay") for a in (1, 25) for c in (0.0, 0.8)]


def run(found: Rehearsal | None = None, file: str = "log.jsonl") -> RehearsalRun:
    """A run, by default of a grid of which what has cover is missed."""
    made = found or rehearsal(*(outcome(s, s.cover == 0, repeat) for s in GRID for repeat in range(3)))
    return RehearsalRun(files=[file], format="auto", rejected=2, bytes=1000, seconds=3.0, rehearsal=made)


def page(of: RehearsalRun) -> Page:
    """The parsed page, which closes what it opens, runs and loads nothing, and whose links lead somewhere."""
    html = render(of)
    parsed = Page(html)
    assert parsed.faults == []
    assert not parsed.tags & {"script", "img", "iframe", "link", "base", "object", "form"}
    assert not [a for a in parsed.attributes if a[1] in LOADING or a[1].startswith("on") or a[1] == "style"]
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {h for h in parsed.hrefs if not h.startswith("#")} == set()
    assert {h[1:] for h in parsed.hrefs} <= set(parsed.ids)
    assert not re.search(r'"(nan|inf|-inf)"|[ M](nan|inf)', html)
    assert not HIDDEN.search(html)
    return parsed


def words(parsed: Page) -> str:
    """All that a reader sees, on one line."""
    return " ".join(parsed.text.replace("\u00a0", " ").split())


def test_says_what_was_found() -> None:
    """Totals, blind spots in words, the matrix, every shape with its interval, and what caught it are on the page."""
    assert not re.search(r"https?://|url\(|@import", render(run()))
    text = words(page(run()))
    for expected in (
        "36 simulated campaigns planted into 5,000 requests of 100 accounts, 2026-09-07 00:00 to 2026-09-14 00:00 UTC",
        "12 shapes, 3 repeats", "6 of 12 shapes would more likely be missed than caught.",
        "80 % of them ordinary traffic, would be missed whatever its harvest is (caught in 0 of 9 rehearsals).",
        "● 3/3", "○ 0/3", "44 % to 100 %", "0 % to 56 %", "reasoning elicitation", "neither network nor payment",
        "risk of 90 % or more", "at most 20 % of accounts",
    ):  # fmt: skip
        assert expected in text, expected


def test_pictures_say_in_words_what_they_show() -> None:
    """Each picture names its points for those who cannot see it; there is one a family, one over all, one of exposure."""
    labels = [v for tag, name, v in page(run()).attributes if tag == "svg" and name == "aria-label"]
    assert len(labels) == 2 + 3
    assert (
        labels[0]
        .replace("\u00a0", " ")
        .startswith("Share caught: 1 account, 0 % cover: 100 %; 1 account, 80 % cover: 0 %")
    )
    assert "25 accounts, 0 % cover: 25 %" in labels[1].replace("\u00a0", " ")  # fmt: skip


@pytest.mark.parametrize("attack", HOSTILE)
def test_names_stay_text(attack: str) -> None:
    """Names of files and of the log's accounts change no element of the page."""
    changed = Disturbance(accounts=100, assessments=4, changed={attack: 2}, newly_flagged=0)
    made = run(rehearsal(outcome(GRID[0], True), disturbance=changed), attack)
    plain = run(rehearsal(outcome(GRID[0], True), disturbance=msgspec.structs.replace(changed, changed={"acct": 2})))
    assert page(made).tags == page(plain).tags
    assert msgspec.json.decode(document(made))["own_accounts"]["accounts"] == 100


def test_odd_rehearsals() -> None:
    """One shape alone, several wordings, skipped shapes, a short budget and many changed accounts all give a whole page."""
    one = rehearsal(outcome(GRID[0], False), plan=Plan(families=("grader",), requests=(20,)))
    assert "would be missed" in words(page(run(one)))
    many = {f"acct_{i}": 1 for i in range(MAX_CHANGED + 5)}
    odd = rehearsal(
        *(outcome(shape(paraphrases=p, requests=r), True) for p in (1, 8) for r in (10, 40)),
        plan=Plan(paraphrases=(1, 8), requests=(10, 40), repeats=5),
        skipped=[shape("relay", 500)],
        disturbance=Disturbance(accounts=100, assessments=4, changed=many, newly_flagged=3),
    )
    text = words(page(run(odd)))
    for expected in (
        "8 wordings", "10 or 40 requests", "None among the shapes that were rehearsed", "500 × 20 requests",
        "was enough for 3", f"acct_{MAX_CHANGED - 1}",
    ):  # fmt: skip
        assert expected in text, expected
    assert f"acct_{MAX_CHANGED} " not in text


def test_the_whole_grid_is_a_page_of_ordinary_size() -> None:
    """Thirteen families in twelve columns stay under half a megabyte."""
    grid = [shape(f, a, c) for f in HARVESTS for a in (1, 5, 25, 100) for c in (0.0, 0.5, 0.8)]
    html = render(run(rehearsal(*(outcome(s, s.cover < 0.8) for s in grid))))
    assert len(html) < 500_000
    assert html.count("<svg viewBox") == 2 + len(HARVESTS)


def test_files_agree(tmp_path: Path) -> None:
    """The table has a row for each campaign, and the document's figures are those of the table."""
    made = run()
    write_rehearsal(tmp_path, made)
    table = pl.read_parquet(tmp_path / "rehearsal.parquet")
    shapes = msgspec.json.decode(document(made))["shapes"]
    assert (tmp_path / "rehearsal.json").read_bytes() == document(made)
    assert len(table) == 36
    by = ["family", "accounts", "requests", "cover", "paraphrases"]
    counted = table.group_by(by).agg(pl.col("caught").sum(), pl.len()).sort(by)
    assert [[s[k] for k in by] + [s["caught"]["k"], s["caught"]["n"]] for s in shapes] == [
        list(r) for r in counted.rows()
    ]
    assert table.filter("caught")["signals"].to_list() == [["Reasoning elicitation"]] * 18
    assert [s["blind"] for s in shapes] == [s["cover"] > 0 for s in shapes]
