"""People who sign in through an identity provider: real tokens of a provider that answers over HTTP."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey

from api.app import create_app
from api.schemas.base import Role
from api.settings import Settings
from api.storage import audit, keys
from api.storage.engine import Database

Headers = dict[Role, dict[str, str]]
CLIENT = "the dashboard"
ANN = "ann@example.com"


@dataclass
class IdentityProvider:
    """Makes tokens, and tells over HTTP how to check them."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))

    def token(self, *, key: Any = None, algorithm: str = "RS256", **claims: Any) -> str:
        """A token for Ann, with these claims instead; None leaves one out."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "1",
            "iat": now,
            "exp": now + 600,
            "email": ANN,
            "email_verified": True,
        }
        said = {name: value for name, value in {**said, **claims}.items() if value is not None}
        signer = key or self.key
        return jwt.encode({"alg": algorithm, "kid": signer.kid}, said, signer)


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """A provider on loopback."""
    found = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/keys":
                told: Any = {"keys": [found.key.as_dict(private=False)]}
            else:
                told = {"issuer": found.url, "jwks_uri": f"{found.url}/keys"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def http(settings: Settings, secrets: dict[Role, str], provider: IdentityProvider) -> Iterator[TestClient]:
    """The application, with the provider."""
    own = settings.model_copy(update={"oidc_issuer": provider.url, "oidc_client_id": CLIENT})
    with TestClient(create_app(own)) as client:
        yield client


def let_in(http: TestClient, headers: Headers, role: str = "analyst", person: str = ANN) -> None:
    """Add a person."""
    body = {"person": person, "role": role}
    assert http.post("/v1/people", headers=headers["admin"], json=body).status_code == 201


def sign_in(http: TestClient, token: str) -> dict[str, str]:
    """A session's header."""
    answer = http.post("/v1/sessions", json={"id_token": token})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['key']}"}


def test_a_person_signs_in_works_and_signs_out(
    http: TestClient, headers: Headers, provider: IdentityProvider, database: Database
) -> None:
    """Whoever was let in gets a session of their role; the audit trail names them; signed out, it is over."""
    assert http.get("/v1/sign-in").json() == {"provider": provider.url}
    let_in(http, headers, "lead", " Ann@Example.com ")
    session = sign_in(http, provider.token())
    me = http.get("/v1/me", headers=session).json()
    assert (me["name"], me["role"]) == (ANN, "lead")
    change = {"mode": "none", "reason": "a drill"}
    assert http.put("/v1/enforcement", headers=session, json=change).status_code == 200
    entries, _ = audit.page(database, 2, 0)
    assert [(e.actor, e.action) for e in entries] == [(ANN, "enforcement.switch"), (ANN, "session.open")]
    assert http.delete("/v1/sessions", headers=session).status_code == 204
    assert http.get("/v1/me", headers=session).status_code == 401
    assert ANN not in {k["name"] for k in http.get("/v1/keys", headers=headers["admin"]).json()}


BAD_CLAIMS: list[dict[str, Any]] = [
    {"aud": "another client"},
    {"iss": "https://elsewhere.example"},
    {"exp": 1_000_000_000},
    {"iat": int(time.time()) - 7200, "exp": int(time.time()) + 7200},
    {"email_verified": False},
    {"email_verified": None},
    {"email": None},
    {"sub": None},
]


def test_bad_tokens_are_refused(http: TestClient, headers: Headers, provider: IdentityProvider) -> None:
    """Nothing opens: a token for or by others, too old, without a verified address, forged, unsigned, or noise."""
    let_in(http, headers)
    good = provider.token()
    head, said = (base64url(json.dumps({"alg": "HS256", "kid": "one"}).encode()), good.split(".")[1])
    public = provider.key.as_pem(private=False)  # as the shared secret of a symmetric signature
    forged = f"{head}.{said}." + base64url(hmac.digest(public, f"{head}.{said}".encode(), "sha256"))
    unsigned = base64url(json.dumps({"alg": "none"}).encode()) + f".{said}."
    another = provider.token(key=RSAKey.generate_key(2048, {"kid": "one"}))
    for token in [*(provider.token(**claims) for claims in BAD_CLAIMS), forged, unsigned, another, "x" * 40]:
        assert http.post("/v1/sessions", json={"id_token": token}).status_code == 401, token
    sign_in(http, good)


