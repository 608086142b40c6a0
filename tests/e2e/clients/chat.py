"""An application that calls a model, run in the clients' own environment.

``python chat.py SNIPPET ACCOUNT [INSTRUMENTATION]`` runs a snippet of Python, in which ``account``, ``session`` and ``call`` are free,
once for each call, after instrumenting the provider's library as ``opentelemetry-instrument`` does with what it finds installed.
"""

import importlib
import sys
from pathlib import Path

from calls import CALLS, SESSION

snippet, account, *instrumentation = sys.argv[1:]
for name in instrumentation:
    importlib.import_module(name).OpenAIInstrumentor().instrument()
code = compile(Path(snippet).read_text(), snippet, "exec")
for call in CALLS:
    names = {"account": account, "session": SESSION, "call": dict(call)}
    exec(code, names)
    if call.get("stream"):
        for _ in names.get("answer", ()):
            pass
