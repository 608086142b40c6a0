"""Parquet files: one event a row, nested columns as structs or as JSON text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from detector.formats.base import parsed
from detector.formats.intake import Intake

BLOCK_ROWS = 2048  # rows held at a time
# Columns that are objects or arrays, and that some writers can only keep as JSON text
_CANONICAL = ("messages", "params", "usage", "client", "account", "tools", "extra")
_FOREIGN = ("metadata", "model_parameters", "error_information", "request", "body", "result")
JSON_COLUMNS = frozenset((*_CANONICAL, *_FOREIGN))


def feed(file: Path, intake: Intake) -> Iterator[int]:
    """Give the rows of a file to the intake; yields the bytes read so far."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, size, number = str(file), file.stat().st_size, 0
    try:
        source = pq.ParquetFile(file)
        total = max(source.metadata.num_rows, 1)
        for block in source.iter_batches(batch_size=BLOCK_ROWS):
            for row in block.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                intake.row({column: _column(column, value) for column, value in row.items()}, (name, number))
            yield size * number // total
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        intake.rejected.append(((name, number + 1), f"the Parquet file breaks here ({reason}): copy it again"))


def _column(column: str, value: Any) -> Any:
    return parsed(value) if column in JSON_COLUMNS and isinstance(value, str) else _cell(value)


def _cell(value: Any) -> Any:
    """A cell as JSON would have it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, dict):
        return {name: _cell(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cell(inner) for inner in value]
    return value
