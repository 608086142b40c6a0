"""How well the detector and its reviewers do."""

from __future__ import annotations

from api.schemas.quality import Quality, SampleIn, SampleOut
from dashboard.client import Client, checked


def quality(client: Client) -> Quality:
    """Precision by size of account, agreement, drift."""
    return client.fetch("/v1/quality", Quality)


def samples(client: Client) -> SampleOut:
    """Random samples of the unflagged."""
    return client.fetch("/v1/samples", SampleOut)


def draw(client: Client, size: int) -> SampleOut:
    """Draw more."""
    return client.send("POST", "/v1/samples", checked(SampleIn, size=size), SampleOut)
