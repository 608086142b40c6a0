"""Parquet files: one event a row, nested columns as structs or as JSON text.

Good rows of plain columns go through JSON text, which is an order of magnitude faster than making Python objects of them.
"""

from __future__ import annotations

import io
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
        plain = all(_is_plain(field.type) and not _is_json_text(field) for field in source.schema_arrow)
        for block in source.iter_batches(batch_size=BLOCK_ROWS):
            if plain and intake.good_lines(_as_lines(block)):
                number += len(block)
                yield size * number // total
                continue
            for row in block.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                intake.row({column: _column(column, value) for column, value in row.items()}, (name, number))
            yield size * number // total
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        intake.rejected.append(((name, number + 1), f"the Parquet file breaks here ({reason}): copy it again"))


def _as_lines(block: Any) -> bytes:
    """Rows as NDJSON."""
    import polars as pl

    out = io.BytesIO()
    pl.DataFrame(block).write_ndjson(out)
    return out.getvalue()


def _is_plain(kind: Any) -> bool:
    """True for types that are the same in JSON."""
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        return _is_plain(kind.value_type)
    if types.is_struct(kind):
        return all(_is_plain(kind.field(i).type) for i in range(kind.num_fields))
    simple = (types.is_string, types.is_large_string, types.is_boolean, types.is_integer, types.is_floating)
    return any(test(kind) for test in (*simple, types.is_timestamp, types.is_null))


def _is_json_text(field: Any) -> bool:
    from pyarrow import types

    return field.name in JSON_COLUMNS and (types.is_string(field.type) or types.is_large_string(field.type))


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
