"""Accounts that ask alike, saved queries, accounts at the top."""

from __future__ import annotations

from urllib.parse import quote

from api.schemas.search import QueryIn, QueryOut, SimilarIn, SimilarOut, TopOut
from dashboard.client import Client, checked


def similar(client: Client, text: str | None, account_id: str | None, limit: int) -> SimilarOut:
    """Accounts that ask like a text, or like an account."""
    return client.send(
        "POST", "/v1/similar", checked(SimilarIn, text=text, account_id=account_id, limit=limit), SimilarOut
    )


def top(client: Client, by: str, days: int, limit: int) -> TopOut:
    """Accounts that sent most."""
    return client.fetch("/v1/top", TopOut, {"by": by, "days": days, "limit": limit})


def queries(client: Client) -> list[QueryOut]:
    """Saved queries: one's own, and the shared ones."""
    return client.fetch_list("/v1/queries", QueryOut)


def save(client: Client, name: str, text: str | None, account_id: str | None, shared: bool) -> QueryOut:
    """Save a query."""
    given = checked(QueryIn, name=name, text=text, account_id=account_id, shared=shared)
    return client.send("POST", "/v1/queries", given, QueryOut)


def forget(client: Client, query_id: str) -> None:
    """Forget a saved query."""
    client.send("DELETE", f"/v1/queries/{quote(query_id, safe='')}")
