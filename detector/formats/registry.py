"""The formats there are, and which of them a row has."""

from __future__ import annotations

from typing import Any

from detector.formats import (
    anthropic_batch,
    apisix,
    canonical,
    envoy,
    helicone,
    kong,
    langfuse,
    litellm,
    openai_batch,
    otlp_logs,
    otlp_traces,
    portkey,
    sglang,
)
from detector.formats.base import Format, FormatError, RowError

# In the order in which shapes are tried: the more telling first.
_ALL: tuple[Format, ...] = (
    canonical,
    litellm,
    otlp_traces,
    otlp_logs,
    kong,
    apisix,
    portkey,
    helicone,
    langfuse,
    openai_batch,
    anthropic_batch,
    sglang,
    envoy,
)

FORMATS: dict[str, Format] = {module.NAME: module for module in _ALL}
AUTO = "auto"


def check(name: str) -> None:
    """Raise FormatError for a name that is no format."""
    if name != AUTO and name not in FORMATS:
        raise FormatError(f"there is no format {name!r}: choose {AUTO}, {', '.join(FORMATS)}")


def format_of(row: dict[str, Any]) -> Format:
    """The format of a row, by its shape. Raises RowError."""
    for module in _ALL:
        if module.matches(row):
            return module
    fields = ", ".join(sorted(str(name)[:40] for name in row)[:8]) or "none"
    raise RowError(
        f"row: of no known format (its fields: {fields}); expected event_id, timestamp and account_id, "
        f"or a row of {', '.join(name for name in FORMATS if name != 'canonical')}"
    )
