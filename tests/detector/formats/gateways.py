"""Made-up bodies in the shapes of gateways and batch files, with secrets in them that must not come through."""

from __future__ import annotations

import json
from typing import Any

SECRETS = ("sk-made-up-secret", "made-up-token", "made-up-apikey", "made-up-cookie")
HEADERS = {
    "user-agent": "client/2",
    "authorization": f"Bearer {SECRETS[0]}",
    "apikey": SECRETS[2],
    "cookie": f"session={SECRETS[3]}",
    "x-forwarded-for": "198.51.100.9, 10.0.0.1",
}
REQUEST: dict[str, Any] = {
    "model": "gpt-4o",
    "user": "claimed",
    "temperature": 0.5,
    "max_tokens": 99,
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a river."}],
    "tools": [{"type": "function", "function": {"name": "lookup"}}],
}
RESPONSE: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1788776100,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Elbe."}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 5},
    },
}


def kong(**fields: Any) -> dict[str, Any]:
    """Kong's http-log with payloads as JSON text."""
    base: dict[str, Any] = {
        "request": {"id": "kong-1", "uri": "/v1/chat/completions", "method": "POST", "headers": HEADERS},
        "response": {"status": 200, "headers": {"set-cookie": SECRETS[3]}},
        "latencies": {"request": 750, "kong": 3},
        "authenticated_entity": {"id": "cred-1", "consumer_id": "consumer-1"},
        "consumer": {"id": "consumer-1", "username": "acme", "custom_id": "c-1"},
        "client_ip": "198.51.100.9",
        "started_at": 1788776100000,
        "workspace_name": "default",
        "ai": {
            "proxy": {
                "usage": {"prompt_tokens": 10, "completion_tokens": 20},
                "meta": {"request_model": "gpt-4o", "response_model": "gpt-4o-2024-08-06"},
                "payload": {"request": json.dumps(REQUEST), "response": json.dumps(RESPONSE)},
            }
        },
    }
    return {**base, **fields}


def apisix(**fields: Any) -> dict[str, Any]:
    """APISIX's http-logger with numbers as text, as nginx variables come."""
    base: dict[str, Any] = {
        "request": {"uri": "/v1/chat/completions", "method": "POST", "headers": HEADERS},
        "response": {"status": 200},
        "server": {"hostname": "gw1"},
        "route_id": "chat",
        "consumer": {"username": "acme"},
        "client_ip": "198.51.100.9",
        "start_time": 1788776100000,
        "latency": 750.0,
        "llm_summary": {
            "request_model": "gpt-4o",
            "model": "gpt-4o",
            "prompt_tokens": "10",
            "completion_tokens": "20",
            "reasoning_tokens": "5",
            "cache_read_input_tokens": "3",
            "stream": "true",
            "end_user_id": "claimed",
        },
        "llm_request": {k: v for k, v in REQUEST.items() if k != "user"},
        "llm_response_text": {"content": "Elbe."},
    }
    return {**base, **fields}


def portkey(**fields: Any) -> dict[str, Any]:
    """Portkey's default.log body, which carries the caller's and the provider's keys."""
    config = {"provider": "openai", "api_key": SECRETS[0], "hooks": [{"headers": {"Authorization": SECRETS[1]}}]}
    metadata = {"_user": "claimed", "customer": "acme"}
    base: dict[str, Any] = {
        "request": {
            "json": REQUEST,
            "text": "Name a river.",
            "isStreamingRequest": False,
            "isTransformed": False,
            "headers": {**HEADERS, "x-portkey-config": json.dumps(config), "x-portkey-metadata": json.dumps(metadata)},
        },
        "response": {"json": RESPONSE, "text": "Elbe.", "statusCode": 200, "isTransformed": False},
        "provider": "openai",
        "requestType": "chatComplete",
        "metadata": metadata,
    }
    return {**base, **fields}


def helicone(**fields: Any) -> dict[str, Any]:
    """Helicone's manual logger."""
    base: dict[str, Any] = {
        "providerRequest": {"url": "custom", "json": REQUEST, "meta": {}},
        "providerResponse": {
            "status": 200,
            "headers": {
                "Helicone-User-Id": "acme",
                "Helicone-Session-Id": "s1",
                "Helicone-Auth": f"Bearer {SECRETS[0]}",
                "Helicone-Property-Plan": "pro",
                "Helicone-Property-Api-Key": SECRETS[2],
            },
            "json": RESPONSE,
            "textBody": None,
        },
        "timing": {
            "startTime": {"seconds": 1788776100, "milliseconds": 0},
            "endTime": {"seconds": 1788776100, "milliseconds": 750},
        },
    }
    return {**base, **fields}


