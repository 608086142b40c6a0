"""Bodies of the HTTP API: the one package that the dashboard shares with the service."""
