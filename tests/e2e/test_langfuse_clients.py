"""Langfuse's SDKs, with this service as their host: version 2 posts batches, later ones send OpenTelemetry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.documented import block, environment, filled, sections
from tests.e2e.receiving import Receiver, check
from tests.e2e.running_clients import CHAT, PYTHON, needed, run

pytestmark = needed

OF_SDK_2 = "create(**call, user_id=account, session_id=session)"  # in a sentence of the page
VERSIONS = {"2": "langfuse-2", "4": None, "5": "langfuse-5"}


@pytest.mark.parametrize("version", VERSIONS)
def test_calls_arrive_complete(version: str, receiver: Receiver, model: str, tmp_path: Path) -> None:
    """What an application logs with Langfuse's wrapper of OpenAI's library arrives, with its user as the account."""
    account = f"langfuse {version}"
    code = block("Langfuse", "python")
    if version == "2":
        assert OF_SDK_2 in sections()["Langfuse"]
        code = f"from langfuse.openai import OpenAI\n\nanswer = OpenAI().chat.completions.{OF_SDK_2}\n"
    snippet = tmp_path / "snippet.py"
    snippet.write_text(code)
    env = environment(filled(block("Langfuse", "bash"), receiver.url, receiver.key))
    run([PYTHON, CHAT, snippet, account], model, env, VERSIONS[version])
    check(receiver.events(account, 3), leaves_out=("finish_reason", "stream"))
