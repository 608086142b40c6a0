"""Charts: what their axes say."""

from __future__ import annotations

import pytest

from dashboard import charts


def axis(days: list[str]) -> dict[str, object]:
    """The axis of days of a timeline."""
    figure = charts.timeline([(day, 3, 400) for day in days], []).to_dict()
    return figure["layer"][0]["encoding"]["x"]


def test_days_without_requests_are_seen() -> None:
    """A pause is part of the axis, and each day is labelled once."""
    x = axis(["2026-09-10", "2026-09-13"])
    assert x["scale"]["domain"] == ["2026-09-10", "2026-09-11", "2026-09-12", "2026-09-13"]
    assert x["axis"]["values"] == x["scale"]["domain"]


@pytest.mark.parametrize("days", [9, 31, 90])
def test_many_days_have_few_labels(days: int) -> None:
    """At most eight labels, however long the course."""
    x = axis(["2026-01-01", f"2026-{1 + (days - 1) // 31:02d}-{1 + (days - 1) % 31:02d}"])
    assert 4 < len(x["axis"]["values"]) <= charts.MOST_DAY_LABELS


def test_every_pair_of_signals_has_its_place() -> None:
    """A pair is a field with its share, also where it is nought; every signal is named on the axes."""
    shares = {("Grading", "Even pace"): 0.25, ("Grading", "Stateless"): 0.0, ("Even pace", "Stateless"): 1.0}
    figure = charts.together(["Grading", "Even pace", "Stateless"], shares).to_dict()
    (rows,) = figure["datasets"].values()
    assert [(r["one"], r["other"], r["share"]) for r in rows] == [(*pair, x) for pair, x in shares.items()]
    for axis in ("x", "y"):
        assert figure["layer"][1]["encoding"][axis]["axis"]["labelOverlap"] is False


def test_no_days_no_failure() -> None:
    """A timeline of nothing is a chart all the same."""
    assert axis([])["scale"]["domain"] == []
