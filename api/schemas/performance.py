"""How flags fared with the people who reviewed them."""

from __future__ import annotations

from pydantic import Field

from api.schemas.base import Schema


class Precision(Schema):
    """Of the flags that people reviewed, those that they confirmed."""

    confirmed: int
    reviewed: int
    precision: float | None = Field(description="confirmed / reviewed; absent where none is reviewed")
    low: float = Field(description="Wilson's 95 % interval")
    high: float


class SignalPrecision(Precision):
    """The same of the flags for which one signal speaks."""

    signal: str
    title: str


class Performance(Schema):
    """How the flags fared with the people who reviewed them."""

    all: Precision
    signals: list[SignalPrecision] = Field(description="The most reviewed first")
    honest: int = Field(description="Dismissed accounts that count as honest in the present thresholds")
