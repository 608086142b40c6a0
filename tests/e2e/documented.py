"""The very blocks of docs/gateways.md, so that what the tests run is what people copy."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "gateways.md"
ADDRESS = "http://127.0.0.1:8400"
KEY = "$DISTILLWATCH_KEY"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)


def sections() -> dict[str, str]:
    """The page's parts by their headings."""
    _, *parts = re.split(r"^## ", PAGE.read_text(), flags=re.M)
    return {title: text for title, _, text in (part.partition("\n") for part in parts)}


def blocks(title: str, language: str) -> list[str]:
    """The blocks of a part that are in a language, in their order."""
    return [code for name, code in _FENCE.findall(sections()[title]) if name == language]


def block(title: str, language: str) -> str:
    """The first of them."""
    return blocks(title, language)[0]


def filled(code: str, url: str, key: str) -> str:
    """A block with a service's address and key in the place of the page's."""
    return code.replace(ADDRESS, url).replace(KEY, key)


def environment(code: str) -> dict[str, str]:
    """The variables that a block of shell exports."""
    words = (shlex.split(line, comments=True) for line in code.splitlines())
    pairs = [word.split("=", 1) for line in words if line[:1] == ["export"] for word in line[1:]]
    return dict(pairs)