def base64url(data: bytes) -> str:
    """As tokens are written."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_strangers_are_refused(http: TestClient, provider: IdentityProvider) -> None:
    """Who was not let in gets no session, and is told whom to ask."""
    answer = http.post("/v1/sessions", json={"id_token": provider.token()})
    assert answer.status_code == 403
    assert "administrator" in answer.json()["detail"]


def test_the_provider_may_change_its_key(
    http: TestClient, headers: Headers, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new key is asked for when it is first met."""
    monkeypatch.setattr("api.services.oidc.RETRY_SECONDS", 0.0)
    let_in(http, headers)
    sign_in(http, provider.token())
    provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    sign_in(http, provider.token())


def test_a_role_changes_in_open_sessions(http: TestClient, headers: Headers, provider: IdentityProvider) -> None:
    """Another role holds at once; removed, the sessions end."""
    let_in(http, headers, "auditor")
    session = sign_in(http, provider.token())
    path = f"/v1/people/{ANN}"
    assert http.put(path, headers=headers["admin"], json={"role": "admin"}).status_code == 200
    assert http.get("/v1/me", headers=session).json()["role"] == "admin"
    assert http.put(path, headers=session, json={"role": "lead"}).status_code == 409  # nobody's own
    assert http.delete(path, headers=session).status_code == 409
    assert http.delete(path, headers=headers["admin"]).status_code == 204
    assert http.get("/v1/me", headers=session).status_code == 401
    assert http.delete(path, headers=headers["admin"]).status_code == 404


def test_sessions_expire(settings: Settings, provider: IdentityProvider, headers: Headers, database: Database) -> None:
    """After its hours a session is over, and no trace of its key is left at the next sign-in."""
    update = {"oidc_issuer": provider.url, "oidc_client_id": CLIENT, "session_hours": 1e-6}
    with TestClient(create_app(settings.model_copy(update=update))) as http:
        let_in(http, headers)
        before = keys.count(database)
        session = sign_in(http, provider.token())
        time.sleep(0.01)
        assert http.get("/v1/me", headers=session).status_code == 401
        sign_in(http, provider.token())
        assert keys.count(database) == before + 1


def test_one_person_is_one_pair_of_eyes(
    http: TestClient, headers: Headers, provider: IdentityProvider, database: Database
) -> None:
    """Two sessions of a person are the same person: what needs a second one needs another."""
    let_in(http, headers, "lead")
    first, second = (keys.find(database, sign_in(http, provider.token())["Authorization"][7:]) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.key_id != second.key_id
    assert first.actor == second.actor


def test_only_administrators_let_people_in(http: TestClient, headers: Headers) -> None:
    """Others may not add, change or remove people; who reads the trail may see them."""
    others: list[Role] = ["analyst", "lead", "auditor", "gateway"]
    for role in others:
        refused(http, headers, role)


def refused(http: TestClient, headers: Headers, role: Role) -> None:
    """A role that lets nobody in."""
    assert http.post("/v1/people", headers=headers[role], json={"person": ANN, "role": "admin"}).status_code == 403
    assert http.put(f"/v1/people/{ANN}", headers=headers[role], json={"role": "admin"}).status_code == 403
    assert http.delete(f"/v1/people/{ANN}", headers=headers[role]).status_code == 403
    seen = http.get("/v1/people", headers=headers[role]).status_code
    assert seen == (200 if role in ("lead", "auditor") else 403)