def langfuse(*, user: str | None = "acme") -> dict[str, Any]:
    """A batch of Langfuse's SDK: trace, generation and its update."""
    return {
        "batch": [
            {
                "id": "1",
                "type": "trace-create",
                "timestamp": "2026-09-07T10:15:00Z",
                "body": {"id": "t1", "userId": user, "sessionId": "s1", "metadata": {"customer": "corp"}},
            },
            {
                "id": "2",
                "type": "generation-create",
                "timestamp": "2026-09-07T10:15:00Z",
                "body": {
                    "id": "g1",
                    "traceId": "t1",
                    "startTime": "2026-09-07T10:15:00.000Z",
                    "model": "gpt-4o",
                    "modelParameters": {"temperature": "0.5", "maxTokens": 99},
                    "input": {"messages": REQUEST["messages"], "tools": REQUEST["tools"]},
                },
            },
            {
                "id": "3",
                "type": "generation-update",
                "timestamp": "2026-09-07T10:15:01Z",
                "body": {
                    "id": "g1",
                    "traceId": "t1",
                    "endTime": "2026-09-07T10:15:00.750Z",
                    "output": {"role": "assistant", "content": "Elbe.", "finish_reason": "stop"},
                    "usage": {"input": 10, "output": 20, "unit": "TOKENS"},
                },
            },
        ],
        "metadata": {"batch_size": 3, "public_key": "pk"},
    }


def sglang(**fields: Any) -> dict[str, Any]:
    """A line of SGLang's request log."""
    base: dict[str, Any] = {
        "timestamp": "2026-09-07T10:15:00.000000",
        "event": "request.finished",
        "rid": "rid-1",
        "obj": {
            "text": "Name a river.",
            "sampling_params": {"temperature": 0.5, "max_new_tokens": 99, "n": 2},
            "stream": True,
            "return_logprob": True,
        },
        "out": {
            "text": "Elbe.",
            "meta_info": {
                "prompt_tokens": 10,
                "completion_tokens": 20,
                "cached_tokens": 3,
                "finish_reason": {"type": "stop"},
                "e2e_latency": 0.75,
            },
        },
    }
    return {**base, **fields}


def envoy(**fields: Any) -> dict[str, Any]:
    """A line of Envoy AI Gateway's access log."""
    base: dict[str, Any] = {
        "start_time": "2026-09-07T10:15:00.000Z",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.usage.input_tokens": "10",
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.reasoning_tokens": "-",
        "tenant.id": "acme",
        "user.id": "u1",
        "session.id": "s1",
        "x-forwarded-for": "198.51.100.9, 10.0.0.1",
        "user-agent": "client/2",
        "x-request-id": "the client may choose it",
        "response_code": 200,
        "duration": 750,
    }
    return {**base, **fields}


def openai_input(custom: str = "r1") -> dict[str, Any]:
    """A line of an OpenAI batch input file."""
    return {"custom_id": custom, "method": "POST", "url": "/v1/chat/completions", "body": REQUEST}


def openai_output(custom: str = "r1", number: int = 1) -> dict[str, Any]:
    """A line of an OpenAI batch output file."""
    response = {"status_code": 200, "request_id": f"req-{number}", "body": RESPONSE}
    return {"id": f"batch_req_{number}", "custom_id": custom, "response": response, "error": None}


def anthropic_input(custom: str = "r1") -> dict[str, Any]:
    """A request of an Anthropic message batch."""
    params = {
        "model": "claude",
        "max_tokens": 99,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Name a river."}]}],
        "metadata": {"user_id": "claimed"},
        "tools": [{"name": "lookup", "input_schema": {}}],
    }
    return {"custom_id": custom, "params": params}


def anthropic_output(custom: str = "r1") -> dict[str, Any]:
    """A result of an Anthropic message batch."""
    message = {
        "id": "msg_1",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "thinking", "thinking": "Rivers."}, {"type": "text", "text": "Elbe."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 3},
    }
    return {"custom_id": custom, "result": {"type": "succeeded", "message": message}}
