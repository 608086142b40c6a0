"""``python -m api``: the command line, as the service starts its parts."""

from api.cli import main

main()
