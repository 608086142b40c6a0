"""What goes on beside the requests, each in a process of its own: python -m benchmarks.verdicts.besides follow|publish ..."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime

import httpx

from api.services.board import Board
from api.services.publishing import Publisher
from api.settings import Settings
from api.storage import cases
from api.storage.engine import Database
from benchmarks.verdicts.population import CHANGING, name, risk
from tests.api.builders import account

PAUSE_SECONDS = 2.0  # between two publications
FOLLOW_SECONDS = 0.5  # between two looks at the feed
LOWER = 10  # priority, so that the sender's clock stays right


def follow(url: str, secret: str) -> None:
    """Keep a copy of the verdicts, as a gateway does."""
    since = ""
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {secret}"}) as http:
        while True:
            page = http.get(f"{url}/v1/verdicts", params={"since": since}).json()
            since = page["next"]
            if not page["more"]:
                time.sleep(FOLLOW_SECONDS)


def publish(url: str) -> None:
    """Change the findings on some accounts again and again, and publish, as the worker does."""
    database = Database(url)
    publisher = Publisher(database, Settings(), Board(database))
    shift = 0
    while True:
        shift += 1
        found = [account(name(n), risk(n, shift)) for n in CHANGING]
        with database.write("findings") as connection:
            cases.store(connection, found, datetime.now(UTC))
        publisher.publish()
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    os.nice(LOWER)
    if sys.argv[1] == "follow":
        follow(*sys.argv[2:])
    else:
        publish(*sys.argv[2:])
