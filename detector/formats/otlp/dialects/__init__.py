"""Dialects of calls in OpenTelemetry: one file each, a function ``read(attributes) -> Said`` and ``is_call``.

In the order in which they are heard.
"""

from detector.formats.otlp.dialects import cloudflare, genai, langfuse, openinference, openllmetry, others

DIALECTS = (genai, openinference, langfuse, openllmetry, cloudflare, others)
