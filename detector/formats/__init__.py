"""Log formats: one file each, and the reader that turns files and HTTP bodies into events.

A format is a module with ``NAME``, ``DESCRIPTION``, ``matches(row)`` by shape and ``convert(row, account)``.
"""

from detector.formats.base import FormatError
from detector.formats.reader import (
    FORMATS,
    Batch,
    ItemRejected,
    ParsedBody,
    Rejected,
    files,
    parse_body,
    read,
)

__all__ = ["FORMATS", "Batch", "FormatError", "ItemRejected", "ParsedBody", "Rejected", "files", "parse_body", "read"]
