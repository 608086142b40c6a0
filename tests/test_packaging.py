"""What is installed is pinned, and the parts of others are named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DIRECT = [Requirement(r) for r in PROJECT["dependencies"]]
OPTIONAL = [Requirement(r) for extra in PROJECT["optional-dependencies"].values() for r in extra]
LINES = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
PINS = {canonicalize_name(name): version for name, version in (line.split("==") for line in LINES)}


@pytest.mark.parametrize("requirement", [*DIRECT, *OPTIONAL], ids=lambda r: r.name)
def test_every_dependency_is_pinned_within_its_range(requirement: Requirement) -> None:
    """constraints.txt has an exact version of each dependency, and pyproject.toml allows it."""
    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier


def test_pins_are_plain() -> None:
    """No address, path, or build that only one machine has."""
    assert not [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)]


def test_every_runtime_dependency_is_named_with_its_license() -> None:
    """THIRD_PARTY.md lists all direct dependencies and nothing that is none."""
    table = (ROOT / "THIRD_PARTY.md").read_text().split("The direct dependencies:")[1]
    named = {
        canonicalize_name(name.split(" (")[0].strip())
        for row in re.findall(r"^\| [^|]+ \| ([^|]+) \|$", table, re.M)
        for name in row.split(",")
    } - {"packages"}
    assert named == {canonicalize_name(r.name) for r in DIRECT}
