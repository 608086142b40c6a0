"""Run real client libraries, which live in an environment of their own since their pins differ from ours and from one another's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = ROOT / ".venv-clients"
PYTHON = ENVIRONMENT / "bin" / "python"
CHAT = Path(__file__).parent / "clients" / "chat.py"
SECONDS = 150

needed = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (ENVIRONMENT / "installed").exists(), reason="no clients: run `make .venv-clients/installed`"
    ),
]
"""Marks of the tests of a client."""


def run(command: list[str | Path], model: str, env: Mapping[str, str], beside: str | None = None) -> str:
    """Output of a client that calls the provider at ``model``; ``beside`` names a folder of other versions that it uses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTHON", "LANGFUSE_"))}
    whole = {
        **kept,
        "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
        "NO_PROXY": "127.0.0.1",
        "OPENAI_BASE_URL": model,
        "OPENAI_API_KEY": "sk-none",
        **({"PYTHONPATH": str(ENVIRONMENT / "beside" / beside)} if beside else {}),
        **env,
    }
    done = subprocess.run(command, env=whole, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
