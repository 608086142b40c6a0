"""Which rows of the real corpora may teach something that ships. The others serve measurement only."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DEFAULT_CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora"

_NOT_PERMISSIVE = ("NC", "non-commercial", "none stated", "not checked", "to be confirmed", "-SA-")


def permissive(licence: str | None) -> bool:
    """True for Apache, MIT, BSD, CC0, CC-BY and ODC-By rows without a non-commercial, share-alike or unknown part."""
    return licence is not None and licence != "" and not any(mark in licence for mark in _NOT_PERMISSIVE)


def rows(corpora: Path = DEFAULT_CORPORA, licence: str = "permissive") -> Iterator[tuple[str, dict[str, Any]]]:
    """(corpus, row) of every prompt corpus; ``licence`` is ``permissive`` or ``all``."""
    for path in sorted(corpora.glob("*/*.jsonl.gz")):
        if path.parent.name == "timing":
            continue
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if licence == "all" or permissive(row.get("license")):
                    yield path.name.removesuffix(".jsonl.gz"), row
