"""Secrets are dropped on arrival, and what only looks like one is kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from detector.formats.redaction import REDACTED, is_secret_name, redact
from tests.detector.formats.test_canonical import json_values


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "x-api-key",
        "apikey",
        "apiKey",
        "api_key",
        "OPENAI_API_KEY",
        "Ocp-Apim-Subscription-Key",
        "x-goog-api-key",
        "x-portkey-config",
        "x-portkey-virtual-key",
        "Helicone-Auth",
        "access_token",
        "refreshToken",
        "id_token",
        "token",
        "client_secret",
        "aws_secret_access_key",
        "x-amz-security-token",
        "password",
        "credentials",
        "private_key",
        "provider-key",
        "X-Auth-Token",
        "X-Hub-Signature",
    ],
)
def test_names_of_secrets(name: str) -> None:
    """Headers and settings that hold credentials are known by their names, however they are written."""
    assert is_secret_name(name)
    assert redact({"a": [{name: "value"}, 1]}) == {"a": [{}, 1]}


@pytest.mark.parametrize(
    "name",
    [
        "user_api_key_hash",
        "api_key_id",
        "user_api_key_alias",
        "max_tokens",
        "prompt_tokens",
        "x-trace-id",
        "user-agent",
        "tls_fingerprint",
        "keyboard",
        "author",
        "prompt_cache_key",
        "content-type",
    ],
)
def test_names_of_other_things(name: str) -> None:
    """Ids, hashes, counts and ordinary headers stay."""
    assert redact({name: "value"}) == {name: "value"}


@pytest.mark.parametrize(
    "text",
    [
        "Bearer abcdef123456",
        "curl -H 'authorization: bearer abc.def-123'",
        "Basic dXNlcjpwYXNz",
        "sk-made-up",
        "key is sk-proj-abcdefghijklmnop1234",
        "AKIAABCDEFGHIJKLMNOP",
        "ghp_abcdefghijklmnop1234",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "-----BEGIN RSA PRIVATE KEY-----",
        "postgresql://user:hunter2@db/x",
        json.dumps({"provider": "openai", "api_key": "sk-made-up"}),
    ],
)
def test_values_that_are_secrets(text: str) -> None:
    """Texts that hold a credential are replaced wherever they stand."""
    assert redact({"note": [text]}) == {"note": [REDACTED]}


@pytest.mark.parametrize("text", ["bearer of news", "task-force", "basic plan", "risk-averse people", "12:30@home"])
def test_values_that_are_none(text: str) -> None:
    """Ordinary words that begin like credentials stay."""
    assert redact(text) == text


@given(json_values)
def test_idempotent(value: object) -> None:
    """Redacting twice is redacting once."""
    assert redact(redact(value)) == redact(value)


def test_deep() -> None:
    """Depth is bounded: what lies too deep is dropped rather than trusted."""
    value: object = "x"
    for _ in range(1000):
        value = {"a": value}
    assert REDACTED in json.dumps(redact(value))
