"""What all ways in share: a request's body into the event log, or a refusal that each family of routes puts in its own form.

The statuses follow what clients do with them. 429 is never used: LiteLLM drops a batch on it, and whoever repeats a 429
repeats a 503 just as well. 500 is left to faults nobody foresaw.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.requests import ClientDisconnect

from api.services import bodies, ingest, metrics, parsing
from api.services.writer import Busy
from api.storage.keys import Key

RETRY_SECONDS = "2"  # fits several times into the ten seconds that OpenTelemetry's exporters try for
RETRY = {"Retry-After": RETRY_SECONDS}

Account = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=256,
        pattern=r"^[^\x00]*$",
        description="Owns what names nobody, e.g. a batch file; else the account of the key, else the key itself",
    ),
]


class Refusal(Exception):
    """A body that was not taken: the status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def receive(
    request: Request,
    key: Key,
    format: str,
    *,
    account: str | None = None,
    protobuf: bool | None = None,
    amend: parsing.Amend | None = None,
) -> ingest.Outcome:
    """Store the body of a request. Raises Refusal."""
    ingestion: ingest.Ingestion = request.app.state.ingestion
    encoding = request.headers.get("content-encoding", "")
    order = ingest.Order(format, key, encoding, account, protobuf, amend)
    try:
        return await ingestion.take(request.stream(), order)
    except ingest.UnknownFormat as error:
        raise Refusal(404, str(error)) from error
    except parsing.BadBody as error:
        metrics.BODIES.labels("unreadable").inc()
        raise Refusal(400, str(error)) from error
    except (bodies.TooLarge, parsing.TooMany) as error:
        metrics.BODIES.labels("too large").inc()
        raise Refusal(413, str(error)) from error
    except Busy as error:
        metrics.BODIES.labels("busy").inc()
        raise Refusal(503, str(error)) from error
    except ClientDisconnect as error:
        metrics.BODIES.labels("cut off").inc()
        raise Refusal(400, "the body ended before its end") from error
