"""Dialects of calls in OpenTelemetry: one file each, functions ``is_call``, ``read(attributes) -> Said`` and ``knows(names)``: False
where both have nothing to say of a record whose attributes have these names, whatever their values.

In the order in which they are heard.
"""

from detector.formats.otlp.dialects import cloudflare, genai, langfuse, openinference, openllmetry, others

DIALECTS = (genai, openinference, langfuse, openllmetry, cloudflare, others)
