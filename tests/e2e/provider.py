"""A model provider to be called by real clients: a small server that speaks OpenAI's chat completions on loopback."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.clients.calls import answer, tokens

_numbers = itertools.count(1)


@contextmanager
def provider() -> Iterator[str]:
    """The address of a running provider, as OPENAI_BASE_URL has it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers POST /v1/chat/completions, streamed or whole."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/v1/chat/completions":
            return self._send(404, {"error": {"message": f"no {self.path}"}})
        if not body.get("stream"):
            return self._send(200, _completion(body))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in [*_chunks(body), "[DONE]"]:
            self.wfile.write(b"data: " + (chunk if chunk == "[DONE]" else json.dumps(chunk)).encode() + b"\n\n")
        self.close_connection = True

    def _send(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{next(_numbers)}",
        "object": kind,
        "created": int(time.time()),
        "model": f"{body['model']}-2026-09-01",
    }


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer(body) or None, "refusal": None}
    if body.get("tools"):
        called = {"name": body["tools"][0]["function"]["name"], "arguments": '{"river": "Elbe"}'}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": called}]
    reason = "tool_calls" if body.get("tools") else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason, "logprobs": None}
    return {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage(body)}


def _chunks(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    head = _head(body, "chat.completion.chunk")
    for number, word in enumerate(answer(body).split(" ")):
        delta = {"content": f" {word}" if number else word, **({} if number else {"role": "assistant"})}
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": None}
    if body.get("stream_options", {}).get("include_usage"):
        yield {**head, "choices": [], "usage": _usage(body)}


def _usage(body: dict[str, Any]) -> dict[str, Any]:
    asked, answered = tokens(body)
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
