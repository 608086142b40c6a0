"""Helicone's manual logger, with this service as its endpoint."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.documented import block, filled
from tests.e2e.receiving import Receiver, check
from tests.e2e.running_clients import CHAT, PYTHON, needed, run

pytestmark = needed

STREAMED = """
import asyncio
import os
from helicone_helpers import HeliconeManualLogger
from openai import OpenAI

logger = HeliconeManualLogger(os.environ["DISTILLWATCH_KEY"], logging_endpoint="http://127.0.0.1:8400")
builder = logger.log_builder(call, {"Helicone-User-Id": account, "Helicone-Session-Id": session})
for chunk in OpenAI().chat.completions.create(**call):
    builder.add_chunk(chunk.to_json())
asyncio.run(builder.send_log())
"""


def test_calls_arrive_complete(receiver: Receiver, model: str, tmp_path: Path) -> None:
    """Whole answers and streams, logged in Helicone's two ways, arrive with the user as the account."""
    code = block("Helicone", "python")
    both = "\n    ".join(["if call.get('stream'):", *STREAMED.strip().splitlines()])
    both += "\n".join(["\nelse:", *(f"    {line}" for line in code.splitlines())])
    snippet = tmp_path / "snippet.py"
    snippet.write_text(filled(both, receiver.url, receiver.key))
    told = run([PYTHON, CHAT, snippet, "helicone"], model, {"DISTILLWATCH_KEY": receiver.key})
    assert "Error" not in told
    check(receiver.events("helicone", 3))
