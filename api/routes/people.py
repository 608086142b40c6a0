"""People who sign in through an identity provider, and their sessions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response
from pydantic import StringConstraints

from api.auth import Keyring
from api.routes.common import Admin, AnyKey, Auditor, Configured, Data
from api.schemas.people import PersonIn, PersonName, PersonOut, PersonRoleIn, SessionIn, SessionOut, SignInOut
from api.services.oidc import NoProvider, NotAccepted, Provider
from api.storage import keys, people

router = APIRouter(tags=["administration"])

Person = Annotated[str, Path(max_length=200), StringConstraints(to_lower=True, pattern=r"^[^\x00-\x1f]+$")]


@router.get("/v1/sign-in")
async def get_sign_in(settings: Configured) -> SignInOut:
    """How people sign in. Needs no key."""
    return SignInOut(provider=settings.oidc_issuer or None)


@router.post("/v1/sessions", status_code=201)
def post_session(request: Request, database: Data, settings: Configured, body: SessionIn) -> SessionOut:
    """Exchange a token of the identity provider for a key that expires. Needs no key."""
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise HTTPException(404, "no identity provider is set: sign in with a key")
    now = datetime.now(UTC)
    try:
        person = provider.person(body.id_token)
    except NotAccepted as error:
        raise HTTPException(401, str(error)) from error
    except NoProvider as error:
        raise HTTPException(503, str(error), headers={"Retry-After": "5"}) from error
    made = people.sign_in(database, person, now + timedelta(hours=settings.session_hours), now)
    if made is None:
        raise HTTPException(403, f"{person} may not sign in here: an administrator can add them under Settings, People")
    key, secret = made
    assert key.expires_at is not None
    return SessionOut(key=secret, person=person, role=key.role, expires_at=key.expires_at)


@router.delete("/v1/sessions", status_code=204)
def delete_session(request: Request, key: AnyKey, database: Data) -> Response:
    """End the caller's own session; a key that is none is left alone."""
    if key.person is not None:
        keys.revoke(database, key.key_id, key.actor)
        _forget(request)
    return Response(status_code=204)


@router.get("/v1/people")
def get_people(key: Auditor, database: Data) -> list[PersonOut]:
    """Who may sign in, and as what."""
    return [PersonOut(**row._mapping) for row in people.every(database)]


@router.post("/v1/people", status_code=201)
def post_person(request: Request, key: Admin, database: Data, body: PersonIn) -> PersonOut:
    """Let a person sign in, or give them another role."""
    return _put(request, key, database, body.person, body)


@router.put("/v1/people/{person:path}")
def put_person(request: Request, key: Admin, database: Data, person: PersonName, body: PersonRoleIn) -> PersonOut:
    """Give a person a role; their sessions change within seconds."""
    return _put(request, key, database, person, body)


@router.delete("/v1/people/{person:path}", status_code=204)
def delete_person(request: Request, key: Admin, database: Data, person: PersonName) -> Response:
    """Let a person in no more, and end their sessions."""
    if person == key.person:
        raise HTTPException(409, "nobody removes themselves: ask another administrator")
    if not people.remove(database, person, key.actor, datetime.now(UTC)):
        raise HTTPException(404, f"nobody is called {person!r} here")
    _forget(request)
    return Response(status_code=204)


def _put(request: Request, key: keys.Key, database: Data, person: str, body: PersonIn | PersonRoleIn) -> PersonOut:
    if person == key.person:
        raise HTTPException(409, "nobody changes their own role: ask another administrator")
    row = people.put(database, person, body.role, key.actor, datetime.now(UTC))
    _forget(request)
    return PersonOut(**row._mapping)


def _forget(request: Request) -> None:
    keyring: Keyring = request.app.state.keyring
    keyring.forget()
