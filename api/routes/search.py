"""Search: accounts that ask alike, saved queries, accounts at the top."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from api.auth import LEAD
from api.routes.common import Data, Decider, Reader
from api.schemas.search import QueryIn, QueryOut, SimilarIn, SimilarOut, TopBy, TopOut
from api.services import searching
from api.services.likeness import NoIndex, Searcher
from api.storage import queries
from api.storage.keys import Key

router = APIRouter(tags=["search"])


async def _searcher(request: Request) -> Searcher:
    return request.app.state.searcher


Searching = Annotated[Searcher, Depends(_searcher)]
NO_INDEX = 409  # nothing failed: the worker has not come to it yet


@router.post("/v1/similar")
def post_similar(key: Reader, database: Data, searcher: Searching, body: SimilarIn) -> SimilarOut:
    """Accounts whose prompts are most like a text, or like those of an account. No prompt is in the answer."""
    try:
        return searching.similar(database, searcher, body)
    except NoIndex as error:
        raise HTTPException(NO_INDEX, str(error)) from error
    except searching.NothingToSearch as error:
        raise HTTPException(422, str(error)) from error


@router.get("/v1/top")
def get_top(
    key: Reader,
    database: Data,
    searcher: Searching,
    by: TopBy = "output_tokens",
    days: Annotated[int, Query(ge=1, le=14)] = 7,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> TopOut:
    """Accounts that sent most in the last days, against as many days before."""
    try:
        return searching.top(database, searcher, by, days, limit)
    except NoIndex as error:
        raise HTTPException(NO_INDEX, str(error)) from error


@router.get("/v1/queries")
def get_queries(key: Reader, database: Data) -> list[QueryOut]:
    """One's own saved queries, and the shared ones."""
    return [_out(row, key) for row in queries.visible(database, key.actor)]


@router.post("/v1/queries", status_code=201)
def post_query(key: Decider, database: Data, body: QueryIn) -> QueryOut:
    """Save a query, for oneself or for all."""
    return _out(queries.save(database, **body.model_dump(), owner=key.actor, now=datetime.now(UTC)), key)


@router.delete("/v1/queries/{query_id}", status_code=204)
def delete_query(key: Decider, database: Data, query_id: Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]) -> Response:
    """Forget a query: one's own; a lead also one that is shared."""
    if not queries.remove(database, query_id, key.actor, key.role in LEAD):
        raise HTTPException(404, f"no query {query_id!r} of yours")
    return Response(status_code=204)


def _out(row: object, key: Key) -> QueryOut:
    values = {name: getattr(row, name) for name in QueryOut.model_fields if name != "mine"}
    return QueryOut(**values, mine=values["owner"] == key.actor)
