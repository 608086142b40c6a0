"""The OpenAPI document holds: whatever it allows, and whatever it does not, is answered as it says and never by a server error.

Schemathesis makes the requests from the document, against a real process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from api.app import create_app
from api.storage import keys, migrate
from api.storage.engine import Database
from tests.api.running import Api

EXAMPLES = 12  # of each operation; `make test` runs about a thousand requests
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, str]]:
    """A real API, and the key of an administrator."""
    folder = tmp_path_factory.mktemp("contract")
    url = f"sqlite:///{folder / 'test.db'}"
    migrate.upgrade(url)
    database = Database(url)
    secret = keys.create(database, "admin", "admin", "test")[1]
    database.close()
    api = Api(folder, url, MAX_BODY_MB=1)
    api.start()
    yield api, secret
    assert api.runs
    assert "Traceback" not in api.log.read_text(errors="replace")
    api.end()


def signed_in(secret: str) -> requests.Session:
    """A session with the key, that no proxy of the environment comes between."""
    session = requests.Session()
    session.trust_env = False
    session.auth = lambda request: (request.headers.update({"Authorization": f"Bearer {secret}"}), request)[1]
    return session


@schemathesis.serializer("application/x-protobuf")
def as_it_is(_: Any, value: Any) -> bytes:
    """Any bytes: what is no protobuf must be refused as well as it can be."""
    return value.encode(errors="replace") if isinstance(value, str) else bytes(value)


@schemathesis.serializer("application/x-ndjson")
def as_a_line(_: Any, value: Any) -> bytes:
    """One line of JSON."""
    return json.dumps(value).encode()


def without_tuples(value: Any) -> Any:
    """The document with tuples as arrays: Schemathesis 4.32 turns ``prefixItems`` into what its own validator then refuses."""
    if isinstance(value, list):
        return [without_tuples(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    found = {name: without_tuples(inner) for name, inner in value.items() if name != "prefixItems"}
    if "prefixItems" in value:
        kinds = list({json.dumps(inner): inner for inner in value["prefixItems"]}.values())
        found["items"] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return found


# the document that the API gives out of itself
schema = schemathesis.openapi.from_dict(without_tuples(create_app().openapi()))


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_operation(case: Any, served: tuple[Api, str]) -> None:
    """Answers are as documented, and every refusal has a reason."""
    api, secret = served
    answer = case.call(base_url=api.url, session=signed_in(secret), timeout=60)
    case.validate_response(answer, checks=CHECKS)
    assert answer.status_code != 401  # the key is good all the time
    if answer.status_code >= 400 and case.method != "HEAD":
        told = answer.json() if answer.headers["content-type"][0].startswith("application/json") else answer.content
        assert told.get("detail") or told.get("message") if isinstance(told, dict) else told
