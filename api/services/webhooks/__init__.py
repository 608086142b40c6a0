"""Webhooks: signed messages to other systems, in their shapes, never to an address inside the house by accident."""
