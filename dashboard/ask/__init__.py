"""What the pages ask of the service beyond cases and campaigns, one module a topic."""
