"""The audit's report: ``report.json`` for programs and a self-contained ``report.html`` for people."""

from __future__ import annotations

from pathlib import Path

from detector.assessment import Assessment
from detector.event import Event
from detector.report import document, page
from detector.report.summary import RunSummary
from detector.report.timeline import timeline

__all__ = ["RunSummary", "timeline", "write_report"]


def write_report(
    out: Path, run: RunSummary, assessment: Assessment, examples: dict[str, Event], stem: str = "report"
) -> None:
    """Write ``report.json`` and ``report.html`` into the folder ``out``; another ``stem`` names them otherwise.

    ``examples`` maps event ids that the findings point to onto their events; ids without an event are left out, as
    happens where no content is kept.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{stem}.json").write_bytes(document.render(run, assessment, examples))
    (out / f"{stem}.html").write_text(page.render(run, assessment, examples), encoding="utf-8")
