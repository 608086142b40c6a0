"""OpenTelemetry: calls of models in traces and logs, whatever instrumentation wrote them.

``wire`` decodes both encodings of both signals, ``content`` and its dialects read what a call says, ``identity`` finds
whose it is, ``join`` brings spans, log records and parent spans of one trace together.
"""
