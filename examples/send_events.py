"""Send a log of canonical events to distillwatch: python send_events.py events.jsonl

Needs nothing but Python. The address and key come from DISTILLWATCH_API_URL and DISTILLWATCH_KEY. A batch that may or
may not have arrived is simply sent again: the service counts each event_id once.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

URL = os.environ.get("DISTILLWATCH_API_URL", "http://127.0.0.1:8400") + "/v1/events"
KEY = os.environ.get("DISTILLWATCH_KEY", "")
BATCH = 500
TRIES = 6


def send(rows: list[str]) -> dict:
    """Post rows as NDJSON; the answer counts what was accepted and names what was not."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(URL, "".join(rows).encode(), headers)
    for attempt in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:  # our fault: sending it again would not help
                sys.exit(f"refused ({error.code}): {error.read().decode(errors='replace')}")
        except OSError as error:
            print(f"no answer ({error}), trying again", file=sys.stderr)
        time.sleep(2**attempt / 4)
    sys.exit(f"no success after {TRIES} tries at {URL}")


def main() -> None:
    """Send the file in batches."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not KEY:
        sys.exit("set DISTILLWATCH_KEY to a key of role gateway: distillwatch keys create NAME --role gateway")
    accepted = duplicates = 0
    with open(sys.argv[1], encoding="utf-8") as file:
        while rows := [row for _, row in zip(range(BATCH), file, strict=False)]:
            result = send(rows)
            accepted += result["accepted"]
            duplicates += result["duplicates"]
            for item in result["rejected"]:
                print(f"rejected: {item['error']}", file=sys.stderr)
    print(f"{accepted} accepted, {duplicates} already known")


if __name__ == "__main__":
    main()
