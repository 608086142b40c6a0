"""The house's import rules hold, and the detector stays free of clock and environment."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
IMPURE = {
    ("os", "environ"): "the environment",
    ("os", "getenv"): "the environment",
    ("time", "time"): "the wall clock",
    ("datetime", "now"): "the wall clock",
    ("datetime", "utcnow"): "the wall clock",
    ("datetime", "today"): "the wall clock",
    ("date", "today"): "the wall clock",
}
"""Attributes that make a result depend on where and when it runs. time.perf_counter, for progress, is fine."""

STANDARD_LIBRARY = sys.stdlib_module_names


def test_imports_run_one_way() -> None:
    """Every contract of import-linter in pyproject.toml is kept."""
    run = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "detector").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_detector_reads_neither_clock_nor_environment(path: Path) -> None:
    """Two runs over the same log give the same result on any day and machine."""
    found = [
        f"line {node.lineno}: {IMPURE[key]}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and (key := (_name(node.value), node.attr)) in IMPURE
    ]
    assert not found


def test_dashboard_shadows_no_standard_module() -> None:
    """``streamlit run`` puts dashboard/ first on the path, so a file named like a standard module would hide it."""
    assert not {p.stem for p in (ROOT / "dashboard").iterdir()} & STANDARD_LIBRARY


def test_every_test_directory_is_a_package() -> None:
    """Two test files of one name in different directories do not collide."""
    folders = {p.parent for p in (ROOT / "tests").rglob("test_*.py")}
    assert not [f for f in folders if not (f / "__init__.py").is_file()]


def _name(node: ast.expr) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
