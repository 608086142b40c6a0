"""A running service that real clients send to, and a provider that they call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.provider import provider
from tests.e2e.receiving import Receiver


@pytest.fixture(scope="session")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """API and worker as two processes over a fresh SQLite database."""
    with Receiver(tmp_path_factory.mktemp("receiver")) as found:
        yield found


@pytest.fixture(scope="session")
def model() -> Iterator[str]:
    """The address of a model provider, as OPENAI_BASE_URL has it."""
    with provider() as url:
        yield url
