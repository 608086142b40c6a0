"""Secrets are dropped on arrival: credentials in headers and settings never reach a disk."""

from __future__ import annotations

import re
from typing import Any

_SECRET_KEY = re.compile(
    r"authorization|^cookie$|set-cookie|api[-_]?key$|^x-portkey-config$|provider[-_]?key|secret|password|passwd|^token$|access[-_]?token|refresh[-_]?token|private[-_]?key|credential",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"^(?:Bearer|Basic)\s+\S+|\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{16}\b|^eyJ[\w-]+\.[\w-]+\.[\w-]+$"
)
MAX_DEPTH = 12


def redact(value: Any, depth: int = 0) -> Any:
    """The value without secrets: keys that name one are dropped, texts that are one become ``[redacted]``."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {k: redact(v, depth + 1) for k, v in value.items() if not (isinstance(k, str) and _SECRET_KEY.search(k))}
    if isinstance(value, list):
        return [redact(v, depth + 1) for v in value]
    if isinstance(value, str) and _SECRET_VALUE.search(value):
        return "[redacted]"
    return value
