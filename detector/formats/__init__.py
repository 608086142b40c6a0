"""Log formats: one file each, and the ways in that turn files and HTTP bodies into events.

A format is a module with ``NAME``, ``DESCRIPTION``, ``matches(row)`` by shape and ``convert(row, account)``; it is listed
in ``registry``. ``read`` takes files, ``parse_body`` takes HTTP bodies.
"""

from detector.formats.base import FormatError
from detector.formats.bodies import ItemRejected, ParsedBody, parse_body
from detector.formats.intake import TooMany
from detector.formats.merging import join, merge
from detector.formats.reader import Batch, Rejected, files, read
from detector.formats.registry import FORMATS

__all__ = [
    "FORMATS",
    "Batch",
    "FormatError",
    "ItemRejected",
    "ParsedBody",
    "Rejected",
    "TooMany",
    "files",
    "join",
    "merge",
    "parse_body",
    "read",
]
